import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BlobFiles } from '../../src/storage/blobs/files.js';
import { FileHandles } from '../../src/storage/blobs/handles.js';
import { blobPath } from '../../src/storage/blobs/layout.js';
import { smallSource } from '../../src/storage/blobs/resident.js';
import { BlobDamaged } from '../../src/storage/errors.js';

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function newFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-blobs-'));
  let spooled = 0;
  const spool = (bytes: Uint8Array): string => {
    spooled += 1;
    const file = join(folder, `spool-${spooled}`);
    writeFileSync(file, bytes);
    return file;
  };
  return { folder, spool, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

test('an adopted file is at its place, and reads as it was', async () => {
  const { folder, spool, remove } = newFolder();
  const files = new BlobFiles(join(folder, 'blobs'));
  await files.prepare();
  const bytes = randomBytes(300_000);
  const hash = hashOf(bytes);
  const file = spool(bytes);
  await files.adopt(file, hash, bytes.length);
  assert.ok(!existsSync(file));
  assert.ok(existsSync(join(folder, 'blobs', hash.slice(0, 2), hash.slice(2, 4), hash)));
  const source = files.source(hash, bytes.length);
  assert.deepEqual(await source.read(0, 300_000), bytes);
  assert.deepEqual(await source.read(299_990, 10), bytes.subarray(299_990));
  assert.equal((await source.read(5, 0)).length, 0);
  await assert.rejects(source.read(299_990, 11), RangeError);
  await assert.rejects(source.read(-1, 2), RangeError);
  await files.close();
  remove();
});

test('adopting again ends the same, and what is not as said is refused', async () => {
  const { folder, spool, remove } = newFolder();
  const files = new BlobFiles(join(folder, 'blobs'));
  await files.prepare();
  const bytes = randomBytes(100_000);
  const hash = hashOf(bytes);
  const first = spool(bytes);
  await files.adopt(first, hash, bytes.length);
  // The same call again, as after a crash: the spool file is gone by now.
  await files.adopt(first, hash, bytes.length);
  const second = spool(bytes);
  await files.adopt(second, hash, bytes.length);
  assert.ok(!existsSync(second));
  await assert.rejects(files.adopt(spool(bytes), hashOf(Buffer.of(1)), 99_999), RangeError);
  await assert.rejects(files.adopt(join(folder, 'absent'), hashOf(Buffer.of(2)), 5), RangeError);
  await assert.rejects(files.adopt(spool(bytes), '../../etc/passwd', bytes.length), TypeError);
  // What was torn outside our doing is put right.
  writeFileSync(blobPath(files.folder, hash), 'torn');
  await files.adopt(spool(bytes), hash, bytes.length);
  assert.deepEqual(await files.source(hash, bytes.length).read(0, bytes.length), bytes);
  // What the disk has changed without a word is put right, too: these bytes are about to be acknowledged.
  writeFileSync(blobPath(files.folder, hash), Buffer.alloc(bytes.length));
  const later = new BlobFiles(files.folder);
  await later.adopt(spool(bytes), hash, bytes.length);
  assert.deepEqual(await later.source(hash, bytes.length).read(0, bytes.length), bytes);
  await later.close();
  await files.close();
  remove();
});

test('a lost file is a damage with a name, not an empty message', async () => {
  const { folder, remove } = newFolder();
  const files = new BlobFiles(folder);
  await files.prepare();
  const hash = hashOf(Buffer.of(1));
  await assert.rejects(files.source(hash, 100_000).read(0, 10), BlobDamaged);
  await assert.rejects(files.present(hash, 100_000), new RegExp(`blob ${hash} has no file`));
  await files.close();
  remove();
});

test('what leaves is proved: other bytes, a cut file, none; and a file that was put back', async () => {
  const { folder, spool, remove } = newFolder();
  const files = new BlobFiles(join(folder, 'blobs'));
  await files.prepare();
  const bytes = randomBytes(2_500_000);
  const hash = hashOf(bytes);
  await files.adopt(spool(bytes), hash, bytes.length);
  const path = blobPath(files.folder, hash);
  // The one who has just written it believes it; whoever comes later looks.
  await files.prove(hash, bytes.length);
  const later = new BlobFiles(files.folder);
  await later.prove(hash, bytes.length);
  writeFileSync(path, bytes.subarray(1));
  await assert.rejects(later.prove(hash, bytes.length), /has 2499999 octets, not 2500000/);
  const other = Buffer.from(bytes);
  other.writeUInt8(255 - bytes.readUInt8(2_000_000), 2_000_000);
  writeFileSync(path, other);
  await assert.rejects(later.prove(hash, bytes.length), (error: Error) => {
    assert.ok(error instanceof BlobDamaged);
    assert.equal(error.hash, hash);
    return true;
  });
  rmSync(path);
  await assert.rejects(later.prove(hash, bytes.length), BlobDamaged);
  writeFileSync(path, bytes);
  await later.prove(hash, bytes.length);
  await later.close();
  await files.close();
  remove();
});

test('adopted at the same time by many', async () => {
  const { folder, spool, remove } = newFolder();
  const files = new BlobFiles(join(folder, 'blobs'));
  await files.prepare();
  const bytes = randomBytes(80_000);
  const hash = hashOf(bytes);
  await Promise.all(Array.from({ length: 20 }, () => files.adopt(spool(bytes), hash, bytes.length)));
  assert.deepEqual(await files.source(hash, bytes.length).read(0, bytes.length), bytes);
  assert.deepEqual(readdirSync(folder), ['blobs']);
  await files.close();
  remove();
});

test('old files are found, temporary halves cleared, others left', async () => {
  const { folder, spool, remove } = newFolder();
  const files = new BlobFiles(join(folder, 'blobs'));
  await files.prepare();
  const hashes: string[] = [];
  for (let at = 0; at < 3; at += 1) {
    const bytes = randomBytes(70_000);
    hashes.push(hashOf(bytes));
    await files.adopt(spool(bytes), hashOf(bytes), bytes.length);
  }
  const [old = '', ...fresh] = hashes;
  utimesSync(blobPath(files.folder, old), 1000, 1000);
  const half = join(files.folder, 'tmp', 'half');
  writeFileSync(half, 'x');
  utimesSync(half, 1000, 1000);
  writeFileSync(join(files.folder, 'tmp', 'new'), 'x');
  await files.clearTemporary(2_000_000);
  assert.deepEqual(readdirSync(join(files.folder, 'tmp')), ['new']);
  const found: string[] = [];
  for await (const some of files.olderThan(2_000_000)) found.push(...some);
  assert.deepEqual(found, [old]);
  assert.equal(fresh.length, 2);
  await files.close();
  remove();
});

test('handles are kept for readers to come, and never more than so many', async () => {
  const { folder, spool, remove } = newFolder();
  const handles = new FileHandles();
  const names = Array.from({ length: 60 }, (_, at) => spool(Buffer.from(`file ${at}`)));
  await Promise.all(names.map((name) => handles.read(name, 0, 5)));
  assert.ok(handles.size <= 32);
  assert.equal((await handles.read(names[7] ?? '', 5, 1)).toString(), '7');
  await assert.rejects(handles.read(names[7] ?? '', 5, 2), RangeError);
  await assert.rejects(handles.read(join(folder, 'absent'), 0, 1), { code: 'ENOENT' });
  assert.ok(handles.size <= 32);
  await handles.close();
  assert.equal(handles.size, 0);
  remove();
});

test('small blobs are in memory and have a hash', async () => {
  const source = smallSource(Buffer.from('abc'));
  assert.equal(source.hash, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal((await source.read(1, 2)).toString(), 'bc');
  await assert.rejects(source.read(1, 3), RangeError);
  assert.throws(() => smallSource(Buffer.alloc(64 * 1024 + 1)), RangeError);
});
