import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rope, type RopePart, type Source } from '../../src/rope/index.js';
import { smallSource } from '../../src/storage/blobs/resident.js';
import { ContentCache, unpack } from '../../src/storage/contents.js';
import { pack } from '../../src/storage/pack.js';
import type { PackedRope } from '../../src/storage/records.js';

/** A source that is not in memory, as a spool file or a large blob is. */
const elsewhere = (bytes: Buffer, hash?: string): Source => ({
  length: bytes.length,
  hash,
  read: async (offset, length) => bytes.subarray(offset, offset + length),
});

/** What the store gives back for what was packed. */
const back = (packed: PackedRope, large: Source[] = []): Rope =>
  unpack(
    {
      ...packed,
      blobs: [
        ...packed.smallBlobs.map(({ hash, bytes }) => ({ hash, size: bytes.length, bytes })),
        ...large.map(({ hash = '', length }) => ({ hash, size: length, bytes: null })),
      ],
    },
    (hash) => large.find((source) => source.hash === hash) ?? elsewhere(Buffer.alloc(0)),
  );

const blobA = smallSource(Buffer.from('AAAABBBBCCCC'));
const hashA = blobA.hash ?? '';

test('text is gathered, blobs are pointed at, neighbours are joined', async () => {
  const large = elsewhere(Buffer.alloc(100_000, 'z'), 'f'.repeat(64));
  const body = Rope.of(blobA);
  const rope = Rope.of(
    'head ',
    Buffer.from('er\r\n'),
    body.slice(0, 4),
    body.slice(4, 8),
    'x',
    body.slice(9),
    elsewhere(Buffer.from('spool')),
    large,
    'end',
  );
  const packed = await pack(rope);
  assert.deepEqual(packed.layout, [
    { text: [0, 9] },
    { blob: hashA, offset: 0, length: 8 },
    { text: [9, 1] },
    { blob: hashA, offset: 9, length: 3 },
    { text: [10, 5] },
    { blob: 'f'.repeat(64), offset: 0, length: 100_000 },
    { text: [15, 3] },
  ]);
  assert.equal(Buffer.from(packed.text).toString(), 'head er\r\nxspoolend');
  assert.equal(packed.text.buffer.byteLength, packed.text.byteLength);
  assert.deepEqual(
    packed.smallBlobs.map(({ hash }) => hash),
    [hashA],
  );
  assert.equal(packed.size, rope.length);
  assert.deepEqual(await back(packed, [large]).bytes(), await rope.bytes());
});

test('nothing is packed as nothing', async () => {
  const packed = await pack(Rope.empty);
  assert.deepEqual({ ...packed, text: packed.text.length }, { size: 0, text: 0, layout: [], smallBlobs: [] });
  assert.equal(back(packed).length, 0);
});

test('a body that is no blob is refused before it fills memory', async () => {
  const huge: Source = { length: 40_000_000, read: async (_, length) => Buffer.alloc(length) };
  await assert.rejects(pack(Rope.of('a', huge)), RangeError);
});

test('any rope comes back as it was', async () => {
  const source = fc.uint8Array({ maxLength: 20 }).map((bytes): RopePart => smallSource(bytes));
  const loose = fc.uint8Array({ maxLength: 20 }).map((bytes): RopePart => elsewhere(Buffer.from(bytes)));
  const literal = fc.uint8Array({ maxLength: 20 }).map((bytes): RopePart => bytes);
  const parts = fc.array(fc.oneof(source, loose, literal), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(parts, fc.nat(60), fc.nat(60), async (list, from, length) => {
      const rope = Rope.of(...list, ...list).slice(from, from + length);
      const unpacked = back(await pack(rope));
      assert.equal(unpacked.length, rope.length);
      assert.deepEqual(await unpacked.bytes(), await rope.bytes());
    }),
  );
});

test('the cache keeps what was used last, within its limit', () => {
  const cache = new ContentCache(81_000);
  const rope = Rope.of(Buffer.alloc(7000));
  for (let id = 1; id <= 10; id += 1) cache.set(id, rope);
  assert.equal(cache.get(1), rope);
  cache.set(11, rope);
  assert.equal(cache.get(2), undefined);
  assert.equal(cache.get(1), rope);
  cache.set(12, Rope.of(Buffer.alloc(20_000)));
  assert.equal(cache.get(12), undefined, 'one large content does not push the others out');
});
