import { CHAIN_START } from '../../ledger/index.js';
import {
  type DaySeal,
  type LaneEnd,
  type SealedLane,
  type Store,
  StoreConflict,
} from '../../storage/index.js';
import { type Day, dayOf } from '../day.js';
import { actsHead } from '../verify-acts.js';
import { rootOf } from './run.js';

export interface ClosingParts {
  readonly store: Pick<Store, 'read' | 'write'>;
  /** providerName. */
  readonly gestore: string;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Entries that come while the root is computed make it be computed again; they cannot keep coming into a day that is over. */
const TRIES = 5;

/** The days that are over and not sealed, in order, each to be closed before the next. */
export async function nextOpenDay({ store, clock }: ClosingParts): Promise<Day | undefined> {
  const sealed = await store.read('lastSealedDay', {});
  const from = sealed?.recordedTo ?? (await store.read('firstRecordedAt', {}));
  if (from === null) return undefined;
  const day = dayOf(from);
  return day.to <= clock() ? day : undefined;
}

/**
 * Closes a day that is over: from here on its root is fixed.
 * @throws RegisterTouched
 */
export const closeWhole = (parts: ClosingParts, day: Day): Promise<DaySeal> =>
  close(parts, day, { whole: true, to: day.to });

/** Seals what was recorded of the open day so far; undefined without an entry. @throws RegisterTouched */
export async function closePart(parts: ClosingParts): Promise<DaySeal | undefined> {
  const sealed = await parts.store.read('lastSealedDay', {});
  const from = sealed?.recordedTo ?? (await parts.store.read('firstRecordedAt', {}));
  if (from === null) return undefined;
  // Entries may stand in a day that the clock, set back, has not reached.
  return close(parts, dayOf(Math.max(from, parts.clock())), { whole: false, to: Number.MAX_SAFE_INTEGER });
}

async function close(
  parts: ClosingParts,
  day: Day,
  { whole, to }: { whole: boolean; to: number },
): Promise<DaySeal> {
  const { store, gestore, clock } = parts;
  for (let attempt = 1; ; attempt += 1) {
    const previous = await store.read('lastSealedDay', {});
    const lanes = lanesAfter(previous?.lanes ?? [], await store.read('laneEnds', { to }));
    const { root, entries } = await rootOf(store, { day: day.name, lanes });
    const acts = await store.read('lastAct', {});
    const sealedAt = clock();
    const text = root.toString('hex');
    try {
      return await store.write('closeDay', {
        day: day.name,
        whole,
        recordedFrom: day.from,
        recordedTo: whole ? day.to : sealedAt,
        entries,
        lanes,
        root,
        sealedAt,
        previous: previous?.day ?? null,
        event: {
          identificativo: '',
          at: sealedAt,
          event: 'sigillo',
          sender: '',
          recipients: [],
          subject: '',
          related: [],
          gestore,
          // In the chain of the next day: what comes after commits to this root.
          detail: {
            giorno: day.name,
            radice: text,
            righe: String(entries),
            ...(whole ? {} : { parte: 'sì' }),
            // So do the acts up to here.
            ...(acts === undefined ? {} : { atti: actsHead(acts) }),
          },
        },
      });
    } catch (error) {
      if (!(error instanceof StoreConflict) || error.what !== 'seal' || attempt === TRIES) throw error;
    }
  }
}

/** Each lane goes on where the last sealed day left it, so that no entry is left out between two days. */
function lanesAfter(sealed: readonly SealedLane[], ends: readonly LaneEnd[]): SealedLane[] {
  return ends.map(({ lane, last, after }) => {
    const before = sealed.find((one) => one.lane === lane);
    return {
      lane,
      first: (before?.last ?? 0) + 1,
      last,
      before: before?.after ?? CHAIN_START.toString('hex'),
      after,
    };
  });
}
