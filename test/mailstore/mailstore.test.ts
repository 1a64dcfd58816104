import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Indexer, Mailstore } from '../../src/mailstore/index.js';
import { Rope } from '../../src/rope/index.js';
import { ChangeSet, openStore, type Store } from '../../src/storage/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';

const NOW = 1_760_000_000_000;

async function withMailbox(run: (store: Store, mailboxId: number) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ceralacca-mailstore-'));
  const store = await openStore({
    database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
    blobs: { kind: 'file', folder: join(folder, 'blobs') },
  });
  try {
    await store.write('addDomain', { name: 'pec.alfa.example', now: NOW });
    const address = 'mario@pec.alfa.example';
    const account = {
      address,
      passwordHash: '',
      holderId: null,
      quota: 100,
      kind: 'user',
      now: NOW,
    } as const;
    await run(store, (await store.write('addMailbox', account)).id);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function put(store: Store, mailboxId: number, rope: Rope): Promise<void> {
  const changes = new ChangeSet((one) => store.pack(one));
  changes.deposit({
    mailboxId,
    folder: 'INBOX',
    content: await changes.content(rope),
    size: rope.length,
    internalDate: NOW,
    flags: ['$PostaCertificata'],
    withinQuota: false,
  });
  await store.write('commitRefusal', changes.changes());
}

describe('mailstore', () => {
  it('shows what was delivered, byte for byte', () =>
    withMailbox(async (store, mailboxId) => {
      const mailstore = new Mailstore(store);
      const body = store.blobs.small(Buffer.from('corpo\r\n'));
      await put(store, mailboxId, Rope.of('Subject: uno\r\n\r\n', body));
      const [message, ...others] = await mailstore.list(mailboxId);
      assert.ok(message !== undefined && others.length === 0);
      assert.deepEqual(message.flags, ['$PostaCertificata']);
      assert.equal(
        (await (await mailstore.open(message)).bytes()).toString(),
        'Subject: uno\r\n\r\ncorpo\r\n',
      );
      assert.deepEqual(await mailstore.find(mailboxId, message.id), message);
      assert.equal(await mailstore.find(mailboxId + 1, message.id), undefined);
      assert.deepEqual(await mailstore.list(mailboxId, 'Posta inviata'), []);
      assert.deepEqual(
        (await mailstore.folders(mailboxId)).map(({ name, messages }) => [name, messages]),
        [
          ['INBOX', 1],
          ['Posta inviata', 0],
          ['Bozze', 0],
          ['Cestino', 0],
          ['Archivio', 0],
        ],
      );
    }));

  it('says how full the mailbox is, also beyond full', () =>
    withMailbox(async (store, mailboxId) => {
      const mailstore = new Mailstore(store, () => NOW);
      assert.deepEqual(await mailstore.usage(mailboxId), { used: 0, quota: 100, free: 100, percent: 0 });
      await put(store, mailboxId, Rope.of('x'.repeat(79)));
      assert.deepEqual(await mailstore.usage(mailboxId), { used: 79, quota: 100, free: 21, percent: 79 });
      await put(store, mailboxId, Rope.of('x'.repeat(41)));
      assert.deepEqual(await mailstore.usage(mailboxId), { used: 120, quota: 100, free: 0, percent: 120 });
      const ids = (await mailstore.list(mailboxId)).map(({ id }) => id);
      assert.deepEqual(await mailstore.expunge(mailboxId, ids), { removed: 2, freed: 120 });
      assert.equal((await mailstore.usage(mailboxId))?.used, 0);
      assert.equal(await mailstore.usage(999), undefined);
    }));

  it('finds the contents that cannot hold a text, however far apart their ids lie', () =>
    withMailbox(async (store, mailboxId) => {
      const mailstore = new Mailstore(store);
      for (const text of ['consegna', 'altro', 'consegna'])
        await put(store, mailboxId, Rope.of(`Subject: uno\r\n\r\n${text}\r\n`));
      await new Indexer({ store, telemetry: silentTelemetry() }).catchUp();
      const [one = 0, two = 0, three = 0] = (await mailstore.list(mailboxId)).map(
        ({ contentId }) => contentId,
      );
      const far = [1e9, three, two, 1e6, one, 20_000];
      const without = async (query: string, ids: number[]) => [...(await mailstore.without(query, ids))];
      assert.deepEqual(await without('"con" AND "gna"', far), [two]);
      assert.deepEqual(await without('"con" AND "gna"', far), [two], 'they are known now');
      assert.deepEqual((await without('"xyz"', far)).sort(), [one, two, three].sort());
      assert.deepEqual(await without('"con"', []), []);
      await put(store, mailboxId, Rope.of('Subject: due\r\n\r\nnuovo\r\n'));
      const fresh = (await mailstore.list(mailboxId)).at(-1)?.contentId ?? 0;
      assert.deepEqual(await without('"xyz"', [fresh]), [], 'what is not indexed may have anything');
    }));
});
