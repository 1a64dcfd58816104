import { createHash } from 'node:crypto';

/** Where a leaf stands in a tree, and the hashes that lead from it to the root. */
export interface InclusionProof {
  readonly index: number;
  /** Leaves in the tree. */
  readonly size: number;
  /** From the leaf's sibling up. */
  readonly path: readonly Uint8Array[];
}

const NODE = Buffer.of(0x01);

const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer =>
  createHash('sha256').update(NODE).update(left).update(right).digest();

/**
 * The Merkle tree hash over leaf hashes in order (RFC 9162 2.1.1; the leaves are hashed with 0x00 already). The root of
 * no leaves is the hash of nothing.
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return createHash('sha256').digest();
  let level: Uint8Array[] = [...leaves];
  while (level.length > 1) level = levelAbove(level);
  return Buffer.from(level[0] ?? first);
}

/** Whether the proof leads from this leaf hash to this root. RFC 9162 2.1.3.2. */
export function verifyInclusion(leaf: Uint8Array, proof: InclusionProof, root: Uint8Array): boolean {
  const { index, size, path } = proof;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let at = index;
  let last = size - 1;
  let hash: Uint8Array = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      // A last node without a sibling goes up unchanged until it is a right child.
      while (at % 2 === 0 && at !== 0) {
        at /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && Buffer.from(hash).equals(root);
}

/** Pairs are joined; a last node without a sibling goes up as it is, which gives the tree of RFC 9162. */
function levelAbove(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const left = level[at];
    const right = level[at + 1];
    if (left !== undefined) above.push(right === undefined ? left : nodeHash(left, right));
  }
  return above;
}

/** A leaf that is to be proved, with the hashes that lead from it to the root of the subtree it is in. */
interface Climber {
  readonly index: number;
  readonly path: readonly Uint8Array[];
}

interface Subtree {
  readonly hash: Uint8Array;
  readonly climbers: readonly Climber[];
}

const NOBODY: readonly Climber[] = [];

const past = (sibling: Uint8Array, climbers: readonly Climber[]): readonly Climber[] =>
  climbers.map(({ index, path }) => ({ index, path: [...path, sibling] }));

function join(left: Subtree, right: Subtree): Subtree {
  const hash = nodeHash(left.hash, right.hash);
  if (left.climbers.length + right.climbers.length === 0) return { hash, climbers: NOBODY };
  return { hash, climbers: [...past(right.hash, left.climbers), ...past(left.hash, right.climbers)] };
}

/**
 * The same root over leaves that come one after another, and proofs of some of them, in memory that grows with the
 * logarithm of their number.
 */
export class MerkleAccumulator {
  #size = 0;
  /** Full subtrees so far, the largest first: one for each bit of the size. */
  readonly #subtrees: Subtree[] = [];
  readonly #wanted: ReadonlySet<number>;

  /** @param wanted where the leaves stand that are to be proved, from 0 */
  constructor(wanted: Iterable<number> = []) {
    this.#wanted = new Set(wanted);
  }

  get size(): number {
    return this.#size;
  }

  add(leaf: Uint8Array): void {
    const index = this.#size;
    let subtree: Subtree = { hash: leaf, climbers: this.#wanted.has(index) ? [{ index, path: [] }] : NOBODY };
    for (let bits = index; bits % 2 === 1; bits = Math.floor(bits / 2)) {
      const left = this.#subtrees.pop();
      if (left !== undefined) subtree = join(left, subtree);
    }
    this.#subtrees.push(subtree);
    this.#size += 1;
  }

  root(): Buffer {
    const whole = this.#whole();
    return whole === undefined ? merkleRoot([]) : Buffer.from(whole.hash);
  }

  /** The proof of the wanted leaf at `index` (RFC 9162 2.1.3.1). @throws RangeError when it was not wanted or has not come */
  proof(index: number): InclusionProof {
    const climber = this.#whole()?.climbers.find((one) => one.index === index);
    if (climber === undefined) throw new RangeError(`no leaf ${index} to prove in a tree of ${this.#size}`);
    return { ...climber, size: this.#size };
  }

  #whole(): Subtree | undefined {
    let whole = this.#subtrees.at(-1);
    for (const left of this.#subtrees.slice(0, -1).reverse())
      if (whole !== undefined) whole = join(left, whole);
    return whole;
  }
}
