import type { Certified, Daticert } from '../pec/index.js';

/** What a daticert says of the original message. */
export function certifiedOf(daticert: Daticert): Certified {
  return {
    identificativo: daticert.identificativo,
    ...(daticert.msgid === undefined ? {} : { msgid: daticert.msgid }),
    sender: daticert.mittente,
    recipients: daticert.destinatari,
    replyTo: daticert.risposte,
    subject: daticert.oggetto ?? '',
  };
}
