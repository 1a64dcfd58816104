import { headLeaf, MerkleAccumulator } from '../../ledger/index.js';
import type { DaySeal, RegisterPlace, RegisterRow, SealedLane, Store } from '../../storage/index.js';
import { misfit, UNREADABLE } from '../misfit.js';

type Reader = Pick<Store, 'read'>;

/** The register is not what it was when it was written: such days are not sealed. */
export class RegisterTouched extends Error {
  override readonly name = 'RegisterTouched';
  readonly place: RegisterPlace;
  readonly identificativo: string | null;
  readonly reason: string;

  constructor(place: RegisterPlace, identificativo: string | null, reason: string) {
    super(`lane ${place.lane}, entry ${place.seq}: ${reason}`);
    this.place = { lane: place.lane, seq: place.seq };
    this.identificativo = identificativo;
    this.reason = reason;
  }
}

const PAGE = 250;

/**
 * The entries of a sealed span in order, each found to continue its lane.
 * @throws RegisterTouched at the first that does not
 */
export async function* entriesOf(store: Reader, lanes: readonly SealedLane[]): AsyncGenerator<RegisterRow> {
  for (const { lane, first, last, before, after } of lanes) {
    let next = first;
    let link: Uint8Array = Buffer.from(before, 'hex');
    while (next <= last) {
      const page = await readRun(store, { lane, first: next, last, limit: PAGE });
      if (page.length === 0) throw missing(lane, next, last);
      for (const row of page) {
        const reason = misfit(row, next, link);
        if (reason !== undefined) throw new RegisterTouched(row, row.identificativo, reason);
        yield row;
        link = row.link;
        next += 1;
      }
    }
    if (!Buffer.from(link).equals(Buffer.from(after, 'hex'))) {
      const reason = 'la catena non finisce come fu sigillata / the chain does not end as it was sealed';
      throw new RegisterTouched({ lane, seq: last }, null, reason);
    }
  }
}

async function readRun(
  store: Reader,
  run: { lane: number; first: number; last: number; limit: number },
): Promise<RegisterRow[]> {
  try {
    return await store.read('pageRun', run);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // One at a time, so that the entry that cannot be read has a place.
    if (run.limit > 1) return readRun(store, { ...run, limit: 1 });
    throw new RegisterTouched({ lane: run.lane, seq: run.first }, null, UNREADABLE);
  }
}

const missing = (lane: number, first: number, last: number): RegisterTouched =>
  new RegisterTouched(
    { lane, seq: first },
    null,
    `mancano le righe da ${first} a ${last} / entries ${first} to ${last} are missing`,
  );

/** What a lane commits to at the end of a sealed span. */
export const headsOf = (day: string, lanes: readonly SealedLane[]): Buffer[] =>
  lanes.map(({ lane, last, after }) => headLeaf(day, { lane, seq: last, link: Buffer.from(after, 'hex') }));

/**
 * The Merkle root over the entries' leaves by (lane, seq), then the heads of the lanes (architecture 7).
 * @throws RegisterTouched
 */
export async function rootOf(
  store: Reader,
  { day, lanes }: Pick<DaySeal, 'day' | 'lanes'>,
): Promise<{ root: Buffer; entries: number }> {
  const tree = new MerkleAccumulator();
  let entries = 0;
  for await (const row of entriesOf(store, lanes)) {
    tree.add(row.leaf);
    entries += 1;
  }
  for (const head of headsOf(day, lanes)) tree.add(head);
  return { root: tree.root(), entries };
}
