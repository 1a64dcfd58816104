import { canonicalEvent, type InclusionProof, verifyInclusion } from '../../ledger/index.js';
import { addressKey } from '../../pec/index.js';
import { type DaySeal, ledgerEvent, type RegisterRow, type Store } from '../../storage/index.js';
import { dayOf } from '../day.js';
import { changedContent } from '../misfit.js';
import { covers, proveEntries } from '../prove.js';
import { sealOf } from '../seal/find.js';
import { RegisterTouched } from '../seal/run.js';

/** Entries of one extract. */
const MOST = 10_000;
const PAGE = 500;

/** What is asked, by whom and why: all of it stands in the extract. */
export interface ExtractQuestion {
  readonly identificativo: string;
  /** Only what is about this recipient. */
  readonly recipient: string | undefined;
  readonly requestedBy: string;
  /** Empty when nobody said. */
  readonly reason: string;
}

/** An entry as it is registered. */
export interface ExtractEntry {
  readonly row: RegisterRow;
  /** The bytes that its leaf commits to, after the salt. */
  readonly content: Buffer;
  /** Null while its day is not sealed. */
  readonly proof: { readonly seal: DaySeal; readonly inclusion: InclusionProof } | null;
}

export interface Extract extends ExtractQuestion {
  /** providerName. */
  readonly gestore: string;
  /** Epoch milliseconds: when it was made, which is not when anything in it happened. */
  readonly at: number;
  readonly entries: readonly ExtractEntry[];
}

/** An extract that cannot be made; the message says why. */
export class ExtractError extends Error {
  override readonly name = 'ExtractError';
}

/**
 * What the register still says of a message, each entry with the proof that it stood there when its day was sealed.
 * @throws ExtractError when there is nothing, or too much
 * @throws RegisterTouched when the entries are not what was sealed: of such a register nothing is attested
 */
export async function gatherEntries(
  store: Pick<Store, 'read'>,
  { identificativo, recipient }: Pick<ExtractQuestion, 'identificativo' | 'recipient'>,
): Promise<ExtractEntry[]> {
  const rows = await rowsAbout(store, identificativo, recipient);
  const proofs = new Map<RegisterRow, ExtractEntry['proof']>();
  for (const [seal, covered] of await bySeal(store, rows)) {
    const inclusions = await inclusionsOf(store, seal, covered);
    covered.forEach((row, at) => {
      const inclusion = inclusions[at];
      if (inclusion === undefined || !verifyInclusion(row.leaf, inclusion, seal.root)) {
        const reason = 'la riga non è tra quelle sigillate / the entry is not among those that were sealed';
        throw new RegisterTouched(row, row.identificativo, reason);
      }
      proofs.set(row, { seal, inclusion });
    });
  }
  return rows.map((row) => ({
    row,
    content: canonicalEvent(ledgerEvent(row, row)),
    proof: proofs.get(row) ?? null,
  }));
}

async function rowsAbout(
  store: Pick<Store, 'read'>,
  identificativo: string,
  recipient: string | undefined,
): Promise<RegisterRow[]> {
  const rows: RegisterRow[] = [];
  for (let page: RegisterRow[], after: RegisterRow | undefined; ; after = page.at(-1)) {
    page = await store.read('searchRegister', { identificativo, recipient, after, limit: PAGE });
    rows.push(...page);
    if (rows.length > MOST)
      throw new ExtractError(`more than ${MOST} entries about ${identificativo}: ask for one recipient`);
    if (page.length < PAGE) break;
  }
  if (rows.length === 0) {
    const whom = recipient === undefined ? '' : ` and ${addressKey(recipient)}`;
    throw new ExtractError(`nothing about ${identificativo}${whom} is in the register`);
  }
  for (const row of rows) {
    const changed = changedContent(row);
    if (changed !== undefined) throw new RegisterTouched(row, row.identificativo, changed);
  }
  return rows;
}

/** Entries by the seal that covers them: that of the whole day, else of the last part. */
async function bySeal(
  store: Pick<Store, 'read'>,
  rows: readonly RegisterRow[],
): Promise<Map<DaySeal, RegisterRow[]>> {
  const known = new Map<string, DaySeal | undefined>();
  const covered = new Map<DaySeal, RegisterRow[]>();
  for (const row of rows) {
    const { name } = dayOf(row.recordedAt);
    if (!known.has(name)) known.set(name, await sealOf(store, name));
    const seal = known.get(name);
    if (seal === undefined || !covers(seal.lanes, row)) continue;
    covered.set(seal, [...(covered.get(seal) ?? []), row]);
  }
  return covered;
}

/** Of a day that was deleted the proofs were kept with what is held. */
async function inclusionsOf(
  store: Pick<Store, 'read'>,
  seal: DaySeal,
  rows: readonly RegisterRow[],
): Promise<readonly (InclusionProof | undefined)[]> {
  if (seal.state === 'whole') return proveEntries(store, seal, rows);
  const kept: (InclusionProof | undefined)[] = [];
  for (const { lane, seq } of rows) {
    const [held] = await store.read('pageHeld', { after: { lane, seq: seq - 1 }, limit: 1 });
    kept.push(held?.lane === lane && held.seq === seq ? held : undefined);
  }
  return kept;
}
