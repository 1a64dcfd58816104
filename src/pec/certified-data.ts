import type { Certified, Daticert, LegalTime, Provider } from './types.js';

/** What every daticert about a message repeats. */
export function certifiedData(
  provider: Provider,
  time: LegalTime,
  certified: Certified,
): Omit<Daticert, 'tipo' | 'errore'> {
  return {
    mittente: certified.sender,
    destinatari: certified.recipients,
    risposte: certified.replyTo,
    oggetto: certified.subject,
    gestoreEmittente: provider.name,
    giorno: time.giorno,
    ora: time.ora,
    zona: time.zona,
    identificativo: certified.identificativo,
    msgid: certified.msgid,
    ricezione: [],
  };
}
