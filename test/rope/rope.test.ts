import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rope } from '../../src/rope/index.js';
import { cuts, inPieces, sourceOf } from '../support/ropes.js';

const buffers = fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets));
/** Few letters, so that needles are found and nearly found. */
const narrow = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 60 }).map((text) => Buffer.from(text));

test('a rope of pieces has the bytes of the whole', async () => {
  await fc.assert(
    fc.asyncProperty(buffers, cuts, fc.boolean(), async (bytes, places, sources) => {
      const rope = inPieces(bytes, places, sources);
      assert.equal(rope.length, bytes.length);
      assert.deepEqual(await rope.bytes(), bytes);
      const chunks: Buffer[] = [];
      for await (const chunk of rope.chunks()) chunks.push(chunk);
      assert.deepEqual(Buffer.concat(chunks), bytes);
    }),
  );
});

test('a slice of a rope is the slice of its bytes, clamped', async () => {
  await fc.assert(
    fc.asyncProperty(
      buffers,
      cuts,
      fc.integer({ min: -5, max: 210 }),
      fc.integer({ min: -5, max: 210 }),
      async (bytes, places, start, end) => {
        const expected = bytes.subarray(Math.max(0, start), Math.max(0, start, end));
        const slice = inPieces(bytes, places).slice(start, end);
        assert.equal(slice.length, expected.length);
        assert.deepEqual(await slice.bytes(), expected);
      },
    ),
  );
});

test('ropes are made of ropes, strings, bytes, segments and sources', async () => {
  const rope = Rope.of('à', Rope.of('b', 'c'), Buffer.from('d'), sourceOf(Buffer.from('ef')), {
    source: sourceOf(Buffer.from('xghy')),
    offset: 1,
    length: 2,
  });
  assert.equal((await rope.bytes()).toString('latin1'), 'àbcdefgh');
});

test('slices of slices point at the same source', async () => {
  const rope = Rope.of(sourceOf(Buffer.from('0123456789')))
    .slice(2, 9)
    .slice(1, 5);
  assert.deepEqual(
    rope.segments.map((segment) => ('source' in segment ? [segment.offset, segment.length] : [])),
    [[3, 4]],
  );
  assert.equal((await rope.bytes()).toString(), '3456');
});

test('indexOf finds what Buffer.indexOf finds, across pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      narrow,
      fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 }),
      fc.nat(70),
      cuts,
      async (bytes, needle, from, places) => {
        const rope = inPieces(bytes, places);
        assert.equal(await rope.indexOf(Buffer.from(needle), from), bytes.indexOf(needle, from));
      },
    ),
  );
});

test('resident() is for ropes in memory only', async () => {
  const bytes = Buffer.from('abc');
  assert.equal(Rope.of(bytes).resident(), bytes);
  assert.deepEqual(Rope.of('ab', 'c').resident(), bytes);
  assert.equal(Rope.of('ab', sourceOf(bytes)).resident(), undefined);
  const kept = { length: 3, resident: bytes, read: async () => assert.fail('in memory') };
  assert.deepEqual(await Rope.of('x', kept).slice(1, 3).bytes(), Buffer.from('ab'));
});

test('bytes() refuses to gather more than its limit', async () => {
  await assert.rejects(Rope.of('abc').bytes(2), RangeError);
  assert.equal((await Rope.of('abc').bytes(3)).length, 3);
});

test('the empty rope', async () => {
  assert.equal(Rope.of('', Buffer.alloc(0)), Rope.empty);
  assert.equal((await Rope.empty.bytes()).length, 0);
  assert.equal(await Rope.empty.indexOf(Buffer.from('a')), -1);
});
