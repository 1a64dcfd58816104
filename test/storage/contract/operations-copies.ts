import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Rope } from '../../../src/rope/index.js';
import type { Store } from '../../../src/storage/index.js';
import { append, changesOf, opened, usedOf } from './letters.js';
import { conflict, NOW, newMailbox, type OpenStore, using } from './records.js';

export function copiesContract(open: OpenStore): void {
  describe('copies', () => {
    it('share their content, weigh as much, and have their own UIDs (RFC 4315 3)', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        await append(store, mailboxId, ['uno', 'due', 'tre'], { flags: ['\\Flagged', '$A'] });
        const { id: folderId } = await opened(store, mailboxId);
        const archive = await opened(store, mailboxId, 'Archivio');
        const from = { mailboxId, folderId, target: 'Archivio', now: NOW + 9 };
        const copied = await store.write('copyMessages', { ...from, uids: [3, 1, 77] });
        assert.deepEqual(copied, { uidValidity: archive.uidValidity, from: [1, 3], to: [1, 2] });
        const originals = await store.read('listedMessages', { folderId, uids: [1, 3] });
        const copies = await store.read('listedMessages', { folderId: archive.id, uids: copied.to });
        const { highestModseq: modseq } = await opened(store, mailboxId, 'Archivio');
        assert.deepEqual(
          copies,
          originals.map((row, at) => ({ ...row, uid: at + 1, modseq, savedAt: NOW + 9 })),
        );
        assert.equal(await usedOf(store, mailboxId), 15);
        await store.write('expungeMessages', { mailboxId, folderId, which: 'all' });
        assert.equal((await store.sweep({ now: NOW })).contents, 1, 'only what has no copy');
        const [first] = copies;
        assert.equal((await (await store.open(first?.contentId ?? 0)).bytes()).toString(), 'uno');
      }));

    it('are all made or none: over quota, and into no folder', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store, 'a@uno.example', 10);
        await append(store, mailboxId, ['uno', 'due']);
        const { id: folderId } = await opened(store, mailboxId);
        const copy = (uids: number[], target: string) =>
          store.write('copyMessages', { mailboxId, folderId, uids, target, now: NOW });
        await assert.rejects(copy([1, 2], 'Archivio'), conflict('quota'));
        await assert.rejects(copy([1], 'Altrove'), conflict('folder'));
        assert.deepEqual((await opened(store, mailboxId, 'Archivio')).uids, []);
        assert.equal(await usedOf(store, mailboxId), 6);
        assert.deepEqual((await copy([1], 'INBOX')).to, [3]);
      }));

    it('that move leave nothing behind, in a full mailbox too (RFC 6851)', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store, 'a@uno.example', 6);
        await append(store, mailboxId, ['uno', 'due'], { flags: ['$A'] });
        const inbox = await opened(store, mailboxId);
        const move = (target: string, uids: number[]) =>
          store.write('moveMessages', { mailboxId, folderId: inbox.id, uids, target, now: NOW });
        await assert.rejects(move('Altrove', [1]), conflict('folder'));
        const { from, to } = await move('Archivio', [2, 5]);
        assert.deepEqual([from, to], [[2], [1]]);
        assert.deepEqual((await opened(store, mailboxId)).uids, [1]);
        assert.deepEqual((await changesOf(store, inbox.id, inbox.highestModseq)).gone, [2]);
        assert.equal(await usedOf(store, mailboxId), 6);
        assert.equal((await store.sweep({ now: NOW })).contents, 0);
        assert.deepEqual(
          await move('INBOX', [1]).then(({ to: own }) => own),
          [3],
          'into the same folder: a new UID',
        );
        assert.deepEqual((await opened(store, mailboxId)).uids, [3]);
      }));
  });

  describe('replacing', () => {
    const replace = async (
      store: Store,
      mailboxId: number,
      { uid, text, folder = 'INBOX' }: { uid: number; text: string; folder?: string },
    ) => {
      const { id: folderId } = await opened(store, mailboxId);
      const message = { content: await store.pack(Rope.of(text)), flags: ['\\Draft'], internalDate: NOW };
      return store.write('replaceMessage', { mailboxId, folderId, uid, folder, message, now: NOW });
    };

    it('puts one in and takes the other out, in one folder or two (RFC 8508)', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        await append(store, mailboxId, ['uno', 'due', 'uno']);
        const inbox = await opened(store, mailboxId);
        const { uidValidity } = inbox;
        const done = await replace(store, mailboxId, { uid: 2, text: 'lungo' });
        assert.deepEqual(done, { uidValidity, uid: 4 });
        const now = await opened(store, mailboxId);
        assert.deepEqual(now.uids, [1, 3, 4]);
        assert.deepEqual((await changesOf(store, inbox.id, inbox.highestModseq)).gone, [2]);
        assert.equal(await usedOf(store, mailboxId), 11);
        // The octets of another message, and its own.
        for (const [uid, text] of [
          [4, 'uno'],
          [5, 'uno'],
        ] as const)
          await replace(store, mailboxId, { uid, text });
        await replace(store, mailboxId, { uid: 1, text: 'via', folder: 'Archivio' });
        assert.deepEqual((await opened(store, mailboxId)).uids, [3, 6]);
        assert.deepEqual((await opened(store, mailboxId, 'Archivio')).uids, [1]);
        await store.sweep({ now: NOW });
        for (const row of await store.read('listedMessages', { folderId: inbox.id, uids: [3, 6] }))
          assert.equal((await (await store.open(row.contentId)).bytes()).toString(), 'uno');
        assert.equal(await usedOf(store, mailboxId), 9);
      }));

    it('is done whole or not at all: over quota, no folder, the old one gone', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store, 'a@uno.example', 6);
        await append(store, mailboxId, ['uno', 'due']);
        const before = await opened(store, mailboxId);
        await assert.rejects(replace(store, mailboxId, { uid: 1, text: 'quattro' }), conflict('quota'));
        await assert.rejects(
          replace(store, mailboxId, { uid: 1, text: 'x', folder: 'Altrove' }),
          conflict('folder'),
        );
        await assert.rejects(replace(store, mailboxId, { uid: 9, text: 'x' }), conflict('message'));
        assert.deepEqual(await opened(store, mailboxId), before);
        assert.equal(await usedOf(store, mailboxId), 6);
        // The room of the old one counts.
        assert.equal((await replace(store, mailboxId, { uid: 1, text: 'tre' })).uid, 3);
        // Fuller than the quota, as receipts make it: what does not grow is taken.
        await store.write('setMailbox', { address: 'a@uno.example', quota: 2 });
        assert.equal((await replace(store, mailboxId, { uid: 2, text: 'si' })).uid, 4);
        await assert.rejects(replace(store, mailboxId, { uid: 4, text: 'sei' }), conflict('quota'));
        assert.deepEqual((await opened(store, mailboxId)).uids, [3, 4]);
        assert.equal(await usedOf(store, mailboxId), 5);
      }));
  });

  describe('appending', () => {
    it('puts all messages in or none (RFC 3502)', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store, 'a@uno.example', 10);
        await assert.rejects(append(store, mailboxId, ['12345', '123456']), conflict('quota'));
        assert.deepEqual((await opened(store, mailboxId)).uids, []);
        assert.equal(await usedOf(store, mailboxId), 0);
        assert.deepEqual(await append(store, mailboxId, ['12345', '12345']), [1, 2]);
        await assert.rejects(append(store, mailboxId, ['1']), conflict('quota'));
      }));
  });

  describe('whoever follows a folder by its changes', () => {
    it('knows what is in it, whatever happens and however seldom he looks (RFC 7162)', () =>
      using(open, async ({ store }) => {
        let run = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
            run += 1;
            const { id: mailboxId } = await newMailbox(store, `m${run}@uno.example`, 500);
            const followers = await Promise.all(FOLDERS.map((name) => follow(store, mailboxId, name)));
            for (const one of steps) {
              await perform(store, mailboxId, one);
              if (one.look) for (const follower of followers) await follower.look();
            }
            for (const follower of followers) await follower.check();
            const lists = await Promise.all(
              FOLDERS.map((folder) => store.read('listMessages', { mailboxId, folder })),
            );
            const used = lists.flat().reduce((sum, { size }) => sum + size, 0);
            assert.equal(await usedOf(store, mailboxId), used);
          }),
          { numRuns: 25 },
        );
      }));
  });
}

const FOLDERS = ['INBOX', 'Archivio'] as const;

const uids = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 5 });
const step = fc.record({
  what: fc.constantFrom('append', 'flag', 'unflag', 'expunge', 'marked', 'copy', 'move'),
  folder: fc.constantFrom(...FOLDERS),
  target: fc.constantFrom(...FOLDERS),
  uids,
  system: fc.integer({ min: 0, max: 31 }),
  look: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function perform(
  store: Store,
  mailboxId: number,
  { what, folder, target, uids, system }: Step,
): Promise<void> {
  const { id: folderId } = await opened(store, mailboxId, folder);
  const place = { mailboxId, folderId };
  if (what === 'append') await append(store, mailboxId, ['testo', 'altro'], { folder }).catch(full);
  if (what === 'copy') await store.write('copyMessages', { ...place, uids, target, now: NOW }).catch(full);
  if (what === 'move') await store.write('moveMessages', { ...place, uids, target, now: NOW });
  if (what === 'expunge') await store.write('expungeMessages', { ...place, which: { uids } });
  if (what === 'marked') await store.write('expungeMessages', { ...place, which: 'marked' });
  if (what !== 'flag' && what !== 'unflag') return;
  const how = what === 'flag' ? 'add' : 'remove';
  const flags = { system, keywords: system % 2 === 0 ? [] : ['$A'] };
  await store.write('storeFlags', { ...place, uids, how, flags, unchangedSince: null });
}

function full(error: unknown): void {
  assert.ok(conflict('quota').what === (error as { what?: string }).what);
}

/** A client that keeps its own list and asks for nothing but what changed. */
async function follow(store: Store, mailboxId: number, name: string) {
  const { id: folderId, highestModseq } = await opened(store, mailboxId, name);
  const known = new Map<number, string>();
  let since = highestModseq;
  const look = async (): Promise<void> => {
    const { changed, gone, highestModseq: now } = await changesOf(store, folderId, since);
    assert.ok(gone !== 'unknown');
    for (const { uid, system, keywords } of changed) known.set(uid, `${system} ${keywords}`);
    for (const uid of gone) known.delete(uid);
    since = now;
  };
  const check = async (): Promise<void> => {
    await look();
    const { uids: there } = await opened(store, mailboxId, name);
    const rows = await store.read('listedMessages', { folderId, uids: there });
    const really = rows.map(({ uid, system, keywords }) => [uid, `${system} ${keywords}`]);
    assert.deepEqual(
      [...known].sort(([one], [other]) => one - other),
      really,
    );
  };
  return { look, check };
}
