import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NewQuarantined, Store } from '../../../src/storage/index.js';
import { changesOver, conflict, event, first, ID, NOW, type OpenStore, ORIGIN, using } from './records.js';

const entry = (id: string, some: Partial<NewQuarantined> = {}): NewQuarantined => ({
  id,
  at: NOW,
  kind: 'envelope',
  identificativo: ID,
  gestore: ORIGIN,
  sender: 'anna@pec.alfa.example',
  recipients: ['bruno@pec.beta.example'],
  subject: 'Infetto',
  virus: 'Eicar',
  engine: 'ClamAV 1.4.1/27500',
  sha256: 'ab',
  size: 5,
  keyId: 'k1',
  content: first,
  ...some,
});

async function put(store: Store, one: NewQuarantined): Promise<void> {
  await store.write('commitRefusal', await changesOver(store, `cifrato ${one.id}`, { quarantine: [one] }));
}

export function quarantineContract(open: OpenStore): void {
  describe('quarantine', () => {
    it('an entry and its bytes are found again; pages go from the oldest on', () =>
      using(open, async ({ store }) => {
        for (const [id, at] of [
          ['b', NOW],
          ['a', NOW],
          ['c', NOW - 1],
        ] as const)
          await put(store, entry(id, { at, keyId: id === 'c' ? 'k0' : 'k1' }));
        const row = await store.read('findQuarantined', { id: 'a' });
        assert.ok(row);
        const { contentId, sealedSize, ...rest } = row;
        const { content: _, ...expected } = entry('a');
        assert.deepEqual(rest, expected);
        assert.equal((await (await store.open(contentId)).bytes()).toString(), 'cifrato a');
        assert.equal(sealedSize, 9);
        assert.equal(await store.read('findQuarantined', { id: 'x' }), undefined);
        const ids: string[] = [];
        for (let after: { at: number; id: string } | undefined; ; ) {
          const [next] = await store.read('listQuarantine', { limit: 1, after });
          if (next === undefined) break;
          ids.push(next.id);
          after = next;
        }
        assert.deepEqual(ids, ['c', 'a', 'b']);
        const within = await store.read('listQuarantine', { from: NOW - 1, to: NOW, limit: 9 });
        assert.deepEqual(
          within.map(({ id }) => id),
          ['c'],
        );
        assert.deepEqual(await store.read('quarantineKeys', {}), [
          { keyId: 'k0', messages: 1 },
          { keyId: 'k1', messages: 2 },
        ]);
        await assert.rejects(put(store, entry('a')), 'an id is given out once');
      }));

    it('the sweeper leaves what is in quarantine, and takes what was purged', () =>
      using(open, async ({ store }) => {
        for (const [id, at] of [
          ['old', NOW - 2],
          ['older', NOW - 3],
          ['young', NOW],
        ] as const)
          await put(store, entry(id, { at }));
        await store.sweep({ now: NOW });
        assert.deepEqual(await store.write('purgeQuarantine', { before: NOW, limit: 1 }), {
          purged: 1,
          more: true,
        });
        assert.equal(await store.read('findQuarantined', { id: 'older' }), undefined, 'the oldest first');
        assert.deepEqual(await store.write('purgeQuarantine', { before: NOW, limit: 5 }), {
          purged: 1,
          more: false,
        });
        assert.equal((await store.sweep({ now: NOW })).contents, 2);
        const young = await store.read('findQuarantined', { id: 'young' });
        assert.equal((await (await store.open(young?.contentId ?? 0)).bytes()).toString(), 'cifrato young');
      }));

    it('taking one out is registered; of what is not there nothing is', () =>
      using(open, async ({ store }) => {
        await put(store, entry('a'));
        const taken = event({ event: 'estrazione-quarantena', detail: { oggetto: 'a' } });
        await store.write('registerExport', { id: 'a', event: taken });
        await assert.rejects(store.write('registerExport', { id: 'b', event: taken }), conflict('content'));
        const entries = await store.read('searchRegister', { limit: 9 });
        assert.deepEqual(
          entries.map(({ event, detail }) => [event, detail.oggetto]),
          [['estrazione-quarantena', 'a']],
        );
      }));
  });
}
