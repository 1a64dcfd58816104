import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../src/antivirus/turns.js';

const PATIENCE = 60_000;

test('so many at once, the others in order, each gets its turn', async () => {
  const turns = new Turns(3);
  let active = 0;
  let most = 0;
  const begun: number[] = [];
  const work = (index: number) => async () => {
    begun.push(index);
    most = Math.max(most, ++active);
    await new Promise((resolve) => setImmediate(resolve));
    active -= 1;
    if (index % 4 === 0) throw new Error(`${index}`);
    return index;
  };
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => turns.run(PATIENCE, work(index))),
  );
  assert.equal(most, 3);
  assert.deepEqual(
    begun,
    Array.from({ length: 20 }, (_, index) => index),
  );
  assert.equal(results.filter(({ status }) => status === 'rejected').length, 5);
});

test('who waits too long is told, and takes no place', async () => {
  const turns = new Turns(1);
  let end = (): void => undefined;
  const first = turns.run(
    PATIENCE,
    () =>
      new Promise<void>((resolve) => {
        end = resolve;
      }),
  );
  await assert.rejects(
    turns.run(5, async () => 'never'),
    /too many scans wait/,
  );
  const third = turns.run(PATIENCE, async () => 'third');
  end();
  await first;
  assert.equal(await third, 'third');
  assert.equal(await turns.run(PATIENCE, async () => 'fourth'), 'fourth');
});
