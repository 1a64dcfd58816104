import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Rope, type Source } from '../../../src/rope/index.js';
import type { Store } from '../../../src/storage/index.js';
import {
  changes,
  changesOver,
  conflict,
  deposit,
  event,
  first,
  NOW,
  newMailbox,
  type OpenedStore,
  type OpenStore,
  queueRow,
  receipt,
  using,
} from './records.js';

async function put(store: Store, mailboxId: number, text: string): Promise<void> {
  const given = await changesOver(store, text, { deposits: [deposit(mailboxId, text.length)] });
  await store.write('commitReception', { ...given, reception: [], expect: [] });
}

/** A blob too large to travel in a commit. */
async function adopt({ store, folder }: OpenedStore, fill: string): Promise<Source> {
  const bytes = Buffer.alloc(70_000, fill);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const file = join(folder, `spooled-${fill}`);
  await writeFile(file, bytes);
  return store.blobs.adopt(file, hash, bytes.length);
}

export function mailContract(open: OpenStore): void {
  describe('mail', () => {
    it('deposits under growing UIDs and gives the same bytes back', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        await put(store, id, 'one');
        await put(store, id, 'second');
        const messages = await store.read('listMessages', { mailboxId: id, folder: 'INBOX' });
        assert.deepEqual(
          messages.map(({ uid, size, flags }) => [uid, size, flags]),
          [
            [1, 3, []],
            [2, 6, []],
          ],
        );
        const [, last] = messages;
        assert.equal((await (await store.open(last?.contentId ?? 0)).bytes()).toString(), 'second');
        const [inbox] = await store.read('listFolders', { mailboxId: id });
        assert.deepEqual([inbox?.uidNext, inbox?.messages, inbox?.size], [3, 2, 9]);
      }));

    it('tells those who wait which mailbox changed', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const heard: number[] = [];
        const stop = store.onCommit(({ mailboxes }) => heard.push(...mailboxes));
        await put(store, id, 'one');
        await new Promise((resolve) => setImmediate(resolve));
        stop();
        assert.deepEqual(heard, [id]);
      }));

    it('refuses certified mail to a full mailbox, and never a receipt (decisions 9)', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store, 'a@uno.example', 10);
        await put(store, id, '123456');
        await assert.rejects(put(store, id, '12345'), conflict('quota'));
        await put(store, id, '1234');
        const given = await changesOver(store, 'ricevuta', {
          deposits: [deposit(id, 8, { withinQuota: false, flags: ['$Accettazione'] })],
        });
        await store.write('commitRefusal', given);
        assert.equal((await store.read('findMailboxById', { id }))?.used, 18);
      }));

    it('writes all of a commit or nothing', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store, 'a@uno.example', 10);
        const given = await changesOver(store, 'too large for it', {
          receipts: [receipt()],
          queue: [queueRow()],
          events: [event()],
          deposits: [deposit(id, 16)],
        });
        await assert.rejects(store.write('commitRefusal', given), conflict('quota'));
        assert.deepEqual(await store.read('listQueue', {}), []);
        assert.deepEqual(await store.read('findReceipts', { identificativo: event().identificativo }), []);
        assert.deepEqual(await store.read('pageRegister', { limit: 10 }), []);
        assert.equal(await store.read('content', { id: 1 }), undefined);
      }));

    it('refuses a deposit where there is no folder, and a content that is not there', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const nowhere = await changesOver(store, 'x', { deposits: [deposit(id, 1, { folder: 'Altro' })] });
        await assert.rejects(store.write('commitRefusal', nowhere), conflict('folder'));
        const empty = changes({ deposits: [deposit(id, 1, { content: { id: 99 } })] });
        await assert.rejects(store.write('commitRefusal', empty), conflict('content'));
      }));

    it('expunges what is the mailbox\u2019s own, once', () =>
      using(open, async ({ store }) => {
        const one = await newMailbox(store, 'a@uno.example');
        const other = await newMailbox(store, 'b@uno.example');
        await put(store, one.id, 'mine');
        await put(store, other.id, 'hers');
        const [mine] = await store.read('listMessages', { mailboxId: one.id, folder: 'INBOX' });
        const [hers] = await store.read('listMessages', { mailboxId: other.id, folder: 'INBOX' });
        const ids = [mine?.id ?? 0, hers?.id ?? 0, 999];
        const wanted = { mailboxId: one.id, ids, now: NOW };
        assert.deepEqual(await store.write('expunge', wanted), { removed: 1, freed: 4 });
        assert.deepEqual(await store.write('expunge', wanted), { removed: 0, freed: 0 });
        assert.equal((await store.read('findMailboxById', { id: one.id }))?.used, 0);
        assert.equal((await store.read('findMailboxById', { id: other.id }))?.used, 4);
        await put(store, one.id, 'next');
        const [next] = await store.read('listMessages', { mailboxId: one.id, folder: 'INBOX' });
        assert.equal(next?.uid, 2, 'a UID never comes back');
        assert.notEqual(next?.id, mine?.id, 'nor does an id');
      }));

    it('keeps an expunged content as long as a receipt is made of it', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const given = await changesOver(store, 'ricevuta', {
          receipts: [receipt()],
          deposits: [deposit(id, 8)],
        });
        await store.write('commitRefusal', given);
        await put(store, id, 'plain');
        const messages = await store.read('listMessages', { mailboxId: id, folder: 'INBOX' });
        const ids = messages.map((message) => message.id);
        await store.write('expunge', { mailboxId: id, ids, now: NOW });
        assert.equal((await store.sweep({ now: NOW })).contents, 1);
        const [kept] = await store.read('findReceipts', { identificativo: event().identificativo });
        assert.equal((await (await store.open(kept?.contentId ?? 0)).bytes()).toString(), 'ricevuta');
        assert.equal(await store.read('content', { id: messages[1]?.contentId ?? 0 }), undefined);
      }));

    it('keeps a large blob while a content or an unexpired link names it', () =>
      using(open, async (opened) => {
        const { store } = opened;
        const { id } = await newMailbox(store);
        const used = await adopt(opened, 'u');
        const unused = await adopt(opened, 'n');
        const rope = Rope.of('head ', used);
        await store.write('commitRefusal', {
          ...changes({ contents: [await store.pack(rope)] }),
          deposits: [deposit(id, rope.length)],
        });
        assert.deepEqual(await store.sweep({ now: NOW }), { contents: 0, files: 0 });
        const late = Date.now() + 10 * 3_600_000;
        assert.deepEqual(await store.sweep({ now: late }), { contents: 0, files: 1 });
        assert.equal(await store.read('blob', { hash: unused.hash ?? '' }), undefined);
        const [message] = await store.read('listMessages', { mailboxId: id, folder: 'INBOX' });
        const stored = await (await store.open(message?.contentId ?? 0)).bytes();
        assert.ok(stored.equals(await rope.bytes()));
        const swept = await store.pack(Rope.of(unused));
        await assert.rejects(
          store.write('commitRefusal', { ...changes({ contents: [swept] }), deposits: [deposit(id, 1)] }),
          conflict('blob'),
        );
        await store.write('expunge', { mailboxId: id, ids: [message?.id ?? 0], now: NOW });
        assert.deepEqual(await store.sweep({ now: late }), { contents: 1, files: 1 });
      }));

    it('refuses a content that reads past the end of a blob', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const packed = await store.pack(Rope.of(store.blobs.small(Buffer.from('original'))));
        const layout = packed.layout.map((piece) => ({ ...piece, length: 9 }));
        const given = changes({ contents: [{ ...packed, layout }], deposits: [deposit(id, 9)] });
        await assert.rejects(store.write('commitRefusal', given), conflict('blob'));
      }));

    it('lets two contents share a small blob', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const small = store.blobs.small(Buffer.from('original'));
        for (const head of ['a ', 'b ']) {
          const rope = Rope.of(head, small);
          await store.write('commitRefusal', {
            ...changes({ contents: [await store.pack(rope)] }),
            deposits: [deposit(id, rope.length, { content: first })],
          });
        }
        const [one, two] = await store.read('listMessages', { mailboxId: id, folder: 'INBOX' });
        await store.write('expunge', { mailboxId: id, ids: [one?.id ?? 0], now: NOW });
        await store.sweep({ now: NOW });
        assert.equal((await (await store.open(two?.contentId ?? 0)).bytes()).toString(), 'b original');
      }));

    it('counts as used what is there, whatever is deposited and expunged, and never repeats a UID', () =>
      using(open, async ({ store }) => {
        let run = 0;
        const step = fc.oneof(
          { weight: 3, arbitrary: fc.record({ size: fc.integer({ min: 1, max: 40 }), bound: fc.boolean() }) },
          { weight: 1, arbitrary: fc.record({ expunge: fc.array(fc.nat(20), { maxLength: 5 }) }) },
        );
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
            run += 1;
            const { id } = await newMailbox(store, `m${run}@uno.example`, 300);
            const uids: number[] = [];
            for (const one of steps) {
              const before = await store.read('listMessages', { mailboxId: id, folder: 'INBOX' });
              if ('expunge' in one) {
                const ids = one.expunge.flatMap((at) => before[at]?.id ?? []);
                await store.write('expunge', { mailboxId: id, ids, now: NOW });
              } else {
                const used = before.reduce((sum, { size }) => sum + size, 0);
                const given = await changesOver(store, 'x'.repeat(one.size), {
                  deposits: [deposit(id, one.size, { withinQuota: one.bound })],
                });
                const writing = store.write('commitRefusal', given);
                if (one.bound && used + one.size > 300) await assert.rejects(writing, conflict('quota'));
                else await writing;
              }
              const after = await store.read('listMessages', { mailboxId: id, folder: 'INBOX' });
              const sum = after.reduce((total, { size }) => total + size, 0);
              assert.equal((await store.read('findMailboxById', { id }))?.used, sum);
              uids.push(...after.map(({ uid }) => uid).filter((uid) => !uids.includes(uid)));
            }
            assert.deepEqual(
              uids,
              [...uids].sort((a, b) => a - b),
            );
          }),
          { numRuns: 12 },
        );
      }));
  });
}
