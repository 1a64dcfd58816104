import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signedRecord } from '../../src/web/index.js';

const HOUR = 3_600_000;

function record() {
  const state = { ldif: 'uno', now: 1_000 * HOUR, signatures: 0, broken: false };
  const get = signedRecord({
    ldif: () => state.ldif,
    sign: async (ldif) => {
      state.signatures += 1;
      if (state.broken) throw new Error('the key is away');
      return Buffer.from(`${ldif} ${state.signatures}`);
    },
    clock: () => state.now,
  });
  return { state, get: async () => (await get()).toString() };
}

describe('web: our record is signed once', () => {
  it('for all who ask at once, and for those who come later', async () => {
    const { state, get } = record();
    assert.deepEqual(await Promise.all([get(), get(), get()]), ['uno 1', 'uno 1', 'uno 1']);
    state.now += 24 * HOUR - 1;
    assert.equal(await get(), 'uno 1');
    assert.equal(state.signatures, 1);
  });

  it('anew when it says something else, after a day, and when the clock was set back', async () => {
    const { state, get } = record();
    await get();
    state.ldif = 'due';
    assert.equal(await get(), 'due 2');
    state.now += 24 * HOUR;
    assert.equal(await get(), 'due 3');
    state.now -= HOUR;
    assert.equal(await get(), 'due 4');
    assert.equal(await get(), 'due 4');
  });

  it('a failure is not kept', async () => {
    const { state, get } = record();
    state.broken = true;
    await assert.rejects(get(), /the key is away/);
    state.broken = false;
    assert.equal(await get(), 'uno 2');
  });
});
