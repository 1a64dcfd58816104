import type { StoreUnavailable } from '../storage/index.js';
import { localError, SmtpError } from './errors.js';

/**
 * The refusals both ends of SMTP share. They are made anew at each call, so that each carries its own stack and cause.
 * What belongs to one end only (sender not allowed, mailbox suspended...) is said by that end.
 */
export const refusals = {
  authenticationRequired: () =>
    new SmtpError({
      code: 530,
      enhanced: '5.7.0',
      publicText: 'Autenticazione richiesta / Authentication required',
    }),
  tlsRequired: () =>
    new SmtpError({
      code: 530,
      enhanced: '5.7.0',
      publicText: 'Usare prima STARTTLS / Must issue a STARTTLS command first',
    }),
  badCredentials: (cause?: unknown) =>
    new SmtpError({
      code: 535,
      enhanced: '5.7.8',
      publicText: 'Nome utente o password errati / Authentication credentials invalid',
      cause,
    }),
  tooManyAttempts: () =>
    new SmtpError({
      code: 454,
      enhanced: '4.7.0',
      publicText: 'Troppi tentativi, riprovare in seguito / Too many attempts, try again later',
    }),
  unknownParameter: (name: string) =>
    new SmtpError({
      code: 555,
      enhanced: '5.5.4',
      publicText: `Parametro ${name} non riconosciuto / Parameter ${name} not recognized`,
    }),
  needsSmtpUtf8: () =>
    new SmtpError({
      code: 553,
      enhanced: '5.6.7',
      publicText: 'Indirizzo con caratteri non ASCII / Address has non-ASCII characters',
    }),
  tooLarge: (limit: number) =>
    new SmtpError({
      code: 552,
      enhanced: '5.3.4',
      publicText: `Messaggio oltre ${limit} ottetti / Message exceeds the maximum size of ${limit} octets`,
    }),
  tooManyConnections: () =>
    new SmtpError({
      code: 421,
      enhanced: '4.7.0',
      publicText: 'Troppe connessioni, riprovare in seguito / Too many connections, try again later',
    }),
  tooManyTransfers: () =>
    new SmtpError({
      code: 452,
      enhanced: '4.3.1',
      publicText:
        'Troppi messaggi in arrivo, riprovare tra poco / Too many messages coming in, try again shortly',
    }),
  // Decisions 30: off by more than a second nothing is certified.
  clockOff: () =>
    new SmtpError({
      code: 451,
      enhanced: '4.3.0',
      publicText:
        "L'orologio del gestore segna un'ora inesatta, riprovare in seguito / The clock of this provider is not exact, try again later",
    }),
  storageFull: (cause?: unknown) =>
    new SmtpError({
      code: 452,
      enhanced: '4.3.1',
      publicText: 'Spazio insufficiente, riprovare / Insufficient system storage, try again later',
      cause,
    }),
  localError: (cause?: unknown) => new SmtpError({ ...localError, cause }),
  overloaded: (cause?: unknown) =>
    new SmtpError({
      code: 451,
      enhanced: '4.3.2',
      publicText: 'Sistema sovraccarico, riprovare in seguito / System overloaded, try again later',
      cause,
    }),
  // Bare CR, bare LF and NUL never pass (architecture 4): they are what SMTP smuggling is made of, and a signature over them
  // would not survive the next hop.
  bareCr: () =>
    new SmtpError({
      code: 554,
      enhanced: '5.6.0',
      publicText: 'Il messaggio contiene un CR senza LF / Message contains a CR without LF',
    }),
  bareLf: () =>
    new SmtpError({
      code: 554,
      enhanced: '5.6.0',
      publicText: 'Il messaggio contiene un LF senza CR / Message contains an LF without CR',
    }),
  nul: () =>
    new SmtpError({
      code: 554,
      enhanced: '5.6.0',
      publicText: 'Il messaggio contiene un ottetto NUL / Message contains a NUL octet',
    }),
} as const;

/** What a peer is told when the store cannot take its message now. */
export function storeRefusal(error: StoreUnavailable): SmtpError {
  if (error.reason === 'full') return refusals.storageFull(error);
  return error.reason === 'busy' ? refusals.overloaded(error) : refusals.localError(error);
}
