import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from './soak.js';

/** Milliseconds: whether memory stays flat is for the long runs of `npm run soak` to say. */
const HOUR = 4000;

test('a short day: nothing that was promised is missing, and no connection or descriptor remains', async (t) => {
  const { summary, violations, kept } = await soak({
    seed: '24',
    hours: 4,
    hour: HOUR,
    judgesGrowth: false,
  });
  t.diagnostic(summary);
  assert.deepEqual(violations.slice(0, 10), [], kept);
});
