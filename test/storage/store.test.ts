import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Rope, type Source } from '../../src/rope/index.js';
import { ChangeSet, inspectSchema, openStore, type Store, StoreConflict } from '../../src/storage/index.js';

const HOUR = 3_600_000;

async function newStore() {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-store-'));
  const clock = { now: 1000 * HOUR };
  const options = {
    database: { engine: 'sqlite', file: join(folder, 'data', 'ceralacca.db') },
    blobs: { kind: 'file', folder: join(folder, 'data', 'blobs') },
    now: () => clock.now,
  } as const;
  const store = await openStore(options);
  await store.write('addDomain', { name: 'pec.alfa.example', now: 0 });
  const mailbox = await store.write('addMailbox', {
    address: 'rossi@pec.alfa.example',
    passwordHash: 'x',
    holderId: null,
    quota: 1_000_000_000,
    kind: 'user',
    now: 0,
  });
  let spooled = 0;
  const spool = (bytes: Uint8Array) => {
    spooled += 1;
    const file = join(folder, `spool-${spooled}`);
    writeFileSync(file, bytes);
    return { file, hash: createHash('sha256').update(bytes).digest('hex'), length: bytes.length };
  };
  const adopt = (bytes: Uint8Array): Promise<Source> => {
    const { file, hash, length } = spool(bytes);
    return store.blobs.adopt(file, hash, length);
  };
  const files = (): string[] =>
    readdirSync(options.blobs.folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /[0-9a-f]{64}$/.test(name),
    );
  return {
    options,
    store,
    clock,
    spool,
    adopt,
    files,
    deposit: (rope: Rope) => deposit(store, mailbox.id, rope),
    mailboxId: mailbox.id,
    remove: async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Puts a rope into the mailbox. @returns its content's id. */
async function deposit(store: Store, mailboxId: number, rope: Rope): Promise<number> {
  const set = new ChangeSet((one) => store.pack(one));
  const content = await set.content(rope);
  set.deposit({
    mailboxId,
    folder: 'INBOX',
    content,
    size: rope.length,
    internalDate: 0,
    flags: [],
    withinQuota: false,
  });
  await store.write('commitRefusal', set.changes());
  return (await store.read('listMessages', { mailboxId, folder: 'INBOX' })).at(-1)?.contentId ?? 0;
}

test('a large message is a file kept once, and comes back as it was', async () => {
  const { store, adopt, files, deposit, remove } = await newStore();
  const bytes = randomBytes(500_000);
  const original = await adopt(bytes);
  assert.equal(original.resident, undefined);
  const rope = Rope.of('envelope ', Rope.of(original).slice(10, 400_000), ' between ', original, ' end');
  const id = await deposit(rope);
  assert.equal(files().length, 1);
  const again = await adopt(bytes);
  await deposit(Rope.of(again));
  assert.equal(files().length, 1);
  assert.deepEqual(await (await store.open(id)).bytes(), await rope.bytes());
  const opened = await store.blobs.open(original.hash ?? '');
  assert.deepEqual(await opened.read(499_990, 10), bytes.subarray(499_990));
  await remove();
});

test('a small message travels with its commit', async () => {
  const { store, spool, files, deposit, remove } = await newStore();
  const bytes = randomBytes(1000);
  const { file, hash, length } = spool(bytes);
  const source = await store.blobs.adopt(file, hash, length);
  assert.ok(source.resident !== undefined && !existsSync(file));
  await assert.rejects(store.blobs.open(hash), StoreConflict);
  const id = await deposit(Rope.of('a', source, store.blobs.small(Buffer.from('b'))));
  assert.deepEqual(files(), []);
  const opened = await store.open(id);
  assert.deepEqual(opened.resident(), Buffer.concat([Buffer.from('a'), bytes, Buffer.from('b')]));
  assert.deepEqual((await store.blobs.open(hash)).resident, bytes);
  await assert.rejects(store.blobs.adopt(spool(bytes).file, '0'.repeat(64), length), RangeError);
  await remove();
});

test('what is not stored is a conflict', async () => {
  const { store, remove } = await newStore();
  await assert.rejects(store.open(12345), { name: 'StoreConflict', what: 'content' });
  await assert.rejects(store.blobs.open('0'.repeat(64)), { name: 'StoreConflict', what: 'blob' });
  await remove();
});

test('the sweeper takes what nothing points at, and nothing else', async () => {
  const { store, clock, adopt, files, deposit, mailboxId, remove } = await newStore();
  const shared = await adopt(randomBytes(100_000));
  const lonely = await adopt(randomBytes(100_000));
  const first = await deposit(Rope.of('1', shared, lonely));
  const second = await deposit(Rope.of('2', shared));
  const unused = await adopt(randomBytes(100_000));
  assert.equal(files().length, 3);

  clock.now += 2 * HOUR;
  assert.deepEqual(await store.sweep({ now: clock.now }), { contents: 0, files: 1 });
  assert.equal(files().length, 2);
  await assert.rejects(store.blobs.open(unused.hash ?? ''), StoreConflict);

  const [message] = await store.read('listMessages', { mailboxId, folder: 'INBOX' });
  await store.write('expunge', { mailboxId, ids: [message?.id ?? 0], now: clock.now });
  assert.deepEqual(await store.sweep({ now: clock.now }), { contents: 1, files: 1 });
  assert.equal(await store.read('content', { id: first }), undefined);
  assert.equal((await (await store.open(second)).bytes()).length, 100_001);
  assert.deepEqual(await store.sweep({ now: clock.now }), { contents: 0, files: 0 });
  await remove();
});

test('a blob that is taken up again while it is swept stays', async () => {
  const { store, clock, adopt, files, deposit, remove } = await newStore();
  const bytes = randomBytes(100_000);
  await adopt(bytes);
  for (let round = 0; round < 10; round += 1) {
    clock.now += 2 * HOUR;
    const [source] = await Promise.all([
      adopt(bytes),
      store.sweep({ now: clock.now }),
      store.sweep({ now: clock.now }),
    ]);
    assert.equal(files().length, 1);
    assert.deepEqual(await source.read(0, 100_000), bytes);
  }
  const id = await deposit(Rope.of(await adopt(bytes)));
  clock.now += 2 * HOUR;
  await store.sweep({ now: clock.now });
  assert.deepEqual(await (await store.open(id)).bytes(), bytes);
  await remove();
});

test('files without a row are removed once they are old', async () => {
  const { store, options, adopt, files, remove } = await newStore();
  const kept = await adopt(randomBytes(100_000));
  const hash = 'ab'.repeat(32);
  const orphan = join(options.blobs.folder, 'ab', 'ab', hash);
  mkdirSync(dirname(orphan), { recursive: true });
  writeFileSync(orphan, 'left by a crash');
  assert.deepEqual(await store.removeOrphans({ before: 0 }), { files: 0 });
  for (const name of files()) utimesSync(join(options.blobs.folder, name), 1000, 1000);
  assert.deepEqual(await store.removeOrphans({ before: 2_000_000 }), { files: 1 });
  assert.ok(!existsSync(orphan));
  assert.ok(files().some((name) => name.endsWith(kept.hash ?? '-')));
  await remove();
});

test('commits are told after they are there', async () => {
  const { store, deposit, mailboxId, remove } = await newStore();
  const heard: number[] = [];
  const end = store.onCommit((news) => heard.push(...news.mailboxes));
  await deposit(Rope.of('x'));
  assert.deepEqual(heard, [mailboxId]);
  end();
  await deposit(Rope.of('y'));
  assert.deepEqual(heard, [mailboxId]);
  await remove();
});

test('opened again it goes on; a schema that is up to date has nothing pending', async () => {
  const { store, options, deposit, remove } = await newStore();
  const id = await deposit(Rope.of('still there'));
  await store.close();
  assert.deepEqual(inspectSchema(options).pending, []);
  const again = await openStore(options);
  assert.equal((await (await again.open(id)).bytes()).toString(), 'still there');
  await again.close();
  await remove();
});
