import type { ClockRecord } from '../clock/index.js';
import type { RegisterEvent, RegisterRow } from '../storage/index.js';

const STATES = { exact: 'esatto', wrong: 'errato', unmeasured: 'non misurato' } as const;

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

/**
 * How the clock stood, as an entry of the register (decisions 30). `scarto` is what UTC was ahead of the clock of the
 * gestore, in seconds; `incertezza` by how much that may be wrong.
 */
export function clockEntry(
  { at, state, offset, error, sources, notes }: ClockRecord,
  gestore: string,
): RegisterEvent & { readonly event: 'orologio' } {
  return {
    identificativo: '',
    at: Math.round(at),
    event: 'orologio',
    sender: '',
    recipients: [],
    subject: '',
    related: [],
    gestore,
    detail: {
      stato: STATES[state],
      ...(offset === null ? {} : { scarto: `${offset > 0 ? '+' : ''}${seconds(offset)} s` }),
      ...(error === null ? {} : { incertezza: `${seconds(error)} s` }),
      ...(sources.length === 0 ? {} : { fonti: sources.join(' ') }),
      ...(notes === '' ? {} : { note: notes.slice(0, NOTES) }),
    },
  };
}

/** Characters of an entry's notes. */
const NOTES = 500;

/** What an entry says of the clock; the offset in milliseconds, null when it was unknown. */
export function readClockEntry({ at, detail }: RegisterRow): {
  readonly at: number;
  readonly state: ClockRecord['state'];
  readonly offset: number | null;
  readonly sources: string;
} {
  const offset = Number.parseFloat(detail.scarto ?? '');
  const known = (['exact', 'wrong'] as const).find((state) => STATES[state] === detail.stato);
  return {
    at,
    state: known ?? 'unmeasured',
    offset: Number.isNaN(offset) ? null : offset * 1000,
    sources: detail.fonti ?? '',
  };
}
