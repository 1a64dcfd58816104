import assert from 'node:assert/strict';
import { describe, it, mock, type TestContext } from 'node:test';
import { silentTelemetry } from '../../src/telemetry/index.js';
import { type Chore, Timers } from '../../src/timers/index.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Lets everything that is ready happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function timersOf(t: TestContext, ...chores: readonly Chore[]) {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const telemetry = silentTelemetry();
  return { timers: new Timers(chores, telemetry), telemetry };
}

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await settle();
}

describe('timers', () => {
  it('a chore runs after its interval, not at the start, and again from its end', async (t) => {
    let runs = 0;
    const ended: (() => void)[] = [];
    const run = () => {
      runs += 1;
      return new Promise<void>((resolve) => ended.push(resolve));
    };
    const { timers } = timersOf(t, { name: 'a', every: HOUR, run });
    timers.start();
    await pass(HOUR - 1);
    assert.equal(runs, 0);
    await pass(1);
    assert.equal(runs, 1);
    await pass(5 * HOUR);
    assert.equal(runs, 1, 'one that takes long is not started twice');
    ended.shift()?.();
    await settle();
    await pass(HOUR);
    assert.equal(runs, 2);
    ended.shift()?.();
    await timers.stop();
  });

  it('a chore that fails, in whatever way, is told and comes back; the others do not notice', async (t) => {
    let failures = 0;
    let others = 0;
    const { timers, telemetry } = timersOf(
      t,
      {
        name: 'sweep',
        every: HOUR,
        run: async () => {
          failures += 1;
          throw failures === 1 ? new Error('disk full') : 'a string';
        },
      },
      {
        name: 'sync',
        every: HOUR,
        run: () => {
          throw new Error('before any promise');
        },
      },
      { name: 'other', every: HOUR, run: async () => void others++ },
    );
    timers.start();
    await pass(HOUR);
    await pass(HOUR);
    assert.deepEqual([failures, others], [2, 2]);
    const told = telemetry.recorded.flatMap((event) =>
      event.name === 'alarm' ? [`${event.fields.name}: ${event.fields.reason}`] : [],
    );
    assert.deepEqual(told.sort(), ['timer-sweep: disk full', 'timer-sync: before any promise']);
    await timers.stop();
  });

  it('an interval longer than a timer of the platform is waited for in full', async (t) => {
    let runs = 0;
    const waits: number[] = [];
    const { timers } = timersOf(t, { name: 'directory', every: 60 * DAY, run: async () => void runs++ });
    const mocked = globalThis.setTimeout;
    t.mock.method(globalThis, 'setTimeout', (callback: () => void, wait: number) => {
      waits.push(wait);
      return mocked(callback, wait);
    });
    timers.start();
    for (let hour = 0; hour < 60 * 24 - 1; hour++) await pass(HOUR);
    assert.equal(runs, 0);
    // The platform's mock starts a timer made inside a tick at the end of that tick.
    for (let hour = 0; hour < 4; hour++) await pass(HOUR);
    assert.equal(runs, 1);
    assert.ok(waits.every((wait) => wait <= 2 ** 31 - 1));
    await timers.stop();
  });

  it('stop waits for the chore under way, and nothing runs after it', async (t) => {
    let runs = 0;
    let end: () => void = () => undefined;
    const run = () => {
      runs += 1;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    };
    const { timers } = timersOf(t, { name: 'a', every: HOUR, run });
    timers.start();
    await pass(HOUR);
    let stopped = false;
    const stopping = timers.stop().then(() => {
      stopped = true;
    });
    await settle();
    assert.equal(stopped, false);
    end();
    await stopping;
    await pass(10 * HOUR);
    assert.equal(runs, 1);
  });

  it('stop before the first run, and twice, is harmless', async (t) => {
    let runs = 0;
    const { timers } = timersOf(t, { name: 'a', every: HOUR, run: async () => void runs++ });
    timers.start();
    await timers.stop();
    await timers.stop();
    await pass(10 * HOUR);
    assert.equal(runs, 0);
  });
});
