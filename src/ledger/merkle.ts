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

/** @throws RangeError when there is no such leaf. RFC 9162 2.1.3.1. */
export function inclusionProof(leaves: readonly Uint8Array[], index: number): InclusionProof {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new RangeError(`no leaf ${index} in a tree of ${leaves.length}`);
  }
  const path: Uint8Array[] = [];
  let level: Uint8Array[] = [...leaves];
  for (let at = index; level.length > 1; at >>>= 1) {
    const sibling = level[at ^ 1];
    if (sibling !== undefined) path.push(sibling);
    level = levelAbove(level);
  }
  return { index, size: leaves.length, path };
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

/** The same root over leaves that come one after another, in memory that grows with the logarithm of their number. */
export class MerkleAccumulator {
  #size = 0;
  /** Roots of the full subtrees so far, the largest first: one for each bit of the size. */
  readonly #subtrees: Uint8Array[] = [];

  get size(): number {
    return this.#size;
  }

  add(leaf: Uint8Array): void {
    let hash = leaf;
    for (let bits = this.#size; bits % 2 === 1; bits = Math.floor(bits / 2)) {
      const left = this.#subtrees.pop();
      if (left !== undefined) hash = nodeHash(left, hash);
    }
    this.#subtrees.push(hash);
    this.#size += 1;
  }

  root(): Buffer {
    let hash = this.#subtrees.at(-1);
    if (hash === undefined) return merkleRoot([]);
    for (let at = this.#subtrees.length - 2; at >= 0; at -= 1)
      hash = nodeHash(this.#subtrees[at] ?? hash, hash);
    return Buffer.from(hash);
  }
}
