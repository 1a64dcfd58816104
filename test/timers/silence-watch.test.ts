import assert from 'node:assert/strict';
import { describe, it, mock, type TestContext } from 'node:test';
import { silentTelemetry } from '../../src/telemetry/index.js';
import { type SilenceLook, SilenceWatch } from '../../src/timers/index.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A watch whose clock and timers go together, unless a test moves the clock alone. */
function watching(
  t: TestContext,
  look: (now: number) => Partial<SilenceLook> | Promise<never>,
  longest = MINUTE,
) {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const clock = { now: 1_000_000 * HOUR };
  const start = clock.now;
  const looks: number[] = [];
  const telemetry = silentTelemetry();
  const watch = new SilenceWatch({
    notices: {
      issueDue: async () => {
        looks.push(clock.now - start);
        return { issued: 0, failed: 0, nextAt: null, ...(await look(clock.now)) };
      },
    },
    longest,
    clock: () => clock.now,
    telemetry,
  });
  const pass = async (ms: number): Promise<void> => {
    clock.now += ms;
    mock.timers.tick(ms);
    await settle();
  };
  return { watch, pass, clock, start, looks, telemetry };
}

describe('silence: when it is looked at', () => {
  it('at once, then every minute when nothing is awaited', async (t) => {
    const { watch, pass, looks } = watching(t, () => ({}));
    watch.start();
    await pass(0);
    assert.deepEqual(looks, [0]);
    await pass(MINUTE - 1);
    assert.equal(looks.length, 1);
    await pass(1);
    await pass(MINUTE);
    assert.deepEqual(looks, [0, MINUTE, 2 * MINUTE]);
    await watch.stop();
    await pass(HOUR);
    assert.equal(looks.length, 3);
  });

  it('when the next deadline falls due, not a minute later; never in a tight loop', async (t) => {
    const deadline = 1_000_000 * HOUR + 90_000;
    const { watch, pass, looks } = watching(t, () => ({ nextAt: deadline }));
    watch.start();
    await pass(0);
    await pass(MINUTE);
    await pass(30_000);
    assert.deepEqual(looks, [0, MINUTE, 90_000]);
    for (let ms = 0; ms < 1000; ms += 50) await pass(50);
    assert.equal(looks.length, 3 + 4);
    await watch.stop();
  });

  it('with figures of seconds, within those seconds', async (t) => {
    const { watch, pass, looks } = watching(t, () => ({}), 3000);
    watch.start();
    await pass(0);
    await pass(3000);
    assert.deepEqual(looks, [0, 3000]);
    await watch.stop();
  });

  it('what failed is tried again at the next look; a store that does not answer is told', async (t) => {
    let turn = 0;
    const { watch, pass, looks, telemetry } = watching(t, (now) => {
      turn += 1;
      return turn === 1 ? { failed: 1, nextAt: now - HOUR } : Promise.reject(new Error('disk full'));
    });
    watch.start();
    await pass(0);
    await pass(MINUTE - 1);
    assert.equal(looks.length, 1);
    await pass(1);
    await pass(MINUTE);
    assert.equal(looks.length, 3);
    const alarms = telemetry.recorded.flatMap((event) => (event.name === 'alarm' ? [event.fields] : []));
    assert.deepEqual(alarms, [{ name: 'timer-silence', reason: 'disk full', standing: true }]);
    await watch.stop();
  });

  it('a clock that leaps ahead is believed at the next look, if it stays there', async (t) => {
    const { watch, pass, clock, looks, telemetry } = watching(t, () => ({}));
    watch.start();
    await pass(0);
    clock.now += 24 * HOUR;
    await pass(MINUTE);
    assert.equal(looks.length, 1);
    assert.ok(telemetry.recorded.some(({ name }) => name === 'server.warning'));
    clock.now -= 24 * HOUR;
    await pass(MINUTE);
    assert.deepEqual(looks.slice(1), [2 * MINUTE]);
    clock.now += 24 * HOUR;
    await pass(MINUTE);
    await pass(MINUTE);
    assert.equal(looks.length, 3);
    await watch.stop();
  });

  it('stop waits for the look under way', async (t) => {
    let end: () => void = () => undefined;
    const { watch, pass, looks } = watching(
      t,
      () =>
        new Promise<never>((resolve) => {
          end = resolve as () => void;
        }),
    );
    watch.start();
    await pass(0);
    let stopped = false;
    const stopping = watch.stop().then(() => {
      stopped = true;
    });
    await settle();
    assert.equal(stopped, false);
    end();
    await stopping;
    await pass(HOUR);
    assert.equal(looks.length, 1);
  });
});
