import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RegisterQuery } from '../../../src/storage/index.js';
import { changes, conflict, event, NOW, type OpenStore, using } from './records.js';

export function registerContract(open: OpenStore): void {
  describe('register', () => {
    const entries = [
      event({ identificativo: 'a', at: NOW, detail: { msgid: '<x@y>' } }),
      event({ identificativo: 'b', at: NOW + 1, event: 'accettazione', sender: 'LUCA@pec.alfa.example' }),
      event({ identificativo: 'b', at: NOW + 2, recipients: ['Anna@pec.beta.example', 'ugo@example.org'] }),
    ];

    it('finds entries by every field, each condition and all of them', () =>
      using(open, async ({ store }) => {
        await store.write('commitRefusal', changes({ events: entries }));
        const found = async (query: Omit<RegisterQuery, 'limit'>) =>
          (await store.read('searchRegister', { limit: 10, ...query })).map(({ at }) => at - NOW);
        assert.deepEqual(await found({}), [0, 1, 2]);
        assert.deepEqual(await found({ identificativo: 'b' }), [1, 2]);
        assert.deepEqual(await found({ sender: 'luca@PEC.alfa.example' }), [1]);
        assert.deepEqual(await found({ recipient: 'UGO@example.org' }), [2]);
        assert.deepEqual(await found({ recipient: 'anna@pec.beta.example' }), [0, 1, 2]);
        assert.deepEqual(await found({ event: 'accettazione' }), [1]);
        assert.deepEqual(await found({ from: NOW + 1, to: NOW + 2 }), [1]);
        assert.deepEqual(await found({ identificativo: 'b', recipient: 'ugo@example.org', from: NOW }), [2]);
        assert.deepEqual(await found({ identificativo: 'b', event: 'inoltro' }), []);
      }));

    it('gives entries back as they were appended', () =>
      using(open, async ({ store }) => {
        await store.write('commitRefusal', changes({ events: entries }));
        const rows = await store.read('pageRegister', { limit: 10 });
        assert.deepEqual(
          rows.map(({ lane, seq, recordedAt, salt, leaf, link, ...rest }) => rest),
          entries,
        );
      }));

    it('is walked a page at a time, and knows its heads', () =>
      using(open, async ({ store }) => {
        assert.deepEqual(await store.read('registerHeads', {}), []);
        await store.write('commitRefusal', changes({ events: entries }));
        const [one, two] = await store.read('pageRegister', { limit: 2 });
        const [three, ...rest] = await store.read('pageRegister', { limit: 2, after: two });
        assert.deepEqual([one?.identificativo, three?.at, rest], ['a', NOW + 2, []]);
        const [last] = await store.read('searchRegister', { limit: 1, identificativo: 'b', after: two });
        assert.equal(last?.seq, three?.seq);
        const [head] = await store.read('registerHeads', {});
        assert.equal(head?.seq, three?.seq);
        assert.deepEqual(Buffer.from(head?.link ?? []), Buffer.from(three?.link ?? []));
        const recordedFrom = (three?.recordedAt ?? 0) + 1;
        assert.deepEqual(await store.read('pageRegister', { limit: 9, recordedFrom }), []);
        assert.equal((await store.read('pageRegister', { limit: 9, recordedTo: recordedFrom })).length, 3);
      }));
  });

  describe('directory', () => {
    const bytes = new Uint8Array([1, 2, 3]);

    it('marks every change, whatever the clock says', () =>
      using(open, async ({ store }) => {
        const marks = [await store.read('directoryMark', {})];
        const note = async (): Promise<void> => void marks.push(await store.read('directoryMark', {}));
        const source = { id: 'a', kind: 'import', ldif: bytes, trust: '', loadedAt: NOW } as const;
        await store.write('addDomain', { name: 'uno.example', now: NOW });
        await note();
        await store.write('removeDomain', { name: 'uno.example' });
        await store.write('addDomain', { name: 'due.example', now: NOW });
        await note();
        await store.write('addDomain', { name: 'tre.example', now: NOW - 5 });
        await note();
        await store.write('putDirectorySource', source);
        await note();
        await store.write('putDirectorySource', { ...source, ldif: new Uint8Array([9]) });
        await note();
        await store.write('removeDirectorySource', { id: 'a' });
        await note();
        assert.equal(new Set(marks).size, marks.length);
        await assert.rejects(store.write('removeDirectorySource', { id: 'a' }));
        assert.equal(await store.read('directoryMark', {}), marks.at(-1));
      }));

    it('keeps sources with their trust, in the order in which they were loaded', () =>
      using(open, async ({ store }) => {
        const source = { kind: 'import', ldif: bytes, trust: 'PEM', loadedAt: NOW } as const;
        await store.write('putDirectorySource', { ...source, id: 'z' });
        await store.write('putDirectorySource', { ...source, id: 'a', loadedAt: NOW + 1 });
        await store.write('putDirectorySource', { ...source, id: 'z', trust: 'PEM 2' });
        const found = await store.read('listDirectorySources', {});
        assert.deepEqual(
          found.map(({ id, trust }) => [id, trust]),
          [
            ['z', 'PEM 2'],
            ['a', 'PEM'],
          ],
        );
        await store.write('removeDirectorySource', { id: 'a' });
        await assert.rejects(store.write('removeDirectorySource', { id: 'a' }), conflict('directory-source'));
      }));

    it('keeps every version of trust once, and when it was seen', () =>
      using(open, async ({ store }) => {
        const snapshot = { kind: 'crl', source: 'http://ca/crl', hash: 'h1', bytes, at: NOW } as const;
        await store.write('putSnapshot', snapshot);
        await store.write('putSnapshot', { ...snapshot, at: NOW + 5 });
        await store.write('putSnapshot', { ...snapshot, hash: 'h2', at: NOW + 9 });
        assert.deepEqual(await store.read('listSnapshots', { kind: 'crl' }), [
          {
            kind: 'crl',
            source: 'http://ca/crl',
            hash: 'h1',
            size: 3,
            firstSeenAt: NOW,
            lastSeenAt: NOW + 5,
          },
          {
            kind: 'crl',
            source: 'http://ca/crl',
            hash: 'h2',
            size: 3,
            firstSeenAt: NOW + 9,
            lastSeenAt: NOW + 9,
          },
        ]);
        const key = { kind: 'crl', source: 'http://ca/crl', hash: 'h1' } as const;
        assert.deepEqual(Buffer.from((await store.read('snapshotBytes', key)) ?? []), Buffer.from(bytes));
      }));
  });
}
