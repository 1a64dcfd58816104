import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Sample } from '../../src/clock/sample.js';
import { type ClockRecord, UtcWatch } from '../../src/clock/utc-watch.js';
import { silentTelemetry } from '../../src/telemetry/index.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

interface Setting {
  /** Milliseconds the system clock is behind UTC at the start. */
  readonly behind?: number;
  readonly foundWrong?: number;
}

/** A watch on clocks that a test moves. UTC is what the system clock says at the start, plus `behind`. */
function setUp(t: TestContext, { behind = 0, foundWrong }: Setting = {}) {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const world = { steady: 5 * MINUTE, wall: Date.UTC(2026, 0, 1), silent: false, recordable: true };
  const utc = world.wall + behind - world.steady;
  const telemetry = silentTelemetry();
  const records: ClockRecord[] = [];
  let questions = 0;
  const watch = new UtcWatch({
    sources: [
      {
        name: 'ntp.example',
        async measure(): Promise<Sample> {
          questions++;
          if (world.silent) throw new Error('no answer');
          return { utc, error: 3 };
        },
      },
    ],
    interval: 64 * SECOND,
    foundWrong,
    record: async (record) => {
      if (!world.recordable) throw new Error('the store is away');
      records.push(record);
    },
    telemetry,
    wall: () => world.wall,
    monotonic: () => world.steady,
  });
  /** Time goes by for both clocks. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= SECOND) {
      world.steady += SECOND;
      world.wall += SECOND;
      t.mock.timers.tick(SECOND);
      // Measuring and recording take a few turns.
      for (let turn = 0; turn < 12; turn++) await Promise.resolve();
    }
  };
  const alarms = () =>
    telemetry.recorded.flatMap(({ name, fields }) =>
      name === 'alarm' || name === 'alarm.cleared' ? [`${name} ${fields.name}`] : [],
    );
  return { world, watch, records, telemetry, pass, alarms, asked: () => questions };
}

describe('the watch on the system clock (decisions 30)', () => {
  it('an exact clock certifies, is asked about at each interval, and recorded once an hour', async (t) => {
    const { watch, records, pass, alarms, asked } = setUp(t, { behind: 400 });
    await watch.start();
    assert.equal(watch.certifies(), true);
    assert.deepEqual(watch.verdict(), { kind: 'exact', offset: 400 });
    await pass(3 * HOUR);
    assert.equal(watch.certifies(), true);
    assert.ok(asked() > 100, `${asked()} questions`);
    assert.deepEqual(
      records.map(({ state, offset, error }) => ({ state, offset, error })),
      Array.from({ length: 4 }, () => ({ state: 'exact', offset: 400, error: 3 })),
    );
    assert.deepEqual(alarms(), []);
  });

  for (const behind of [1_001, -1_001, 3_600_000, -3_600_000]) {
    it(`${behind} ms behind UTC nothing is certified, and an alarm stands`, async (t) => {
      const { watch, records, alarms, telemetry } = setUp(t, { behind });
      await watch.start();
      assert.equal(watch.certifies(), false);
      assert.deepEqual(alarms(), ['alarm clock-offset']);
      assert.deepEqual(
        telemetry.standing().map(({ name }) => name),
        ['clock-offset'],
      );
      assert.deepEqual(
        records.map(({ state, offset }) => ({ state, offset })),
        [{ state: 'wrong', offset: behind }],
      );
    });
  }

  it('one second is still exact', async (t) => {
    const { watch } = setUp(t, { behind: 1_000 });
    await watch.start();
    assert.equal(watch.certifies(), true);
  });

  it('a step counts at the next question, before anybody measured; set right, all goes on', async (t) => {
    const { world, watch, records, pass, alarms } = setUp(t);
    let changes = 0;
    watch.onChange(() => {
      changes++;
    });
    await watch.start();
    world.wall -= HOUR;
    assert.equal(watch.certifies(), false);
    assert.equal(watch.stepped(HOUR), true);
    assert.equal(changes, 1);
    await pass(MINUTE);
    assert.equal(watch.certifies(), false, 'measured again, it is still wrong');
    world.wall += HOUR;
    await pass(MINUTE);
    assert.equal(watch.certifies(), true);
    assert.ok(changes >= 2);
    assert.deepEqual(alarms(), ['alarm clock-offset', 'alarm.cleared clock-offset']);
    assert.deepEqual(
      records.map(({ state }) => state),
      ['exact', 'wrong', 'exact'],
    );
  });

  it('sources that fall silent: a measurement holds half an hour, then it is unknown, which is not wrong', async (t) => {
    const { world, watch, pass, alarms } = setUp(t, { behind: 20 });
    await watch.start();
    world.silent = true;
    await pass(29 * MINUTE);
    assert.equal(watch.verdict().kind, 'exact');
    await pass(2 * MINUTE);
    assert.equal(watch.verdict().kind, 'unmeasured');
    assert.equal(watch.certifies(), true);
    assert.deepEqual(alarms(), ['alarm clock-unmeasured']);
    world.silent = false;
    await pass(2 * MINUTE);
    assert.equal(watch.verdict().kind, 'exact');
    assert.deepEqual(alarms(), ['alarm clock-unmeasured', 'alarm.cleared clock-unmeasured']);
  });

  it('what was found wrong does not become right by silence', async (t) => {
    const { world, watch, pass } = setUp(t, { behind: 5_000 });
    await watch.start();
    world.silent = true;
    await pass(2 * HOUR);
    assert.equal(watch.certifies(), false);
  });

  it('nor by a restart: only a measurement acquits it', async (t) => {
    const { world, watch, pass } = setUp(t, { foundWrong: 5_000 });
    world.silent = true;
    await watch.start();
    await pass(HOUR);
    assert.equal(watch.certifies(), false);
    world.silent = false;
    await pass(MINUTE);
    assert.equal(watch.certifies(), true);
  });

  it('a record that cannot be kept is brought again, in order', async (t) => {
    const { world, watch, records, pass } = setUp(t);
    world.recordable = false;
    await watch.start();
    world.wall += HOUR;
    await pass(MINUTE);
    assert.deepEqual(records, []);
    world.recordable = true;
    await pass(MINUTE);
    assert.deepEqual(
      records.map(({ state }) => state),
      ['exact', 'wrong'],
    );
  });
});
