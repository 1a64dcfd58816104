import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FolderIndexes } from '../../src/mailstore/folder-index.js';
import { Mailstore } from '../../src/mailstore/index.js';
import { Rope } from '../../src/rope/index.js';
import { type FolderChanges, flagSetOf, openStore, type Store } from '../../src/storage/index.js';

const NOW = 1_760_000_000_000;

async function withMailbox(run: (store: Store, mailboxId: number) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ceralacca-folder-index-'));
  const store = await openStore({
    database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
    blobs: { kind: 'file', folder: join(folder, 'blobs') },
  });
  try {
    await store.write('addDomain', { name: 'pec.alfa.example', now: NOW });
    const who = { address: 'mario@pec.alfa.example', passwordHash: '', holderId: null } as const;
    const account = { ...who, quota: 1e9, kind: 'user', now: NOW } as const;
    await run(store, (await store.write('addMailbox', account)).id);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const steps = fc.array(
  fc.oneof(
    fc.record({ does: fc.constant('append' as const), flag: fc.constantFrom('\\Seen', '$Consegna', 'a') }),
    fc.record({
      does: fc.constant('flag' as const),
      own: fc.boolean(),
      how: fc.constantFrom('add' as const, 'remove' as const, 'replace' as const),
      flag: fc.constantFrom('\\Seen', '\\Deleted', '$Consegna'),
      uids: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 6 }),
    }),
    fc.record({
      does: fc.constant('expunge' as const),
      uids: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
    }),
    fc.record({ does: fc.constant('look' as const), since: fc.nat({ max: 20 }) }),
  ),
  { maxLength: 25 },
);

describe('a folder in memory', () => {
  it('answers what the store answers, whatever was done to it and by whom', () =>
    withMailbox(async (store, mailboxId) => {
      let number = 0;
      await fc.assert(
        fc.asyncProperty(steps, async (done) => {
          number += 1;
          const name = `Cartella ${number}`;
          // The one that writes is not the one that is asked.
          const writing = new Mailstore(store, () => NOW + number);
          const mailstore = new Mailstore(store);
          await writing.createFolder(mailboxId, name);
          const folderId = (await store.read('folderNamed', { mailboxId, name })) ?? 0;
          const uids = Array.from({ length: 15 }, (_, at) => at + 1);
          for (const step of [...done, { does: 'look' as const, since: 0 }]) {
            if (step.does === 'append') {
              const message = { rope: Rope.of('x'), flags: [step.flag], internalDate: NOW };
              await writing.append(mailboxId, name, [message]);
            } else if (step.does === 'flag') {
              const flags = flagSetOf([step.flag]);
              const place = { mailboxId, folderId, unchangedSince: null };
              const uids = [...new Set(step.uids)].sort((one, other) => one - other);
              const who = step.own ? mailstore : writing;
              const { states } = await who.storeFlags({ ...place, uids, how: step.how, flags });
              const rows = await store.read('listedMessages', { folderId, uids });
              assert.deepEqual(
                states.map(({ keywords, ...state }) => ({ ...state, keywords: JSON.stringify(keywords) })),
                rows.map(({ uid, system, keywords, modseq }) => ({ system, modseq, uid, keywords })),
              );
            } else if (step.does === 'expunge') {
              await writing.expungeFrom(mailboxId, folderId, { uids: step.uids });
            } else {
              const { since } = step;
              const told = await mailstore.changes(folderId, since);
              assert.deepEqual(
                { ...told, gone: [] },
                { ...(await store.read('folderChanges', { folderId, since })), gone: [] },
              );
              const goneOf = (changes: FolderChanges | undefined): readonly number[] =>
                changes === undefined || changes.gone === 'unknown' ? [] : changes.gone;
              const went = goneOf(await store.read('folderChanges', { folderId, since }));
              const missing = went.filter((uid) => !goneOf(told).includes(uid));
              assert.deepEqual(missing, [], 'all that went is told');
              const there = await store.read('listedMessages', { folderId, uids });
              assert.deepEqual(await mailstore.listed(folderId, uids), there);
              const unknown = goneOf(told).filter((uid) => there.some((row) => row.uid === uid));
              assert.deepEqual(unknown, [], 'what is there is not told to have gone');
              const counted = (await store.read('listFolders', { mailboxId })).find((f) => f.id === folderId);
              const named = (await mailstore.namedFolders(mailboxId)).find((f) => f.id === folderId);
              assert.deepEqual(named && (await mailstore.counted(named)), counted);
              const open = { mailboxId, name, since: NOW + number };
              const opened = await mailstore.openFolder(mailboxId, name, open.since);
              const plain = await store.read('openFolder', open);
              const sorted = (list: readonly string[] | undefined) => [...(list ?? [])].sort();
              assert.deepEqual(
                { ...opened, keywords: sorted(opened?.keywords) },
                { ...plain, keywords: sorted(plain?.keywords) },
              );
            }
          }
        }),
        { numRuns: 60 },
      );
    }));

  it('is gone with the folder, and is another one under the same name', () =>
    withMailbox(async (store, mailboxId) => {
      const mailstore = new Mailstore(store, () => NOW);
      await mailstore.createFolder(mailboxId, 'Lavoro');
      await mailstore.append(mailboxId, 'Lavoro', [{ rope: Rope.of('x'), flags: [], internalDate: NOW }]);
      const before = await mailstore.openFolder(mailboxId, 'Lavoro', 0);
      await mailstore.deleteFolder(mailboxId, 'Lavoro');
      assert.equal(await mailstore.openFolder(mailboxId, 'Lavoro', 0), undefined);
      assert.equal(await mailstore.changes(before?.id ?? 0, 0), undefined);
      assert.deepEqual(await mailstore.listed(before?.id ?? 0, [1]), []);
      await mailstore.createFolder(mailboxId, 'Lavoro');
      const after = await mailstore.openFolder(mailboxId, 'Lavoro', 0);
      assert.deepEqual(after?.uids, []);
      assert.ok((after?.uidValidity ?? 0) > (before?.uidValidity ?? 0));
    }));

  it('is kept up to so many messages, the last ones asked for', () =>
    withMailbox(async (store, mailboxId) => {
      const mailstore = new Mailstore(store, () => NOW);
      const ids: number[] = [];
      for (const [at, name] of ['A', 'B', 'C'].entries()) {
        await mailstore.createFolder(mailboxId, name);
        const message = { rope: Rope.of('x'), flags: [], internalDate: NOW };
        await mailstore.append(
          mailboxId,
          name,
          Array.from({ length: at === 2 ? 5 : 2 }, () => message),
        );
        ids.push((await store.read('folderNamed', { mailboxId, name })) ?? 0);
      }
      const [a = 0, b = 0, c = 0] = ids;
      const asked: number[] = [];
      const indexes = new FolderIndexes((folderId, since) => {
        if (since === -1) asked.push(folderId);
        return store.read('folderChanges', { folderId, since });
      }, 3);
      for (const id of [a, a, b, b, a]) assert.equal((await indexes.current(id))?.size, 2);
      assert.deepEqual(asked, [a, b, a], 'there is room for one of them');
      assert.equal(await indexes.current(c), undefined, 'this one is too large to be kept');
      assert.deepEqual(
        (await mailstore.listed(c, [2, 4])).map(({ uid }) => uid),
        [2, 4],
      );
    }));
});
