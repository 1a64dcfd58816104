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
        const { header, indexed, ...rest } = summary();
        const parts = ['header', ...Object.keys(rest)] as SummaryPart[];
        const contentIds = [contentId, contentId + 1, 999];
        const [one, ...others] = await store.read('storedSummaries', { contentIds, parts });
        assert.deepEqual(one, { contentId, ...rest, header: header && Buffer.from(header).toString() });
        assert.deepEqual(others, []);
        const some = await store.read('storedSummaries', { contentIds, parts: ['envelope'] });
        assert.deepEqual(some, [{ contentId, envelope: rest.envelope }]);
        assert.deepEqual(await store.read('storedSummaries', { contentIds: [], parts }), []);
      }));

    it('give the header octet by octet, whatever is in it', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        const headers = [
          'S: \xe8\xff\r\n\r\n',
          'S: a\0b\r\n\r\n',
          'S: \xc3\xa8\r\n\r\n',
          '\0',
          '\xef\xbf\xbd',
          null,
        ];
        await append(
          store,
          id,
          headers.map((_, at) => `numero ${at}`),
        );
        const contentIds = await store.read('dueSummaries', { limit: 9 });
        const entries = contentIds.map((contentId, at) => {
          const header = headers[at] ?? null;
          const kept = header === null ? null : Buffer.from(header, 'latin1');
          return { contentId, summary: summary({ header: kept }), text: '' };
        });
        await store.write('putSummaries', { entries });
        const read = await store.read('storedSummaries', { contentIds, parts: ['header'] });
        assert.deepEqual(
          read.map((each) => each.header),
          headers,
        );
      }));

    it('are read by the ids that were asked for, whether these stand close together or not', () =>
      using(open, async ({ store }) => {
        const { id } = await newMailbox(store);
        await append(
          store,
          id,
          Array.from({ length: 20 }, (_, at) => `numero ${at}`),
        );
        const all = await store.read('dueSummaries', { limit: 20 });
        const entries = all
          .filter((_, at) => at !== 3)
          .map((contentId) => ({ contentId, summary: summary({ indexed: contentId % 2 === 0 }), text: '' }));
        await store.write('putSummaries', { entries });
        const [first = 0] = all;
        for (const places of [[1, 2, 3, 4], [1, 2, 5], [0, 19], [6, 1, 1, 4], [0, 8, 1, 3], [3], []]) {
          const contentIds = places.map((place) => first + place);
          const there = [...new Set(contentIds)].sort((a, b) => a - b).filter((each) => each !== first + 3);
          const read = await store.read('storedSummaries', { contentIds, parts: ['body'] });
          assert.deepEqual(
            read.map(({ contentId }) => contentId).sort((a, b) => a - b),
            there,
          );
          const indexed = await store.read('indexedContents', { contentIds });
          assert.deepEqual(
            [...indexed].sort((a, b) => a - b),
            there.filter((each) => each % 2 === 0),
          );
        }
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
