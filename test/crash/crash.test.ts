import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runRounds } from './run.js';

/** Milliseconds after which no further round begins: the long runs are those of `npm run crash`. */
const LIMIT = 45_000;

test('gestori that are killed while mail flows keep every promise', async (t) => {
  const { summary, violations, kept } = await runRounds({ seed: '2026', rounds: 10, limit: LIMIT });
  t.diagnostic(summary);
  assert.deepEqual(violations.slice(0, 10), [], kept);
});
