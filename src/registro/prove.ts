import { type InclusionProof, MerkleAccumulator } from '../ledger/index.js';
import type { DaySeal, RegisterPlace, SealedLane, Store } from '../storage/index.js';
import { entriesOf, headsOf, RegisterTouched } from './seal/run.js';

/**
 * The proofs that entries of a sealed span lead to its root, in the order asked for.
 * @throws RegisterTouched when the entries are not those that were sealed
 */
export async function proveEntries(
  store: Pick<Store, 'read'>,
  seal: Pick<DaySeal, 'day' | 'lanes' | 'root'>,
  places: readonly RegisterPlace[],
): Promise<InclusionProof[]> {
  const [first] = places;
  if (first === undefined) return [];
  const indexes = places.map((place) => leafIndex(seal.lanes, place));
  const tree = new MerkleAccumulator(indexes);
  for await (const { leaf } of entriesOf(store, seal.lanes)) tree.add(leaf);
  for (const head of headsOf(seal.day, seal.lanes)) tree.add(head);
  if (!tree.root().equals(seal.root)) {
    const reason =
      'la radice del giorno non corrisponde alle righe / the root of the day does not fit the entries';
    throw new RegisterTouched(first, null, reason);
  }
  return indexes.map((index) => tree.proof(index));
}

/** Whether the entry at a place was recorded in the span. */
export const covers = (lanes: readonly SealedLane[], { lane, seq }: RegisterPlace): boolean =>
  lanes.some((run) => run.lane === lane && run.first <= seq && seq <= run.last);

/** Entries stand in the tree by lane and place in it. */
function leafIndex(lanes: readonly SealedLane[], { lane, seq }: RegisterPlace): number {
  let before = 0;
  for (const run of lanes) {
    if (run.lane === lane) return before + seq - run.first;
    before += run.last - run.first + 1;
  }
  return -1;
}
