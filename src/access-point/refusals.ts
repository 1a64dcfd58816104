import { SmtpError } from '../smtp/index.js';

/** The limits of what a mailbox may send. */
export type SendingLimit = 'messages-per-hour' | 'messages-per-day' | 'recipients-per-day';

const named: Readonly<Record<SendingLimit, readonly [italian: string, english: string]>> = {
  'messages-per-hour': ["messaggi l'ora", 'messages an hour'],
  'messages-per-day': ['messaggi al giorno', 'messages a day'],
  'recipients-per-day': ['destinatari al giorno', 'recipients a day'],
};

/** What the access point alone refuses in the session: such a message was never accepted (decisions 13). */
export const refusals = {
  nullSender: () =>
    new SmtpError({
      code: 550,
      enhanced: '5.7.1',
      publicText: 'Il mittente e obbligatorio / A submission needs a sender',
    }),
  notYourAddress: (address: string) =>
    new SmtpError({
      code: 553,
      enhanced: '5.7.1',
      publicText: `L'indirizzo ${address} non appartiene all'utente / Sender address does not belong to the user`,
    }),
  suspended: () =>
    new SmtpError({
      code: 550,
      enhanced: '5.7.1',
      publicText: 'Casella sospesa: invio non consentito / Mailbox suspended: it cannot send',
    }),
  badRecipient: () =>
    new SmtpError({
      code: 553,
      enhanced: '5.1.3',
      publicText: 'Indirizzo non valido / Bad recipient address syntax',
    }),
  /** @param retryAfter milliseconds */
  sendingLimit: (limit: SendingLimit, most: number, retryAfter: number) => {
    const [italian, english] = named[limit];
    const minutes = Math.ceil(retryAfter / 60_000);
    return new SmtpError({
      code: 450,
      enhanced: '4.7.1',
      publicText:
        `Limite di invio raggiunto (${most} ${italian}), riprovare tra ${minutes} minuti / ` +
        `Sending limit reached (${most} ${english}), try again in ${minutes} minutes`,
    });
  },
  noRoomForReceipts: () =>
    new SmtpError({
      code: 452,
      enhanced: '4.2.2',
      publicText: "Casella piena: non c'e spazio per le ricevute / Mailbox full: no room for receipts",
    }),
} as const;
