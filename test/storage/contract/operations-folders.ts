import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { append, changesOf, folderNames, opened, usedOf } from './letters.js';
import { changesOver, conflict, deposit, NOW, newMailbox, type OpenStore, using } from './records.js';

const STANDARD = ['Archivio', 'Bozze', 'Cestino', 'INBOX', 'Posta inviata'];

export function foldersContract(open: OpenStore): void {
  describe('folders', () => {
    it('are made with those they stand under', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        const make = (name: string) =>
          store.write('createFolder', { mailboxId, name, specialUse: null, now: NOW });
        await make('Clienti/Rossi/2025');
        assert.deepEqual(await folderNames(store, mailboxId), [
          ...STANDARD.slice(0, 3),
          'Clienti',
          'Clienti/Rossi',
          'Clienti/Rossi/2025',
          ...STANDARD.slice(3),
        ]);
        await assert.rejects(make('Clienti'), conflict('folder-exists'));
        await assert.rejects(make('INBOX'), conflict('folder-exists'));
      }));

    it('have a UIDVALIDITY that none of the mailbox ever had (RFC 3501 2.3.1.1)', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        const given = new Set(
          (await store.read('listFolders', { mailboxId })).map(({ uidValidity }) => uidValidity),
        );
        assert.equal(given.size, STANDARD.length);
        // The clock stands, and goes back.
        for (const now of [NOW, NOW, NOW - 86_400_000, 0, NOW + 60_000]) {
          const { uidValidity } = await store.write('createFolder', {
            mailboxId,
            name: 'Una',
            specialUse: null,
            now,
          });
          assert.ok(!given.has(uidValidity) && uidValidity > 0 && uidValidity < 2 ** 32);
          given.add(uidValidity);
          await store.write('deleteFolder', { mailboxId, name: 'Una' });
        }
      }));

    it('go with their messages, which are free again', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        await store.write('createFolder', { mailboxId, name: 'Una', specialUse: null, now: NOW });
        await append(store, mailboxId, ['uno', 'due'], { folder: 'Una' });
        const folder = await opened(store, mailboxId, 'Una');
        await store.write('deleteFolder', { mailboxId, name: 'Una' });
        assert.equal(await usedOf(store, mailboxId), 0);
        assert.equal((await store.sweep({ now: NOW })).contents, 2);
        assert.equal(await store.read('folderChanges', { folderId: folder.id, since: 0 }), undefined);
        assert.equal(await store.read('openFolder', { mailboxId, name: 'Una', since: 0 }), undefined);
        await assert.rejects(store.write('deleteFolder', { mailboxId, name: 'Una' }), conflict('folder'));
        await assert.rejects(append(store, mailboxId, ['tre'], { folder: 'Una' }), conflict('folder'));
      }));

    it('that others stand under stay as a name, which holds nothing (RFC 3501 6.3.4)', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        await store.write('createFolder', { mailboxId, name: 'Archivio/2024', specialUse: null, now: NOW });
        await append(store, mailboxId, ['uno'], { folder: 'Archivio' });
        const before = await opened(store, mailboxId, 'Archivio');
        const archive = { mailboxId, name: 'Archivio' };
        await store.write('deleteFolder', archive);
        assert.ok((await folderNames(store, mailboxId)).includes('(Archivio)'));
        assert.equal(await usedOf(store, mailboxId), 0);
        assert.equal(await store.read('folderChanges', { folderId: before.id, since: 0 }), undefined);
        await assert.rejects(append(store, mailboxId, ['x'], { folder: 'Archivio' }), conflict('folder'));
        const delivery = await changesOver(store, 'x', {
          deposits: [deposit(mailboxId, 1, { folder: 'Archivio' })],
        });
        await assert.rejects(store.write('commitRefusal', delivery), conflict('folder'));
        await assert.rejects(store.write('deleteFolder', archive), conflict('folder-children'));
        const folders = await store.read('listFolders', { mailboxId });
        assert.equal(
          folders.find(({ name }) => name === 'Archivio')?.specialUse,
          null,
          'a name is of no use',
        );

        await store.write('createFolder', { ...archive, specialUse: 'archive', now: NOW });
        const after = await opened(store, mailboxId, 'Archivio');
        assert.notEqual(after.uidValidity, before.uidValidity);
        assert.deepEqual(after.uids, []);
        const [made] = (await store.read('listFolders', { mailboxId })).filter(
          ({ name }) => name === 'Archivio',
        );
        assert.deepEqual([made?.specialUse, made?.selectable], ['archive', true]);
        assert.deepEqual((await append(store, mailboxId, ['y'], { folder: 'Archivio' })).length, 1);
      }));
  });

  describe('renaming', () => {
    it('takes along all that stands under a folder, and keeps its messages', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        const make = (name: string) =>
          store.write('createFolder', { mailboxId, name, specialUse: null, now: NOW });
        const rename = (from: string, to: string) =>
          store.write('renameFolder', { mailboxId, from, to, now: NOW });
        for (const name of ['A', 'A/B', 'AB']) await make(name);
        await append(store, mailboxId, ['uno'], { folder: 'A/B' });
        const before = await opened(store, mailboxId, 'A/B');
        await rename('A', 'C/D');
        const others = await folderNames(store, mailboxId);
        assert.deepEqual(
          others.filter((name) => !STANDARD.includes(name)),
          ['AB', 'C', 'C/D', 'C/D/B'],
        );
        assert.deepEqual(await opened(store, mailboxId, 'C/D/B'), { ...before, name: 'C/D/B' });
        await assert.rejects(rename('A', 'E'), conflict('folder'));
        await assert.rejects(rename('AB', 'C'), conflict('folder-exists'));
        await assert.rejects(rename('C', 'C/D/E'), conflict('folder-exists'));
        await make('F/B');
        await store.write('deleteFolder', { mailboxId, name: 'F' });
        await assert.rejects(rename('C/D', 'F'), conflict('folder-exists'));
      }));

    it('INBOX gives its messages away and stays (RFC 3501 6.3.5)', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        const rename = (to: string) =>
          store.write('renameFolder', { mailboxId, from: 'INBOX', to, now: NOW });
        await append(store, mailboxId, ['uno', 'due'], { flags: ['\\Seen', '$Consegna'] });
        const inbox = await opened(store, mailboxId);
        await rename('INBOX/2025');
        assert.deepEqual((await opened(store, mailboxId)).uids, []);
        const { gone } = await changesOf(store, inbox.id, inbox.highestModseq);
        assert.deepEqual(gone, inbox.uids);
        const moved = await store.read('listMessages', { mailboxId, folder: 'INBOX/2025' });
        assert.deepEqual(
          moved.map(({ flags }) => flags),
          [
            ['\\Seen', '$Consegna'],
            ['\\Seen', '$Consegna'],
          ],
        );
        assert.equal(await usedOf(store, mailboxId), 6);
        await assert.rejects(rename('INBOX/2025'), conflict('folder-exists'));
        assert.deepEqual(await append(store, mailboxId, ['tre']), [3], 'a UID never comes back');
      }));
  });

  describe('subscriptions', () => {
    it('are names, of folders or not, each once; a mailbox is born with those of its folders', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        const set = (name: string, subscribed: boolean) =>
          store.write('setSubscription', { mailboxId, name, subscribed });
        const names = () => store.read('listSubscriptions', { mailboxId });
        assert.deepEqual(await names(), STANDARD);
        for (const name of STANDARD) await set(name, false);
        await set('Mai esistita', true);
        await set('Mai esistita', true);
        await set('Nemmeno', false);
        assert.deepEqual(await names(), ['Mai esistita']);
        const other = await newMailbox(store, 'b@uno.example');
        assert.deepEqual(await store.read('listSubscriptions', { mailboxId: other.id }), STANDARD);
      }));
  });
}
