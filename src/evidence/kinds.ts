import type { Daticert, ReceiptType } from '../pec/index.js';
import type { Kind, Sentence } from './report.js';

const say = (it: string, en: string): Sentence => ({ it, en });

const RECEIPTS: Readonly<Record<ReceiptType, Sentence>> = {
  completa: say('Ricevuta completa di avvenuta consegna', 'Complete delivery receipt'),
  breve: say('Ricevuta breve di avvenuta consegna', 'Brief delivery receipt'),
  sintetica: say('Ricevuta sintetica di avvenuta consegna', 'Concise delivery receipt'),
};

const VIRUS: Readonly<Partial<Record<Kind, Sentence>>> = {
  'non-accettazione': say('Avviso di non accettazione per virus', 'Notice of non-acceptance for a virus'),
  'errore-consegna': say('Avviso di mancata consegna per virus', 'Notice of non-delivery for a virus'),
};

const TITLES: Readonly<Record<Kind, Sentence>> = {
  'posta-certificata': say(
    'Busta di trasporto (messaggio di posta certificata)',
    'Transport envelope (certified mail message)',
  ),
  accettazione: say('Ricevuta di accettazione', 'Acceptance receipt'),
  'non-accettazione': say('Avviso di non accettazione', 'Notice of non-acceptance'),
  'presa-in-carico': say('Ricevuta di presa in carico', 'Receipt of taking in charge'),
  'avvenuta-consegna': say('Ricevuta di avvenuta consegna', 'Delivery receipt'),
  'errore-consegna': say('Avviso di mancata consegna', 'Notice of non-delivery'),
  'preavviso-errore-consegna': say(
    'Avviso di mancata consegna per superamento del tempo massimo',
    'Notice of non-delivery in time',
  ),
  'rilevazione-virus': say('Avviso di rilevazione virus', 'Notice of a virus found'),
  anomalia: say('Busta di anomalia', 'Anomaly envelope'),
  firmato: say('Messaggio firmato, non di posta certificata', 'Signed message, no certified mail'),
  illeggibile: say('File non leggibile, non giudicato', 'File that cannot be read, not judged'),
  ordinario: say('Messaggio ordinario, non firmato', 'Ordinary message, not signed'),
};

/** What a message is called. */
export function titleOf(kind: Kind, daticert?: Daticert, form?: ReceiptType | null): Sentence {
  if (form !== null && form !== undefined) return RECEIPTS[form];
  return (daticert?.errore === 'virus' ? VIRUS[kind] : undefined) ?? TITLES[kind];
}
