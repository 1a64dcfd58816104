import { CHAIN_START, leafHash, linkHash } from '../ledger/index.js';
import { ledgerEvent, type RegisterPlace, type RegisterRow, type Store } from '../storage/index.js';

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

/**
 * Recomputes every leaf and link from the rows as they stand, lane by lane: a changed, missing, added or moved entry
 * is found at the first place where the chain no longer fits (architecture 7).
 */
export async function verifyRegister(store: Reader): Promise<RegisterVerdict> {
  const lanes = new Set<number>();
  let entries = 0;
  let lane: number | undefined;
  let seq = 0;
  let link: Uint8Array = CHAIN_START;
  for await (const row of rows(store)) {
    if ('reason' in row) return { entries, lanes: lanes.size, fault: row };
    if (row.lane !== lane) {
      lane = row.lane;
      seq = 0;
      link = CHAIN_START;
      lanes.add(lane);
    }
    const reason = misfit(row, seq + 1, link);
    if (reason !== undefined) {
      return { entries, lanes: lanes.size, fault: faultAt(row, row.identificativo, reason) };
    }
    seq = row.seq;
    link = row.link;
    entries += 1;
  }
  return { entries, lanes: lanes.size, fault: null };
}

function misfit(row: RegisterRow, expected: number, previous: Uint8Array): string | undefined {
  if (row.lane < 0) return 'riga aggiunta fuori da ogni catena / entry added outside every chain';
  if (row.seq > expected) {
    return `mancano le righe da ${expected} a ${row.seq - 1} / entries ${expected} to ${row.seq - 1} are missing`;
  }
  if (row.seq < expected) return 'riga doppia o fuori posto / doubled or misplaced entry';
  if (!isWhole(row)) return UNREADABLE;
  if (!leafHash(row.salt, ledgerEvent(row, row)).equals(row.leaf)) {
    return 'il contenuto è stato modificato / the content was changed';
  }
  if (!linkHash(previous, row.leaf).equals(row.link)) {
    return 'la catena è interrotta / the chain is broken here';
  }
  return undefined;
}

const UNREADABLE = 'la riga non è leggibile / the entry cannot be read';

/** The lists are JSON text in the database: whoever changes it may make it anything. */
const isWhole = ({ recipients, related, detail }: RegisterRow): boolean =>
  areTexts(recipients) &&
  areTexts(related) &&
  typeof detail === 'object' &&
  detail !== null &&
  !Array.isArray(detail) &&
  areTexts(Object.values(detail));

const areTexts = (list: unknown): boolean =>
  Array.isArray(list) && list.every((text) => typeof text === 'string');

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
