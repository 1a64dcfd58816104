import { dayOf } from '../registro/index.js';
import type { RegisterRow } from '../storage/index.js';

/** What is counted, in the order in which it is shown; Italian and English. */
export const countNames = {
  accettazioni: 'acceptances',
  nonAccettazioni: 'non-acceptances',
  busteInviate: 'envelopes sent',
  busteRicevute: 'envelopes received',
  preseInCarico: 'taken in charge',
  consegne: 'deliveries here',
  mancateConsegne: 'non-deliveries',
  preavvisi: 'notices of silence',
  virusInUscita: 'viruses of our users',
  virusInArrivo: 'viruses from others',
  anomalie: 'anomalies',
  ordinariaRicevuta: 'ordinary mail taken',
  rifiutati: 'refused',
  notificheRicevute: 'notifications received',
} as const;

export type CountName = keyof typeof countNames;
export type Counts = Record<CountName, number>;

const NAMES = Object.keys(countNames) as CountName[];
export const noCounts = (): Counts => Object.fromEntries(NAMES.map((name) => [name, 0])) as Counts;

/** Under which names an entry of the register counts. */
export function namesOf({ event, detail }: Pick<RegisterRow, 'event' | 'detail'>): readonly CountName[] {
  switch (event) {
    case 'accettazione':
      return ['accettazioni'];
    case 'non-accettazione':
      return detail.virus === undefined ? ['nonAccettazioni'] : ['nonAccettazioni', 'virusInUscita'];
    case 'posta-certificata':
      return ['busteInviate'];
    case 'ricezione-busta':
      return detail.ripetuta === undefined ? ['busteRicevute'] : [];
    case 'presa-in-carico':
      return ['preseInCarico'];
    case 'avvenuta-consegna':
      return ['consegne'];
    case 'errore-consegna':
      return ['mancateConsegne'];
    case 'preavviso-errore-consegna':
      return ['preavvisi'];
    case 'rilevazione-virus':
      return ['virusInArrivo'];
    case 'busta-anomalia':
    case 'ricezione-anomalia':
      return ['anomalie'];
    case 'ricezione-ordinaria':
      return ['ordinariaRicevuta'];
    case 'rifiuto':
      return ['rifiutati'];
    case 'ricezione-notifica':
      return detail.ripetuta === undefined ? ['notificheRicevute'] : [];
    default:
      return [];
  }
}

/** Counts by day of Italy. */
export class DayCounts {
  readonly #days = new Map<string, Counts>();
  /** The day of the last entry: entries of one day follow each other. */
  #last = dayOf(0);

  add(row: Pick<RegisterRow, 'event' | 'detail' | 'at'>): void {
    const names = namesOf(row);
    if (names.length === 0) return;
    if (row.at < this.#last.from || row.at >= this.#last.to) this.#last = dayOf(row.at);
    const counts = this.#days.get(this.#last.name) ?? noCounts();
    this.#days.set(this.#last.name, counts);
    for (const name of names) counts[name] += 1;
  }

  /** By day, oldest first. */
  days(): { readonly day: string; readonly counts: Counts }[] {
    return [...this.#days].sort(([a], [b]) => (a < b ? -1 : 1)).map(([day, counts]) => ({ day, counts }));
  }

  total(): Counts {
    const sum = noCounts();
    for (const counts of this.#days.values()) for (const name of NAMES) sum[name] += counts[name];
    return sum;
  }
}
