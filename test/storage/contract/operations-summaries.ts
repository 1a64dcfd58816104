import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Summary, SummaryPart } from '../../../src/storage/index.js';
import { append, opened } from './letters.js';
import { changesOver, deposit, event, NOW, newMailbox, type OpenStore, receipt, using } from './records.js';

const summary = (some: Partial<Summary> = {}): Summary => ({
  header: Buffer.from('Subject: uno\r\n\r\n'),
  envelope: '(envelope)',
  body: '(body)',
  bodyStructure: '(structure)',
  parts: '[0,1,2,[],null]',
  sort: '{}',
  preview: 'perch\u00e9',
  indexed: true,
  ...some,
});

export function summariesContract(open: OpenStore): void {
  describe('summaries', () => {
    it('are owed once for each content in a mailbox, the oldest first', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const given = await changesOver(store, 'ricevuta', { receipts: [receipt()], events: [event()] });
        await store.write('commitRefusal', given);
        assert.deepEqual(await store.read('dueSummaries', { limit: 9 }), [], 'a receipt that nobody reads');
        await append(store, id, ['uno', 'due']);
        const inbox = await opened(store, id);
        const copy = { mailboxId: id, folderId: inbox.id, uids: [1], target: 'Archivio', now: NOW };
        await store.write('copyMessages', copy);
        const due = await store.read('dueSummaries', { limit: 9 });
        assert.equal(due.length, 2);
        assert.deepEqual(await store.read('dueSummaries', { limit: 1 }), due.slice(0, 1));
        const [contentId = 0, other = 0] = due;
        const entry = { contentId, summary: summary(), text: 'uno' };
        assert.equal(await store.write('putSummaries', { entries: [entry] }), 1);
        assert.deepEqual(await store.read('dueSummaries', { limit: 9 }), [other]);
        const second = { ...entry, summary: summary({ preview: 'altra' }) };
        assert.equal(await store.write('putSummaries', { entries: [second] }), 0, 'it is computed once');
        const changes = await changesOver(store, '', {
          deposits: [deposit(id, 3, { content: { id: contentId } })],
        });
        await store.write('commitRefusal', { ...changes, contents: [] });
        assert.deepEqual(await store.read('dueSummaries', { limit: 9 }), [other]);
      }));

    it('stand beside their messages; all of it is null where there is none', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        await append(store, id, ['uno', 'due']);
        const [contentId = 0] = await store.read('dueSummaries', { limit: 1 });
        await store.write('putSummaries', { entries: [{ contentId, summary: summary(), text: '' }] });
        const { id: folderId } = await opened(store, id);
        const { header, indexed, ...rest } = summary();
        const parts = ['header', ...Object.keys(rest)] as SummaryPart[];
        const [one, two] = await store.read('summarisedMessages', { folderId, uids: [1, 2], parts });
        const listed = await store.read('listedMessages', { folderId, uids: [1, 2] });
        assert.ok(one?.header != null && Buffer.from(one.header).equals(header ?? Buffer.alloc(0)));
        assert.deepEqual({ ...one, header: null }, { ...listed[0], ...rest, header: null, indexed: 1 });
        const nothing = Object.fromEntries(Object.keys(summary()).map((key) => [key, null]));
        assert.deepEqual(two, { ...listed[1], ...nothing });
        const [some] = await store.read('summarisedMessages', { folderId, uids: [1], parts: ['envelope'] });
        assert.deepEqual(some, { ...listed[0], envelope: summary().envelope, indexed: 1 });
      }));

    it('are read for the UIDs that were asked for, whether these stand close together or not', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        await append(
          store,
          id,
          Array.from({ length: 20 }, (_, at) => `numero ${at}`),
        );
        const { id: folderId } = await opened(store, id);
        await store.write('expungeMessages', { mailboxId: id, folderId, which: { uids: [4] } });
        const uidsOf = async (uids: number[]) => {
          const listed = await store.read('listedMessages', { folderId, uids });
          const read = await store.read('summarisedMessages', { folderId, uids, parts: [] });
          assert.deepEqual(
            read.map(({ indexed, ...row }) => row),
            listed,
          );
          return listed.map(({ uid }) => uid);
        };
        assert.deepEqual(await uidsOf([2, 3, 4, 5]), [2, 3, 5]);
        assert.deepEqual(await uidsOf([2, 3, 6]), [2, 3, 6], 'what stands between is not given');
        assert.deepEqual(await uidsOf([1, 20]), [1, 20]);
        assert.deepEqual(await uidsOf([7, 2, 2, 5]), [2, 5, 7], 'in any order');
        assert.deepEqual(await uidsOf([1, 9, 2, 4]), [1, 2, 9]);
        assert.deepEqual(await uidsOf([30, 31]), []);
        assert.deepEqual(await uidsOf([]), []);
      }));

    it('go with their content, and none is kept of a content that went', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store);
        await append(store, mailboxId, ['uno', 'due']);
        const [first = 0, second = 0] = await store.read('dueSummaries', { limit: 9 });
        const entry = (contentId: number) => ({
          contentId,
          summary: summary(),
          text: 'ricevuta di consegna',
        });
        await store.write('putSummaries', { entries: [entry(first)] });
        const matching = () =>
          store.read('matchingContents', { query: '"con"', contentIds: [first, second] });
        assert.deepEqual(await matching(), [first]);
        const { id: folderId } = await opened(store, mailboxId);
        await store.write('expungeMessages', { mailboxId, folderId, which: 'all' });
        assert.equal((await store.sweep({ now: NOW })).contents, 2);
        assert.deepEqual(await matching(), []);
        assert.deepEqual(await store.read('dueSummaries', { limit: 9 }), []);
        assert.equal(await store.write('putSummaries', { entries: [entry(second)] }), 0);
        assert.deepEqual(await matching(), []);
      }));

    it('that say their text is not indexed leave nothing in the index', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        await append(store, id, ['uno', 'due']);
        const [first = 0, second = 0] = await store.read('dueSummaries', { limit: 9 });
        const entries = [
          { contentId: first, summary: summary({ indexed: false }), text: 'consegna' },
          { contentId: second, summary: summary(), text: 'consegna' },
        ];
        await store.write('putSummaries', { entries });
        const matching = (query: string, contentIds: number[]) =>
          store.read('matchingContents', { query, contentIds });
        assert.deepEqual(await matching('"con" AND "gna"', [first, second]), [second]);
        assert.deepEqual(await matching('"con"', []), []);
        assert.deepEqual(await matching('"con" AND "xyz"', [second]), []);
        assert.deepEqual(await matching('"CON"', [second]), [], 'the text is folded before it comes here');
      }));
  });
}
