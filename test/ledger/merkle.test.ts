import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type InclusionProof,
  MerkleAccumulator,
  merkleRoot,
  plainLeaf,
  verifyInclusion,
} from '../../src/ledger/index.js';

const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** RFC 9162 2.1.1, word for word: split at the largest power of two smaller than n. */
function naiveRoot(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha256();
  const [first] = leaves;
  if (leaves.length === 1 && first !== undefined) return Buffer.from(first);
  const split = largestPower(leaves.length);
  return sha256(Buffer.of(1), naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}

/** RFC 9162 2.1.3.1, word for word. */
function naivePath(leaves: readonly Uint8Array[], index: number): Buffer[] {
  if (leaves.length <= 1) return [];
  const split = largestPower(leaves.length);
  return index < split
    ? [...naivePath(leaves.slice(0, split), index), naiveRoot(leaves.slice(split))]
    : [...naivePath(leaves.slice(split), index - split), naiveRoot(leaves.slice(0, split))];
}

function largestPower(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

const leavesOf = (n: number): Buffer[] =>
  Array.from({ length: n }, (_, at) => plainLeaf(Buffer.from(String(at))));
const someLeaf = fc
  .integer({ min: 1, max: 200 })
  .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })));

function inclusionProof(leaves: readonly Uint8Array[], index: number): InclusionProof {
  const tree = new MerkleAccumulator([index]);
  for (const leaf of leaves) tree.add(leaf);
  return tree.proof(index);
}

test('the root of nothing is the hash of nothing, of one leaf the leaf', () => {
  assert.equal(
    merkleRoot([]).toString('hex'),
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
  const leaf = plainLeaf(Buffer.from('x'));
  assert.deepEqual(merkleRoot([leaf]), leaf);
});

test('the known tree of eight leaves (RFC 6962 reference data)', () => {
  const data = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ];
  const leaves = data.map((hex) => plainLeaf(Buffer.from(hex, 'hex')));
  assert.equal(
    merkleRoot(leaves).toString('hex'),
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  );
});

test('roots are those of the definition', () => {
  for (let n = 0; n <= 70; n += 1)
    assert.deepEqual(merkleRoot(leavesOf(n)), naiveRoot(leavesOf(n)), `size ${n}`);
});

test('proofs are those of the definition, and hold', () => {
  fc.assert(
    fc.property(someLeaf, ([size, index]) => {
      const leaves = leavesOf(size);
      const proof = inclusionProof(leaves, index);
      assert.deepEqual(proof.path, naivePath(leaves, index));
      assert.ok(verifyInclusion(leaves[index] ?? Buffer.alloc(0), proof, naiveRoot(leaves)));
    }),
  );
});

test('a proof holds for nothing else', () => {
  fc.assert(
    fc.property(someLeaf, fc.nat(), fc.nat({ max: 255 }), ([size, index], where, flip) => {
      const leaves = leavesOf(size);
      const root = merkleRoot(leaves);
      const proof = inclusionProof(leaves, index);
      const leaf = leaves[index] ?? Buffer.alloc(0);
      const change = flip === 0 ? 1 : flip;
      const bent = (bytes: Uint8Array): Buffer => {
        const copy = Buffer.from(bytes);
        const at = where % copy.length;
        copy[at] = (copy[at] ?? 0) ^ change;
        return copy;
      };
      assert.ok(!verifyInclusion(bent(leaf), proof, root));
      assert.ok(!verifyInclusion(leaf, proof, bent(root)));
      const turned = proof.path.map((hash, at) => (at === where % proof.path.length ? bent(hash) : hash));
      if (turned.length > 0) assert.ok(!verifyInclusion(leaf, { ...proof, path: turned }, root));
      assert.ok(!verifyInclusion(leaf, { ...proof, path: [...proof.path, root] }, root));
      assert.ok(!verifyInclusion(leaf, { ...proof, index: size }, root));
      if (proof.path.length > 0) {
        assert.ok(!verifyInclusion(leaf, { ...proof, path: proof.path.slice(1) }, root));
      }
    }),
  );
});

test('there is no proof of a leaf that is not there, nor of one that nobody asked for', () => {
  assert.throws(() => inclusionProof(leavesOf(3), 3), RangeError);
  assert.throws(() => inclusionProof([], 0), RangeError);
  const tree = new MerkleAccumulator([1]);
  for (const leaf of leavesOf(3)) tree.add(leaf);
  assert.throws(() => tree.proof(0), RangeError);
});

test('many leaves are proved in one go, and the root may be asked for in between', () => {
  const leaves = leavesOf(1000);
  const wanted = [0, 1, 511, 512, 998, 999];
  const tree = new MerkleAccumulator(wanted);
  for (const leaf of leaves) {
    tree.add(leaf);
    tree.root();
  }
  for (const index of wanted) assert.deepEqual(tree.proof(index).path, naivePath(leaves, index));
});
