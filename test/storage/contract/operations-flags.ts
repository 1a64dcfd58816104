import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FlagSet, FlagStore, Store } from '../../../src/storage/index.js';
import { append, changesOf, DELETED, FLAGGED, opened, SEEN, usedOf } from './letters.js';
import { NOW, newMailbox, type OpenStore, using } from './records.js';

const flagSet = (system: number, ...keywords: string[]): FlagSet => ({ system, keywords });

/** A STORE over one folder; what it does not say is "add". */
const storing =
  (store: Store, mailboxId: number, folderId: number) =>
  (uids: readonly number[], flags: FlagSet, some: Partial<FlagStore> = {}) =>
    store.write('storeFlags', {
      mailboxId,
      folderId,
      uids,
      how: 'add',
      flags,
      unchangedSince: null,
      ...some,
    });

export function flagsContract(open: OpenStore): void {
  describe('flags', () => {
    it('are bits and keywords, added, removed, replaced', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const uids = await append(store, id, ['uno'], {
          flags: ['\\SEEN', '$Consegna', '$consegna', '\\Nuova'],
        });
        const flagsOf = async () =>
          (await store.read('listMessages', { mailboxId: id, folder: 'INBOX' })).map(({ flags }) => flags);
        assert.deepEqual(await flagsOf(), [['\\Seen', '$Consegna']]);
        const put = storing(store, id, (await opened(store, id)).id);
        await put(uids, flagSet(FLAGGED, '$CONSEGNA', '$Letta'));
        assert.deepEqual(await flagsOf(), [['\\Seen', '\\Flagged', '$Consegna', '$Letta']]);
        await put(uids, flagSet(SEEN | DELETED, '$consegna'), { how: 'remove' });
        assert.deepEqual(await flagsOf(), [['\\Flagged', '$Letta']]);
        await put(uids, flagSet(DELETED, 'a', 'b'), { how: 'replace' });
        assert.deepEqual(await flagsOf(), [['\\Deleted', 'a', 'b']]);
      }));

    it('that change take one modseq for all; those that stay take none (RFC 7162 3.1.2.1)', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const uids = await append(store, id, ['uno', 'due', 'tre']);
        const { id: folderId, highestModseq } = await opened(store, id);
        const put = storing(store, id, folderId);
        const first = await put([...uids, 999], flagSet(SEEN));
        const modseq = highestModseq + 1;
        const groups = [{ uids, modseq, system: SEEN, keywords: [] }];
        assert.deepEqual(first, { modseq, groups, refused: [] });
        const again = await put(uids, flagSet(SEEN));
        assert.deepEqual(again, { modseq: 0, groups, refused: [] }, 'they are so already');
        assert.equal((await opened(store, id)).highestModseq, highestModseq + 1);
        const { changed, gone } = await changesOf(store, folderId, highestModseq);
        assert.deepEqual([changed.map(({ uid }) => uid), gone], [uids, []]);
        assert.deepEqual((await changesOf(store, folderId, highestModseq + 1)).changed, []);
      }));

    it('of messages that changed since are left as they are (RFC 7162 3.1.3)', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const [one = 0, two = 0] = await append(store, id, ['uno', 'due']);
        const { id: folderId, highestModseq } = await opened(store, id);
        const put = storing(store, id, folderId);
        await put([one], flagSet(FLAGGED));
        const { groups, refused } = await put([one, two], flagSet(SEEN), { unchangedSince: highestModseq });
        assert.deepEqual(
          groups.map(({ uids, system }) => [uids, system]),
          [[[two], SEEN]],
        );
        assert.deepEqual(refused, [one]);
        const [first] = await store.read('listedMessages', { folderId, uids: [one] });
        assert.equal(first?.system, FLAGGED);
        const none = await put([one, two], flagSet(DELETED), { unchangedSince: 0 });
        assert.deepEqual(none, { modseq: 0, groups: [], refused: [one, two] });
      }));

    it('of messages that differ come together as they are the same', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        await append(store, id, ['1', '2', '3', '4', '5'], { flags: ['$A'] });
        await append(store, id, ['6'], { flags: ['\\Flagged', '$A'] });
        const { id: folderId } = await opened(store, id);
        const put = storing(store, id, folderId);
        await put([2, 4], flagSet(FLAGGED));
        await put([5], flagSet(SEEN, '$B'), { how: 'replace' });
        const { modseq, groups } = await put([1, 2, 3, 5, 6, 9], flagSet(FLAGGED));
        const plain = (some: number[], system: number, keyword: string, at: number) => ({
          uids: some,
          modseq: at,
          system,
          keywords: [keyword],
        });
        const byUid = [...groups].sort((a, b) => (a.uids[0] ?? 0) - (b.uids[0] ?? 0));
        assert.deepEqual(byUid, [
          plain([1, 3], FLAGGED, '$A', modseq),
          plain([2], FLAGGED, '$A', modseq - 2),
          plain([5], SEEN | FLAGGED, '$B', modseq),
          plain([6], FLAGGED, '$A', modseq - 3),
        ]);
        const listed = await store.read('listedMessages', { folderId, uids: [1, 2, 3, 4, 5, 6] });
        assert.deepEqual(
          listed.map(({ uid, system, keywords }) => [uid, system, keywords]),
          [
            [1, FLAGGED, '["$A"]'],
            [2, FLAGGED, '["$A"]'],
            [3, FLAGGED, '["$A"]'],
            [4, FLAGGED, '["$A"]'],
            [5, SEEN | FLAGGED, '["$B"]'],
            [6, FLAGGED, '["$A"]'],
          ],
        );
      }));

    it('of one folder are none of another', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const uids = await append(store, id, ['uno']);
        await append(store, id, ['due'], { folder: 'Archivio' });
        const archive = await opened(store, id, 'Archivio');
        await storing(store, id, archive.id)(uids, flagSet(SEEN));
        assert.equal((await opened(store, id)).firstUnseen, 1);
        assert.equal((await opened(store, id, 'Archivio')).firstUnseen, undefined);
      }));
  });

  describe('a folder that is opened', () => {
    it('lists the UIDs that are asked for, whether these stand close together or not', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        await append(
          store,
          id,
          Array.from({ length: 20 }, (_, at) => `numero ${at}`),
        );
        const { id: folderId } = await opened(store, id);
        await store.write('expungeMessages', { mailboxId: id, folderId, which: { uids: [4] } });
        const uidsOf = async (uids: number[]) =>
          (await store.read('listedMessages', { folderId, uids })).map(({ uid }) => uid);
        assert.deepEqual(await uidsOf([2, 3, 4, 5]), [2, 3, 5]);
        assert.deepEqual(await uidsOf([2, 3, 6]), [2, 3, 6], 'what stands between is not given');
        assert.deepEqual(await uidsOf([1, 20]), [1, 20]);
        assert.deepEqual(await uidsOf([7, 2, 2, 5]), [2, 5, 7], 'in any order');
        assert.deepEqual(await uidsOf([1, 9, 2, 4]), [1, 2, 9]);
        assert.deepEqual(await uidsOf([30, 31]), []);
        assert.deepEqual(await uidsOf([]), []);
      }));

    it('shows what is in it at that moment', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        await append(store, mailboxId, ['uno'], { flags: ['\\Seen', '$A'], now: NOW });
        await append(store, mailboxId, ['due', 'tre'], { flags: ['$B', '$A'], now: NOW + 5 });
        const folder = await opened(store, mailboxId, 'INBOX', NOW + 5);
        const { uids, uidNext, firstUnseen, firstSince, highestModseq } = folder;
        assert.deepEqual(
          { uids, uidNext, firstUnseen, firstSince },
          { uids: [1, 2, 3], uidNext: 4, firstUnseen: 2, firstSince: 2 },
        );
        assert.deepEqual([...folder.keywords].sort(), ['$A', '$B']);
        const listed = await store.read('listedMessages', { folderId: folder.id, uids: [3, 1, 9] });
        assert.deepEqual(
          listed.map(({ uid, size, savedAt }) => [uid, size, savedAt]),
          [
            [1, 3, NOW],
            [3, 3, NOW + 5],
          ],
        );
        assert.ok(listed.every(({ modseq }) => modseq <= highestModseq));
        const [inbox] = await store.read('listFolders', { mailboxId });
        assert.deepEqual([inbox?.messages, inbox?.unseen, inbox?.deleted, inbox?.size], [3, 2, 0, 9]);
      }));
  });

  describe('expunging', () => {
    it('takes what is marked, among some or all, or what is named; tells which', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        await append(store, mailboxId, ['1', '2', '3'], { flags: ['\\Deleted'] });
        await append(store, mailboxId, ['4', '5', '6']);
        const { id: folderId, highestModseq } = await opened(store, mailboxId);
        const expunge = (which: Parameters<typeof store.write<'expungeMessages'>>[1]['which']) =>
          store.write('expungeMessages', { mailboxId, folderId, which });
        assert.deepEqual(await expunge({ marked: [4, 3, 2, 99] }), [2, 3]);
        assert.deepEqual(await expunge('marked'), [1]);
        assert.deepEqual(await expunge('marked'), []);
        assert.deepEqual(await expunge({ uids: [6, 1] }), [6]);
        assert.deepEqual(await expunge('all'), [4, 5]);
        assert.equal(await usedOf(store, mailboxId), 0);
        const { gone, changed, uidNext } = await changesOf(store, folderId, highestModseq);
        assert.deepEqual({ gone, changed, uidNext }, { gone: [1, 2, 3, 4, 5, 6], changed: [], uidNext: 7 });
        const late = await changesOf(store, folderId, (await opened(store, mailboxId)).highestModseq - 1);
        assert.deepEqual(late.gone, [4, 5]);
      }));

    it('of tens of thousands is remembered as far as it can be, and it says how far', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        await append(store, mailboxId, ['origine'], { folder: 'Archivio' });
        const source = await opened(store, mailboxId, 'Archivio');
        const target = await opened(store, mailboxId);
        const fill = async (count: number) => {
          for (let at = 0; at < count; at += 1)
            await store.write('copyMessages', {
              mailboxId,
              folderId: source.id,
              uids: [1],
              target: 'INBOX',
              now: NOW,
            });
        };
        const expunge = () =>
          store.write('expungeMessages', { mailboxId, folderId: target.id, which: 'all' });
        await fill(2);
        await expunge();
        const { highestModseq } = await opened(store, mailboxId);
        assert.deepEqual((await changesOf(store, target.id, 0)).gone, [1, 2]);
        // Doubling: copies of all that is there.
        await fill(1);
        for (let count = 1; count < 20_480; count *= 2) {
          const { uids } = await opened(store, mailboxId);
          await store.write('copyMessages', {
            mailboxId,
            folderId: target.id,
            uids,
            target: 'INBOX',
            now: NOW,
          });
        }
        const gone = await expunge();
        assert.ok(gone.length > 20_000);
        assert.equal((await changesOf(store, target.id, 0)).gone, 'unknown');
        assert.equal((await changesOf(store, target.id, highestModseq)).gone, 'unknown');
        await fill(1);
        const { highestModseq: then } = await opened(store, mailboxId);
        const last = await expunge();
        assert.deepEqual((await changesOf(store, target.id, then)).gone, last);
      }));
  });
}
