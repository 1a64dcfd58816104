import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BelievedTimes, QueueRow, QueueScope, Store } from '../../../src/storage/index.js';
import {
  changes,
  changesOver,
  conflict,
  event,
  NOW,
  type OpenStore,
  queueRow,
  receipt,
  using,
} from './records.js';

const MINUTE = 60_000;

async function enqueue(store: Store, ...rows: Parameters<typeof queueRow>[0][]): Promise<void> {
  await store.write('commitRefusal', await changesOver(store, 'busta', { queue: rows.map(queueRow) }));
}

const claim = (
  store: Store,
  some: {
    now?: number;
    owner?: string;
    limit?: number;
    leaseUntil?: number;
  } & Partial<QueueScope> &
    BelievedTimes = {},
) => {
  const now = some.now ?? NOW;
  return store.write('claimDue', {
    owner: 'one',
    limit: 100,
    leaseUntil: now + MINUTE,
    ...some,
    now,
  });
};

type Result = 'done' | 'retry' | 'held';
const settle = (store: Store, rows: readonly QueueRow[], result: Result, nextAttempt = NOW + MINUTE) =>
  store.write('settle', {
    ...changes(),
    rows: rows.map(({ id, fence }) => ({ id, fence, result, nextAttempt, error: '451 later' })),
    facts: [],
  });

const recipients = (rows: readonly QueueRow[]) => rows.map(({ recipient }) => recipient);

export function queueContract(open: OpenStore): void {
  describe('queue', () => {
    it('claims what is due, oldest first, once', () =>
      using(open, async ({ store }) => {
        await enqueue(store, { recipient: 'late@b.example', nextAttempt: NOW + MINUTE });
        await enqueue(store, { recipient: 'second@b.example', nextAttempt: NOW });
        await enqueue(store, { recipient: 'first@b.example', nextAttempt: NOW - 1 });
        assert.equal(await store.read('nextAttemptAt', {}), NOW - 1);
        const rows = await claim(store);
        assert.deepEqual(recipients(rows), ['first@b.example', 'second@b.example']);
        assert.ok(rows.every((row) => row.state === 'leased' && row.leaseOwner === 'one' && row.fence === 1));
        assert.deepEqual(await claim(store, { owner: 'two' }), []);
        assert.deepEqual(await store.read('countQueue', {}), { due: 1, leased: 2, held: 0 });
      }));

    it('brings the rows of one content and destination together, and no others', () =>
      using(open, async ({ store }) => {
        await enqueue(
          store,
          { recipient: 'a@b.example', destination: 'b.example' },
          { recipient: 'c@d.example', destination: 'd.example' },
          { recipient: 'e@b.example', destination: 'B.example' },
          { recipient: 'f@b.example', destination: 'b.example', nextAttempt: NOW + 1 },
        );
        assert.deepEqual(recipients(await claim(store, { limit: 1 })), ['a@b.example', 'e@b.example']);
        assert.deepEqual(recipients(await claim(store, { limit: 1 })), ['c@d.example']);
      }));

    it('passes the destinations over that it is told to', () =>
      using(open, async ({ store }) => {
        await enqueue(store, { destination: 'b.example', nextAttempt: NOW - 1 });
        await enqueue(store, { destination: 'd.example' });
        const rows = await claim(store, { except: ['b.example', 'x.example'], limit: 1 });
        assert.deepEqual(
          rows.map(({ destination }) => destination),
          ['d.example'],
        );
      }));

    it('claims a scope: kinds, only some destinations, or all but some', () =>
      using(open, async ({ store }) => {
        await enqueue(store, { recipient: 'e@b.example', destination: 'b.example' });
        await enqueue(store, { recipient: 'o@b.example', destination: 'b.example', kind: 'ordinary' });
        await enqueue(store, { recipient: 'd@d.example', destination: 'd.example', kind: 'dsn' });
        await enqueue(store, {
          recipient: 'n@d.example',
          destination: 'd.example',
          kind: 'notification',
          nextAttempt: NOW - 1,
        });
        const certified = { kinds: ['envelope', 'notification'], except: [] } as const;
        const ordinary = { kinds: ['ordinary', 'dsn'], except: ['d.example'] } as const;
        const within = { kinds: ['envelope', 'ordinary'], within: ['d.example'], except: [] } as const;
        const scopes = [certified, ordinary, within];
        const asked = await store.read('dueScopes', { now: NOW, scopes });
        assert.deepEqual(asked, { due: [true, true, false], nextAttempt: NOW - 1 });
        assert.deepEqual(recipients(await claim(store, within)), []);
        assert.deepEqual(recipients(await claim(store, { ...certified, limit: 1 })), ['n@d.example']);
        assert.deepEqual(recipients(await claim(store, certified)), ['e@b.example']);
        assert.deepEqual(recipients(await claim(store, ordinary)), ['o@b.example']);
        const local = { kinds: ['dsn'], within: ['b.example', 'd.example'] } as const;
        assert.deepEqual(recipients(await claim(store, { ...local, except: ['d.example'] })), []);
        assert.deepEqual(recipients(await claim(store, local)), ['d@d.example']);
        const over = await store.read('dueScopes', { now: NOW, scopes });
        assert.deepEqual(over, { due: [false, false, false], nextAttempt: null });
      }));

    it('times no clock of today would have written are not waited for', () =>
      using(open, async ({ store }) => {
        await enqueue(store, { recipient: 'waits@b.example', nextAttempt: NOW + 10 * MINUTE });
        await enqueue(store, { recipient: 'leased@b.example', nextAttempt: NOW });
        const [leased] = await claim(store, { owner: 'two', leaseUntil: NOW + 10 * MINUTE });
        assert.ok(leased !== undefined);
        const scopes = [{ kinds: ['envelope'], except: [] }] as const;
        const due = async (times: { latestAttempt?: number; latestLease?: number; inHand?: number[] }) =>
          (await store.read('dueScopes', { now: NOW, scopes, ...times })).due[0];
        const believed = { latestAttempt: NOW + 10 * MINUTE, latestLease: NOW + 10 * MINUTE };
        assert.equal(await due(believed), false);
        assert.deepEqual(await claim(store, believed), []);
        assert.equal(await due({ latestLease: NOW + MINUTE }), true);
        assert.equal(await due({ latestLease: NOW + MINUTE, inHand: [leased.id] }), false);
        assert.deepEqual(await claim(store, { latestLease: NOW + MINUTE, inHand: [leased.id] }), []);
        assert.equal(await due({ latestAttempt: NOW + MINUTE }), true);
        const times = { latestAttempt: NOW + MINUTE, latestLease: NOW + MINUTE };
        assert.deepEqual(recipients(await claim(store, times)).sort(), [
          'leased@b.example',
          'waits@b.example',
        ]);
      }));

    it('a lease does not run out for whoever has the row in hand', () =>
      using(open, async ({ store }) => {
        await enqueue(store, {});
        const [row] = await claim(store);
        assert.ok(row !== undefined);
        const now = NOW + 2 * MINUTE;
        assert.deepEqual(await claim(store, { now, inHand: [row.id] }), []);
        assert.deepEqual(await store.write('releaseOwn', { owner: 'one', inHand: [row.id] }), {
          released: 0,
        });
        assert.equal((await claim(store, { now, owner: 'two' })).length, 1);
      }));

    it('takes rows again whose lease ran out, and refuses the old fence', () =>
      using(open, async ({ store }) => {
        await enqueue(store, {});
        const old = await claim(store);
        assert.deepEqual(await claim(store, { now: NOW + MINUTE - 1, owner: 'two' }), []);
        const again = await claim(store, { now: NOW + MINUTE, owner: 'two' });
        assert.deepEqual(
          again.map(({ fence, leaseOwner }) => [fence, leaseOwner]),
          [[2, 'two']],
        );
        await assert.rejects(settle(store, old, 'done'), conflict('fence'));
        await settle(store, again, 'done');
        assert.deepEqual(await store.read('listQueue', {}), []);
      }));

    it('gives a restarted node its own rows at once', () =>
      using(open, async ({ store }) => {
        await enqueue(store, {});
        const old = await claim(store);
        assert.deepEqual(await store.write('releaseOwn', { owner: 'two' }), { released: 0 });
        assert.deepEqual(await store.write('releaseOwn', { owner: 'one' }), { released: 1 });
        const again = await claim(store);
        assert.equal(again.length, 1);
        await assert.rejects(settle(store, old, 'done'), conflict('fence'));
      }));

    it('puts a row off with the reason, and holds it visibly', () =>
      using(open, async ({ store }) => {
        await enqueue(store, {});
        await settle(store, await claim(store), 'retry', NOW + 5);
        const [row] = await store.read('listQueue', {});
        assert.deepEqual(
          [row?.state, row?.attempts, row?.lastError, row?.nextAttempt],
          ['due', 1, '451 later', NOW + 5],
        );
        await settle(store, await claim(store, { now: NOW + 5 }), 'held');
        assert.equal((await store.read('findQueueRow', { id: row?.id ?? 0 }))?.state, 'held');
        assert.deepEqual(await claim(store, { now: NOW + 86_400_000 * 9 }), []);
      }));

    it('settles with its notices in one transaction', () =>
      using(open, async ({ store }) => {
        await enqueue(store, {});
        const rows = await claim(store);
        const error = receipt({ kind: 'errore-consegna', recipient: 'anna@pec.beta.example' });
        await store.write('commitRefusal', await changesOver(store, 'prima', { receipts: [error] }));
        const given = await changesOver(store, 'errore', {
          receipts: [error],
          events: [event({ event: 'errore-consegna' })],
        });
        const settlement = rows.map(({ id, fence }) => ({ id, fence, result: 'done' as const }));
        await assert.rejects(
          store.write('settle', { ...given, rows: settlement, facts: [] }),
          conflict('receipt'),
        );
        assert.equal((await store.read('listQueue', {})).length, 1, 'the row is still there');
      }));

    it('settles once, however often a commit of unknown outcome is repeated', () =>
      using(open, async ({ store }) => {
        await enqueue(store, { recipient: 'a@b.example' }, { recipient: 'c@b.example' });
        const [one, two] = await claim(store);
        assert.ok(one !== undefined && two !== undefined);
        const results = [
          { ...one, result: 'done' },
          { ...two, result: 'retry', nextAttempt: NOW + 5 },
        ] as const;
        const given = { ...changes(), events: [event({})] };
        const rows = results.map(({ id, fence, attempts, ...row }) => ({
          id,
          fence,
          attempts,
          result: row.result,
          nextAttempt: NOW + 5,
        }));
        const before = (await store.read('searchRegister', { limit: 10 })).length;
        for (const again of [true, true]) await store.write('settle', { ...given, rows, facts: [], again });
        assert.equal((await store.read('searchRegister', { limit: 10 })).length, before + 1);
        assert.deepEqual(
          (await store.read('listQueue', {})).map(({ recipient, attempts }) => [recipient, attempts]),
          [['c@b.example', 1]],
        );
      }));

    it('obeys the operator', () =>
      using(open, async ({ store }) => {
        await enqueue(store, { recipient: 'a@b.example' }, { recipient: 'c@b.example' });
        const [one, two] = await claim(store);
        assert.ok(one !== undefined && two !== undefined);
        await store.write('queueHold', { id: one.id });
        await settle(store, [one], 'retry');
        assert.equal((await store.read('findQueueRow', { id: one.id }))?.state, 'held');
        await store.write('queueRetry', { id: one.id });
        assert.deepEqual(recipients(await claim(store, { owner: 'two' })), ['a@b.example']);
        await store.write('queueDrop', { id: two.id });
        await settle(store, [two], 'done');
        assert.deepEqual(recipients(await store.read('listQueue', {})), ['a@b.example']);
        await assert.rejects(store.write('queueDrop', { id: two.id }), conflict('queue'));
      }));

    it('lets the content go with its last row', () =>
      using(open, async ({ store }) => {
        await enqueue(store, { recipient: 'a@b.example' }, { recipient: 'c@b.example' });
        const [one, two] = await claim(store);
        assert.ok(one !== undefined && two !== undefined);
        await settle(store, [one], 'done');
        assert.equal((await store.sweep({ now: NOW })).contents, 0);
        await settle(store, [two], 'done');
        assert.equal((await store.sweep({ now: NOW })).contents, 1);
      }));

    it('never leases a row to two at a time, and loses none', () =>
      using(open, async ({ store }) => {
        const step = fc.oneof(
          fc.record({ claim: fc.constantFrom('one', 'two', 'three'), limit: fc.integer({ min: 1, max: 4 }) }),
          fc.record({ settle: fc.nat(9), result: fc.constantFrom<Result>('done', 'retry', 'held') }),
          fc.record({ wait: fc.integer({ min: 1, max: 90_000 }) }),
          fc.record({ restart: fc.constantFrom('one', 'two', 'three') }),
        );
        const row = fc.record({ content: fc.nat(2), domain: fc.constantFrom('b.example', 'd.example') });
        await fc.assert(
          fc.asyncProperty(
            fc.array(row, { minLength: 1, maxLength: 6 }),
            fc.array(step, { maxLength: 25 }),
            (rows, steps) => playQueue(store, rows, steps),
          ),
          { numRuns: 15 },
        );
      }));
  });
}

interface ClaimStep {
  claim: string;
  limit: number;
}
interface SettleStep {
  settle: number;
  result: Result;
}
type Step = ClaimStep | SettleStep | { wait: number } | { restart: string };

/** What the queue must look like: the rows by their id. */
type Model = Map<number, { state: 'due' | 'leased' | 'held'; owner: string; until: number; next: number }>;

/** One history of the queue beside its model; the queue is empty before and after. */
async function playQueue(
  store: Store,
  rows: readonly { content: number; domain: string }[],
  steps: readonly Step[],
): Promise<void> {
  const recipients = rows.map(({ content, domain }, at) => ({ content, destination: domain, at }));
  for (const content of [0, 1, 2]) {
    const own = recipients.filter((one) => one.content === content);
    await enqueue(
      store,
      ...own.map(({ at, destination }) => ({ recipient: `r${at}@x.example`, destination })),
    );
  }
  const model: Model = new Map();
  for (const { id } of await store.read('listQueue', {})) {
    model.set(id, { state: 'due', owner: '', until: 0, next: NOW });
  }
  assert.equal(model.size, rows.length);
  const inHand: QueueRow[] = [];
  let now = NOW;
  for (const step of steps) {
    if ('wait' in step) now += step.wait;
    else if ('claim' in step) inHand.push(...(await playClaim(store, model, step, now)));
    else if ('settle' in step) await playSettle(store, model, step, inHand, now);
    else await playRestart(store, model, step.restart);
    const found = await store.read('listQueue', {});
    assert.deepEqual(
      found.map(({ id }) => id),
      [...model.keys()],
      'no row is lost, none comes back',
    );
    for (const { id, state } of found) {
      const expected = model.get(id);
      const expired = expected?.state === 'leased' && expected.until <= now;
      assert.ok(state === expected?.state || (expired && state === 'due'), `row ${id} is ${state}`);
    }
  }
  for (const id of model.keys()) await store.write('queueDrop', { id });
}

async function playClaim(store: Store, model: Model, step: ClaimStep, now: number): Promise<QueueRow[]> {
  const leaseUntil = now + MINUTE;
  const free = (id: number): boolean => {
    const row = model.get(id);
    if (row === undefined || row.next > now) return false;
    return row.state === 'due' || (row.state === 'leased' && row.until <= now);
  };
  const available = [...model.keys()].filter(free).length;
  const claimed = await claim(store, { now, owner: step.claim, limit: step.limit, leaseUntil });
  assert.ok(claimed.length >= Math.min(step.limit, available), 'what is due is given');
  for (const { id } of claimed) {
    assert.ok(free(id), `row ${id} is nobody's`);
    model.set(id, { state: 'leased', owner: step.claim, until: leaseUntil, next: NOW });
  }
  return claimed;
}

async function playSettle(
  store: Store,
  model: Model,
  step: SettleStep,
  inHand: readonly QueueRow[],
  now: number,
): Promise<void> {
  const row = inHand[step.settle % Math.max(1, inHand.length)];
  if (row === undefined) return;
  const current = inHand.filter(({ id }) => id === row.id).every(({ fence }) => fence <= row.fence);
  const writing = settle(store, [row], step.result, now + 1000);
  if (!model.has(row.id)) return void (await writing);
  if (!current) return assert.rejects(writing, conflict('fence'));
  await writing;
  if (step.result === 'done') model.delete(row.id);
  else {
    const held = step.result === 'held' || model.get(row.id)?.state === 'held';
    model.set(row.id, { state: held ? 'held' : 'due', owner: '', until: 0, next: now + 1000 });
  }
}

async function playRestart(store: Store, model: Model, owner: string): Promise<void> {
  await store.write('releaseOwn', { owner });
  for (const [id, row] of model) {
    if (row.state === 'leased' && row.owner === owner) model.set(id, { ...row, state: 'due', owner: '' });
  }
}
