import { CHAIN_START, verifyInclusion } from '../ledger/index.js';
import type { DaySeal, HeldEntry, RegisterPlace, RegisterRow, Store } from '../storage/index.js';
import { changedContent, misfit, UNREADABLE } from './misfit.js';

/** The first entry that does not fit, and why; Italian and English. */
export interface RegisterFault {
  readonly lane: number;
  readonly seq: number;
  readonly identificativo: string | null;
  readonly reason: string;
}

/** What a verification of the register found. */
export interface RegisterVerdict {
  /** Entries read. */
  readonly entries: number;
  readonly lanes: number;
  /** Null when every entry fits. */
  readonly fault: RegisterFault | null;
}

type Reader = Pick<Store, 'read'>;

const PAGE = 500;

/** Where a lane begins now that the days before were deleted. */
interface Base {
  readonly seq: number;
  readonly link: Uint8Array;
}

/** What stands beside the chain: where deletion has come to, and what was held back from it. */
interface Deleted {
  readonly bases: ReadonlyMap<number, Base>;
  /** By lane, the entries of a day that is being deleted right now: [first, last]. */
  readonly leaving: ReadonlyMap<number, readonly [number, number]>;
  readonly held: ReadonlyMap<string, HeldEntry>;
  readonly roots: ReadonlyMap<string, Uint8Array>;
}

/**
 * Recomputes every leaf and link from the rows as they stand, lane by lane: a changed, missing, added or moved entry
 * is found at the first place where the chain no longer fits (architecture 7). After a purge each lane begins where the
 * last deleted day left it, and what a legal hold kept is proved by its path to the root of its day.
 * @param onSeal is told each `sigillo`
 */
export async function verifyRegister(
  store: Reader,
  onSeal: (row: RegisterRow) => void = () => undefined,
): Promise<RegisterVerdict> {
  const deleted = await deletedOf(store);
  const lanes = new Set<number>();
  const held = new Set(deleted.held.keys());
  let entries = 0;
  let lane: number | undefined;
  let seq = 0;
  let link: Uint8Array = CHAIN_START;
  for await (const row of rows(store)) {
    if ('reason' in row) return { entries, lanes: lanes.size, fault: row };
    if (row.lane !== lane) {
      lane = row.lane;
      seq = deleted.bases.get(lane)?.seq ?? 0;
      link = deleted.bases.get(lane)?.link ?? CHAIN_START;
      lanes.add(lane);
    }
    const outlived = row.seq > 0 && row.seq <= (deleted.bases.get(row.lane)?.seq ?? 0);
    const reason = outlived ? outlivedFault(row, deleted) : misfit(row, seq + 1, link);
    if (reason !== undefined) {
      return { entries, lanes: lanes.size, fault: faultAt(row, row.identificativo, reason) };
    }
    entries += 1;
    held.delete(keyOf(row));
    if (outlived) continue;
    if (row.event === 'sigillo') onSeal(row);
    seq = row.seq;
    link = row.link;
  }
  const [gone] = [...held].flatMap((key) => deleted.held.get(key) ?? []);
  return {
    entries,
    lanes: lanes.size,
    fault: gone === undefined ? null : faultAt(gone, gone.identificativo, GONE),
  };
}

const GONE = 'una riga conservata per legge manca / an entry under legal hold is missing';

const keyOf = ({ lane, seq }: RegisterPlace): string => `${lane} ${seq}`;

async function deletedOf(store: Reader): Promise<Deleted> {
  const bases = new Map<number, Base>();
  const leaving = new Map<number, readonly [number, number]>();
  const roots = new Map<string, Uint8Array>();
  for await (const { part, state, day, root, lanes } of seals(store)) {
    if (part !== 0 || state === 'whole') continue;
    roots.set(day, root);
    for (const { lane, first, last, after } of lanes) {
      bases.set(lane, { seq: last, link: Buffer.from(after, 'hex') });
      if (state === 'purging') leaving.set(lane, [first, last]);
    }
  }
  const held = new Map<string, HeldEntry>();
  for (let after: HeldEntry | undefined; ; ) {
    const page: HeldEntry[] = await store.read('pageHeld', { after, limit: PAGE });
    for (const entry of page) held.set(keyOf(entry), entry);
    after = page.at(-1);
    if (after === undefined) break;
  }
  return { bases, leaving, held, roots };
}

/** Every seal by day and part, from a day on. */
export async function* seals(store: Reader, from = ''): AsyncGenerator<DaySeal> {
  for (let after: { day: string; part: number } | undefined = { day: from, part: -1 }; ; ) {
    const page: DaySeal[] = await store.read('pageSeals', { after, limit: PAGE / 5 });
    yield* page;
    after = page.at(-1);
    if (after === undefined) return;
  }
}

/** Why an entry of a deleted day is not one that was held back. */
function outlivedFault(row: RegisterRow, { leaving, held, roots }: Deleted): string | undefined {
  const proof = held.get(keyOf(row));
  const [first, last] = leaving.get(row.lane) ?? [0, -1];
  if (proof === undefined) {
    if (row.seq >= first && row.seq <= last) return changedContent(row);
    return 'riga di un giorno già cancellato / entry of a day that was deleted';
  }
  const changed = changedContent(row);
  if (changed !== undefined) return changed;
  const root = roots.get(proof.day);
  if (root !== undefined && verifyInclusion(row.leaf, proof, root)) return undefined;
  return 'la prova della riga conservata non porta alla radice del giorno / the proof of a held entry does not lead to the root of its day';
}

const faultAt = (place: RegisterPlace, identificativo: string | null, reason: string): RegisterFault => ({
  lane: place.lane,
  seq: place.seq,
  identificativo,
  reason,
});

/** Every entry in order; an entry whose columns cannot even be read ends the walk with its place. */
async function* rows(store: Reader): AsyncGenerator<RegisterRow | RegisterFault> {
  let after: RegisterPlace | undefined;
  for (;;) {
    const page = await readPage(store, after);
    if ('reason' in page) {
      yield page;
      return;
    }
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = { lane: last.lane, seq: last.seq };
  }
}

async function readPage(
  store: Reader,
  after: RegisterPlace | undefined,
): Promise<RegisterRow[] | RegisterFault> {
  for (let limit = PAGE; ; limit = Math.floor(limit / 2)) {
    try {
      return await store.read('pageRegister', { after, limit });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      if (limit === 1) {
        const place = { lane: after?.lane ?? 0, seq: (after?.seq ?? 0) + 1 };
        return faultAt(place, null, UNREADABLE);
      }
    }
  }
}
