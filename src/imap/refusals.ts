import { ImapError } from './errors.js';

const bad = (text: string) => new ImapError({ status: 'BAD', text, charge: 'bad-command' });
const no = (code: string | undefined, text: string) => new ImapError({ status: 'NO', code, text });

/** What a session refuses, made anew at each call so that each carries its own stack. */
export const refusals = {
  unknownCommand: () => bad('Comando non riconosciuto / Unknown command'),
  unknownArgument: () => bad('Argomento non previsto / Unknown argument'),
  wrongState: (name: string) => bad(`${name} non ammesso ora / ${name} is not allowed in this state`),
  tooLong: () => bad('Comando troppo lungo / Command too long'),
  literalTooLarge: () => no('TOOBIG', 'Letterale troppo grande / Literal too large'),
  notImplemented: (what: string) => bad(`${what} non previsto / ${what} is not supported`),
  badArgument: (text: string) => bad(text),

  tlsRequired: () => no('PRIVACYREQUIRED', 'Usare prima STARTTLS / Issue STARTTLS first'),
  tlsUnavailable: () => bad('STARTTLS non disponibile / STARTTLS is not available'),
  /** What comes before TLS must not be read as if it had come under it (RFC 9051 6.2.1). */
  octetsAfterStartTls: () => bad('Nessun dato dopo STARTTLS / No octets may follow STARTTLS'),
  unknownCompression: () => no('CANNOT', 'Compressione non prevista / Unknown compression'),
  compressionActive: () => no('COMPRESSIONACTIVE', 'DEFLATE gia attivo / DEFLATE is active already'),
  /** They would be read as compressed ones. */
  octetsAfterCompress: () => bad('Nessun dato dopo COMPRESS / No octets may follow COMPRESS'),
  unknownMechanism: () => no('CANNOT', 'Metodo non previsto / Unknown authentication mechanism'),
  cancelled: () => bad('Autenticazione annullata / Authentication cancelled'),
  malformedResponse: () => bad('Risposta SASL non valida / Malformed SASL response'),
  badCredentials: () =>
    new ImapError({
      status: 'NO',
      code: 'AUTHENTICATIONFAILED',
      text: 'Nome utente o password errati / Wrong user name or password',
      charge: 'failed-login',
    }),
  /** RFC 5802 6: between us somebody takes lines out, or passes a login on. */
  notBound: () =>
    new ImapError({
      status: 'NO',
      code: 'AUTHENTICATIONFAILED',
      text: 'Accesso non legato a questa connessione TLS / The login is not bound to this TLS connection',
      charge: 'failed-login',
    }),
  revoked: () =>
    new ImapError({
      status: 'NO',
      code: 'CONTACTADMIN',
      text: 'Casella revocata / This mailbox has been revoked',
      charge: 'failed-login',
    }),
  throttled: () =>
    new ImapError({
      status: 'NO',
      code: 'LIMIT',
      text: 'Troppi tentativi, riprovare in seguito / Too many attempts, try again later',
      charge: 'failed-login',
    }),

  noSuchFolder: () => no('NONEXISTENT', 'La cartella non esiste / No such mailbox'),
  tryCreate: () => no('TRYCREATE', 'La cartella non esiste / No such mailbox'),
  badName: () => no('CANNOT', 'Nome di cartella non ammesso / This name is not allowed for a mailbox'),
  inbox: () => no('CANNOT', 'INBOX non si elimina / INBOX cannot be deleted'),
  readOnly: () => no('READ-ONLY', 'Cartella aperta in sola lettura / The mailbox was opened read-only'),
  useTaken: () => no('USEATTR', "Un'altra cartella ha questo uso / Another mailbox has this use"),
  useUnknown: () => no('USEATTR', 'Uso sconosciuto / Unknown special use'),
  noSuchQuota: () => no('NONEXISTENT', 'Quota inesistente / No such quota root'),
  savedSearchLost: () => no('NOTSAVED', 'Nessun risultato salvato / No saved result'),
  noSuchUid: () => no(undefined, 'Il messaggio non esiste / No such message'),
  noSuchMessage: () => bad('Numero di messaggio inesistente / No such message number'),
  badCharset: () => no('BADCHARSET (UTF-8 US-ASCII)', 'Insieme di caratteri non previsto / Unknown charset'),
  tooLarge: () => no('TOOBIG', 'Messaggio troppo grande / The message is too large'),
  bareLineEnd: () =>
    no('CANNOT', 'Il messaggio ha fine riga non valide / The message has line ends that are not CRLF'),
  nul: () => no('CANNOT', 'Il messaggio contiene il carattere NUL / The message contains NUL'),
  unknownEncoding: () =>
    no('UNKNOWN-CTE', 'Codifica della parte sconosciuta / The encoding of this part is unknown'),
} as const;
