import { SmtpError } from '../smtp/index.js';

/** What the incoming point alone refuses, and how it says so. */
export const refusals = {
  relayDenied: () =>
    new SmtpError({
      code: 550,
      enhanced: '5.7.1',
      publicText: 'Dominio non gestito qui / Relaying denied: this domain is not managed here',
    }),
  badRecipient: () =>
    new SmtpError({
      code: 553,
      enhanced: '5.1.3',
      publicText: 'Indirizzo non valido / Bad recipient address syntax',
    }),
  unknownMailbox: () =>
    new SmtpError({ code: 550, enhanced: '5.1.1', publicText: 'Casella inesistente / No such mailbox' }),
  certifiedMailOnly: (cause: string) =>
    new SmtpError({
      code: 550,
      enhanced: '5.7.1',
      publicText: 'Questa casella riceve solo posta certificata / This mailbox accepts certified mail only',
      cause,
    }),
  mailboxFull: () =>
    new SmtpError({ code: 552, enhanced: '5.2.2', publicText: 'Casella piena / Mailbox full' }),
  mailLoop: () =>
    new SmtpError({
      code: 554,
      enhanced: '5.4.6',
      publicText: 'Il messaggio gira in tondo / Mail loop: the message has been here before',
    }),
  virus: () =>
    new SmtpError({
      code: 550,
      enhanced: '5.7.1',
      publicText: 'Il messaggio contiene un virus / The message contains a virus',
    }),
  /** @param retryAfter milliseconds */
  tooManyMessages: (retryAfter: number) => {
    const seconds = Math.ceil(retryAfter / 1000);
    return new SmtpError({
      code: 450,
      enhanced: '4.7.1',
      publicText:
        `Troppi messaggi da questo indirizzo, riprovare tra ${seconds} secondi / ` +
        `Too many messages from this address, try again in ${seconds} seconds`,
    });
  },
  signatureUnverifiable: (cause: string) =>
    new SmtpError({
      code: 451,
      enhanced: '4.7.5',
      publicText: 'La verifica della firma ora non riesce / The signature cannot be verified at the moment',
      cause,
    }),
} as const;
