import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type OutboundQueue, storeQueue } from '../../src/relay/index.js';
import { defaultTimeouts } from '../../src/smtp/index.js';
import { StoreUnavailable } from '../../src/storage/index.js';
import { type House, openHouse, routed, until } from './house.js';

const BETA = 'pec.beta.example';
const OURS = 'pec.alfa.example';
const DAY = 86_400_000;

describe('the relay in trouble', { timeout: 60_000 }, () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(() => house.close());

  const emptied = () => until(async () => (await house.rows()).length === 0);
  const queueWith = (some: (real: OutboundQueue) => Partial<OutboundQueue>): OutboundQueue => {
    const real = storeQueue(house.store);
    return { ...real, ...some(real) };
  };
  const unavailable = () => new StoreUnavailable('locked', 'another process holds the database');

  describe('slow peers', () => {
    it('four domains that never greet hold up neither our own, nor certified, nor other ordinary mail', async () => {
      const silent = await house.peer({ greeting: 'silent' });
      const { peer, port } = await house.peer();
      const slow = ['uno.it', 'due.it', 'tre.it', 'quattro.it'];
      await house.relay({
        routing: routed({
          ...Object.fromEntries(slow.map((domain) => [domain, silent.port])),
          [BETA]: port,
          'svelto.it': port,
        }),
        timeouts: defaultTimeouts,
      });
      for (const domain of slow) {
        for (let count = 0; count < 30; count++) {
          await house.enqueue({ kind: 'ordinary', recipients: [`a${count}@${domain}`] });
        }
      }
      await until(() => silent.peer.connections >= 50);
      await house.enqueue({ recipients: [`b@${BETA}`] });
      await house.enqueue({ recipients: [`c@${OURS}`] });
      await house.enqueue({ kind: 'ordinary', recipients: ['d@svelto.it'] });
      await until(() => peer.messages.length === 2 && house.received.length === 1);
      assert.ok(silent.peer.connections <= 64, String(silent.peer.connections));
    });

    it('asks before it claims: what is idle costs no write', async () => {
      const claimed: string[][] = [];
      const { peer, port } = await house.peer();
      const queue = queueWith((real) => ({
        claimDue: async (input) => {
          claimed.push([...input.kinds]);
          return real.claimDue(input);
        },
      }));
      const relay = await house.relay({ queue, routing: routed({ [BETA]: port }) });
      for (let look = 0; look < 5; look++) {
        relay.wake();
        await house.rows();
      }
      assert.deepEqual(claimed, []);
      await house.enqueue({ recipients: [`b@${BETA}`] });
      await until(() => peer.messages.length === 1);
      await emptied();
      assert.ok(claimed.length > 0);
      for (const kinds of claimed) assert.deepEqual(kinds, ['envelope', 'notification']);
    });

    it('shares what waits for a destination among all its lanes', async () => {
      let held = 0;
      let most = 0;
      const releases: (() => void)[] = [];
      await house.relay({
        concurrency: 4,
        local: {
          isOwnDomain: () => true,
          domains: async () => [OURS],
          receive: async () => {
            held++;
            most = Math.max(most, held);
            await new Promise<void>((resolve) => releases.push(resolve));
            held--;
          },
        },
      });
      for (let count = 0; count < 12; count++) await house.enqueue({ recipients: [`b${count}@${OURS}`] });
      for (let done = 0; done < 12; done++) {
        await until(() => releases.length >= Math.min(4, 12 - done));
        releases.shift()?.();
      }
      await emptied();
      assert.equal(most, 4);
    });
  });

  describe('a store that does not answer', () => {
    it('a commit is waited for, and the peer gets nothing twice', async () => {
      const { peer, port } = await house.peer();
      let failures = 0;
      const queue = queueWith((real) => ({
        settle: async (input) => {
          if (failures < 6) {
            failures++;
            throw unavailable();
          }
          return real.settle(input);
        },
      }));
      await house.relay({ queue, routing: routed({ [BETA]: port }) });
      await house.enqueue({ recipients: [`b@${BETA}`] });
      await emptied();
      assert.equal(peer.messages.length, 1);
      assert.equal(failures, 6);
    });

    it('a row whose content could not be read is taken up again', async () => {
      const { port } = await house.peer();
      let failures = 0;
      const queue = queueWith((real) => ({
        open: async (contentId) => {
          if (failures++ === 0) throw unavailable();
          return real.open(contentId);
        },
      }));
      await house.relay({ queue, routing: routed({ [BETA]: port }) });
      await house.enqueue({ recipients: [`b@${BETA}`] });
      await emptied();
      assert.deepEqual(await house.register(), [`inoltro b@${BETA} 250 2.0.0 taken`]);
    });

    it('a row whose content is no more is tried like any other, and leaves in its time', async () => {
      const queue = queueWith(() => ({
        open: async () => {
          throw new Error('no content');
        },
      }));
      await house.relay({ queue });
      await house.enqueue({ recipients: [`b@${BETA}`], giveUpAt: Date.now() + 100 });
      await emptied();
    });

    it('a failure whose notice could not be made for the store is asked for again', async () => {
      const { port } = await house.peer({ rcpt: () => '550 5.1.1 no' });
      let failures = 0;
      await house.relay({
        routing: routed({ [BETA]: port }),
        notices: async (failed) => {
          if (failures++ === 0) throw unavailable();
          house.failed.push(...failed);
          return [];
        },
      });
      await house.enqueue({ recipients: [`b@${BETA}`] });
      await emptied();
      assert.equal(house.failed.length, 1);
    });

    it('a claim that failed and was made all the same leaves no row behind', async () => {
      const { peer, port } = await house.peer();
      let claims = 0;
      const queue = queueWith((real) => ({
        claimDue: async (input) => {
          const rows = await real.claimDue(input);
          if (claims++ === 0) throw new StoreUnavailable('input-output', 'outcome unknown');
          return rows;
        },
      }));
      await house.enqueue({ recipients: [`b@${BETA}`] });
      await house.relay({ queue, routing: routed({ [BETA]: port }) });
      await emptied();
      assert.equal(peer.messages.length, 1);
    });

    it('a settlement that failed and was made all the same is made once', async () => {
      const { port } = await house.peer();
      let settlements = 0;
      const queue = queueWith((real) => ({
        settle: async (input) => {
          const result = await real.settle(input);
          if (settlements++ === 0) throw new StoreUnavailable('input-output', 'outcome unknown');
          return result;
        },
      }));
      await house.enqueue({ recipients: [`b@${BETA}`] });
      await house.relay({ queue, routing: routed({ [BETA]: port }) });
      await until(() => settlements > 1);
      await emptied();
      assert.equal((await house.store.read('searchRegister', { limit: 10 })).length, 1);
    });

    it('a stop does not wait for it for ever', async () => {
      const { peer, port } = await house.peer();
      let broken = true;
      const queue = queueWith((real) => ({
        settle: async (input) => {
          if (broken) throw unavailable();
          return real.settle(input);
        },
      }));
      const relay = await house.relay({ queue, routing: routed({ [BETA]: port }) });
      await house.enqueue({ recipients: [`b@${BETA}`] });
      await until(() => peer.messages.length === 1);
      await relay.stop(0);
      assert.deepEqual(
        (await house.rows()).map(({ state }) => state),
        ['due'],
      );
      broken = false;
    });
  });

  describe('a clock that was set', () => {
    it('back: nothing waits for times that are years away', async () => {
      const { peer, port } = await house.peer();
      const future = Date.now() + 400 * DAY;
      await house.enqueue({ recipients: [`leased@${BETA}`], nextAttempt: future - DAY });
      await house.store.write('claimDue', {
        now: future,
        owner: 'altro',
        leaseUntil: future + 3_600_000,
        limit: 10,
      });
      await house.enqueue({ recipients: [`waits@${BETA}`], nextAttempt: future });
      await house.relay({ routing: routed({ [BETA]: port }) });
      await emptied();
      assert.equal(peer.messages.length, 2);
    });

    it('ahead: what seems over its time is tried once more before it leaves', async () => {
      const { peer, port } = await house.peer({
        mail: (_, count) => (count === 1 ? '451 4.3.0 later' : '250 ok'),
      });
      await house.enqueue({ recipients: [`b@${BETA}`] });
      let jump = 0;
      await house.relay({ routing: routed({ [BETA]: port }), clock: () => Date.now() + jump });
      await until(async () => {
        const [row] = await house.rows();
        if (row?.attempts === 1) jump = 10 * DAY;
        return row === undefined;
      });
      assert.equal(peer.messages.length, 1);
      assert.deepEqual(await house.register(), [`inoltro b@${BETA} 250 2.0.0 taken`]);
    });
  });
});
