import type { Fault } from '../wire/pop3/index.js';
import { Pop3Error } from './errors.js';

const faults: Readonly<Record<Fault, string>> = {
  'argument-missing': 'Manca un argomento / An argument is missing',
  'argument-unexpected': 'Troppi argomenti / Too many arguments',
  'argument-malformed': 'Argomento non valido / Malformed argument',
  'number-malformed': 'Numero non valido / Malformed number',
};

const badCommand = (publicText: string) => new Pop3Error({ publicText, charge: 'bad-command' });

/** What a session refuses, made anew at each call so that each carries its own stack. */
export const refusals = {
  malformedLine: () => badCommand('Comando non valido / Malformed command'),
  lineTooLong: () => badCommand('Riga troppo lunga / Line too long'),
  unknownCommand: () => badCommand('Comando non riconosciuto / Unknown command'),
  wrongState: (name: string) => badCommand(`${name} non ammesso ora / ${name} is not allowed in this state`),
  badArgument: (fault: Fault) => badCommand(faults[fault]),
  tlsRequired: () => badCommand('Usare prima STLS / Issue STLS first'),
  tlsActive: () => badCommand('TLS risulta attivo / TLS is already active'),
  tlsUnavailable: () => badCommand('STLS non disponibile / STLS is not available'),
  /** What comes before TLS must not be read as if it had come under it (RFC 2595 4). */
  octetsAfterStls: () =>
    badCommand('Nessun dato e ammesso dopo STLS / No octets may follow STLS before its answer'),
  unknownMechanism: () =>
    badCommand('Metodo di autenticazione non previsto / Unknown authentication mechanism'),
  malformedResponse: () => badCommand('Risposta SASL non valida / Malformed SASL response'),
  cancelled: () => new Pop3Error({ publicText: 'Autenticazione annullata / Authentication cancelled' }),

  badCredentials: () =>
    new Pop3Error({
      code: 'AUTH',
      publicText: 'Nome utente o password errati / Wrong user name or password',
      charge: 'failed-login',
    }),
  /** RFC 5802 6: between us somebody takes lines out, or passes a login on. */
  notBound: () =>
    new Pop3Error({
      code: 'AUTH',
      publicText:
        'Accesso non legato a questa connessione TLS / The login is not bound to this TLS connection',
      charge: 'failed-login',
    }),
  revoked: () =>
    new Pop3Error({
      code: 'AUTH',
      publicText: 'Casella revocata / This mailbox has been revoked',
      charge: 'failed-login',
    }),
  throttled: () =>
    new Pop3Error({
      code: 'SYS/TEMP',
      publicText: 'Troppi tentativi, riprovare in seguito / Too many attempts, try again later',
      charge: 'failed-login',
    }),
  inUse: () =>
    new Pop3Error({
      code: 'IN-USE',
      publicText: "Casella aperta da un'altra sessione POP3 / Mailbox is open in another POP3 session",
    }),

  noSuchMessage: (count: number) =>
    new Pop3Error({
      publicText: `Messaggio inesistente, ce ne sono ${count} / No such message, only ${count} in the maildrop`,
    }),
  alreadyDeleted: (message: number) =>
    new Pop3Error({
      publicText: `Messaggio ${message} gia eliminato / Message ${message} is already deleted`,
    }),
  notRemoved: (cause: unknown) =>
    new Pop3Error({
      code: 'SYS/TEMP',
      publicText: 'Nessun messaggio eliminato, riprovare / No message was removed, try again later',
      cause,
    }),

  tooManyConnections: () =>
    new Pop3Error({
      code: 'SYS/TEMP',
      publicText: 'Troppe connessioni, riprovare in seguito / Too many connections, try again later',
    }),
  tooManyErrors: () =>
    new Pop3Error({ publicText: 'Troppi errori, connessione chiusa / Too many errors, closing connection' }),
  shuttingDown: () =>
    new Pop3Error({
      code: 'SYS/TEMP',
      publicText: 'Servizio in arresto, riprovare / Service is shutting down, try again later',
    }),
} as const;
