import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as nextTurn } from 'node:timers/promises';
import { type Bringer, type Cause, Intake } from '../../src/gestore/intake/intake.js';
import type { Measures } from '../../src/gestore/intake/measure.js';
import { SmtpError } from '../../src/smtp/index.js';
import { StoreUnavailable } from '../../src/storage/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';

const MB = 1024 * 1024;

/** An intake that looks only when told to, and what it looks at. */
function place() {
  const state = {
    room: 1000 * MB,
    files: Number.POSITIVE_INFINITY,
    queued: 0,
    waiting: 0,
    fault: undefined as Error | undefined,
    looks: 0,
  };
  const measures: Measures = {
    room: async () => {
      state.looks += 1;
      return { folder: '/data', octets: state.room, files: state.files };
    },
    queued: async (limit) => Math.min(limit, state.queued),
    prove: async () => {
      if (state.fault !== undefined) throw state.fault;
    },
    get writes() {
      return { waiting: state.waiting, limit: 100 };
    },
  };
  const telemetry = silentTelemetry();
  const bounds = { reserve: 100 * MB, queue: 10 };
  const intake = new Intake({ measures, telemetry, bounds, interval: 1 });
  const answer = (bringer: Bringer, octets = 0): string => {
    try {
      intake.gate(bringer).admit(octets);
      return 'admitted';
    } catch (error) {
      assert.ok(error instanceof SmtpError);
      return `${error.code} ${error.enhanced}`;
    }
  };
  const told = () =>
    telemetry.recorded.map(({ name, fields }) =>
      name === 'alarm' ? fields.name : `${name} ${'cause' in fields ? fields.cause : ''}`,
    );
  const become = async (cause: Cause, ready: boolean): Promise<void> => {
    for (let turn = 0; (await intake.ready(cause)) !== ready; turn += 1) {
      assert.ok(turn < 10_000, `${cause} does not become ${ready}`);
      await nextTurn(1);
    }
  };
  /** Until whatever is true now has been seen. */
  const looked = async (): Promise<void> => {
    for (const until = state.looks + 12; state.looks < until; ) await nextTurn(1);
  };
  return { state, intake, answer, told, become, looked };
}

suite('intake', () => {
  test('room: users first, then peers; it counts again when there is more than the bound', async (t) => {
    const { state, intake, answer, told, become, looked } = place();
    t.after(() => intake.stop());
    await intake.start();
    assert.equal(answer('user', 900 * MB), 'admitted');
    assert.equal(answer('user', 901 * MB), '452 4.3.1');
    assert.equal(answer('peer', 901 * MB), 'admitted');
    state.room = 99 * MB;
    await become('disk', false);
    assert.deepEqual([answer('user'), answer('peer')], ['452 4.3.1', 'admitted']);
    state.room = 40 * MB;
    await looked();
    assert.equal(answer('peer'), '452 4.3.1');
    state.room = 105 * MB;
    await looked();
    assert.equal(await intake.ready('disk'), false, 'no door that swings');
    state.room = 200 * MB;
    await become('disk', true);
    assert.equal(answer('user'), 'admitted');
    assert.deepEqual(told(), ['disk-low', 'disk-low', 'intake.resumed disk']);
  });

  test('room: what a message under way takes counts at once, and stops at half of the floor', async (t) => {
    const { state, intake, answer } = place();
    t.after(() => intake.stop());
    state.room = 150 * MB;
    await intake.start();
    const gate = intake.gate('user');
    for (let taken = 0; taken < 100; taken += 1) gate.grow(MB);
    assert.equal(answer('user'), '452 4.3.1');
    assert.throws(() => gate.grow(MB), /^SmtpError: 452 4\.3\.1/);
  });

  test('too few files that can be made are as bad', async (t) => {
    const { state, intake, answer } = place();
    t.after(() => intake.stop());
    state.files = 10;
    await intake.start();
    assert.deepEqual([answer('user'), answer('peer')], ['452 4.3.1', '452 4.3.1']);
  });

  test('queue and waiting writes: users at the bound, peers past it', async (t) => {
    const { state, intake, answer, told, become } = place();
    t.after(() => intake.stop());
    await intake.start();
    state.queued = 10;
    await become('queue', false);
    assert.deepEqual([answer('user'), answer('peer')], ['451 4.3.2', 'admitted']);
    state.queued = 0;
    await become('queue', true);
    state.waiting = 50;
    assert.deepEqual([answer('user'), answer('peer')], ['451 4.3.2', 'admitted']);
    state.waiting = 75;
    assert.equal(answer('peer'), '451 4.3.2');
    state.waiting = 0;
    assert.equal(answer('user'), 'admitted');
    assert.ok(told().includes('queue-long') && told().includes('store-behind'), told().join());
  });

  test('a store that takes no commit', async (t) => {
    const { state, intake, answer, told, become, looked } = place();
    t.after(() => intake.stop());
    state.fault = new StoreUnavailable('input-output', 'the disk failed');
    await intake.start();
    assert.deepEqual([answer('user'), answer('peer')], ['451 4.3.0', '451 4.3.0']);
    state.fault = new StoreUnavailable('full', 'the disk is full');
    await become('store', false);
    await looked();
    assert.equal(answer('peer'), '452 4.3.1');
    state.fault = undefined;
    await become('store', true);
    assert.equal(answer('user'), 'admitted');
    assert.deepEqual(told(), ['store-unwritable', 'intake.resumed store']);
  });
});
