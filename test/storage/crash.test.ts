import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { soundChain } from './support/chain.js';
import { listKeys } from './support/operations.js';
import { sqlitePlace } from './support/sqlite-place.js';

const child = fileURLToPath(new URL('./support/writer-child.js', import.meta.url));

/** Runs a program and gives its lines; `enough` may end it in the middle of its work. */
async function linesOf(
  command: string,
  args: string[],
  enough: (lines: string[]) => boolean,
): Promise<string[]> {
  const lines: string[] = [];
  const running = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => running.once('exit', resolve));
  for await (const line of createInterface({ input: running.stdout })) {
    lines.push(line);
    if (enough(lines)) running.kill('SIGKILL');
  }
  await ended;
  return lines;
}

test('kill -9: what was acknowledged is there, once, and the chain is whole', async () => {
  const place = sqlitePlace();
  const acknowledged: string[] = [];
  for (let round = 1; round <= 4; round += 1) {
    const until = 40 * round * round;
    const lines = await linesOf(
      process.execPath,
      [child, place.file, '16', `r${round}`],
      (seen) => seen.length >= until,
    );
    acknowledged.push(...lines);
    const engine = await place.open();
    const keys = await engine.read(listKeys, {});
    const entries = await soundChain(engine);
    assert.deepEqual([...entries].sort(), keys, 'a row and its entry are there together');
    assert.equal(new Set(entries).size, entries.length);
    const there = new Set(keys);
    assert.deepEqual(
      acknowledged.filter((key) => !there.has(key)),
      [],
    );
    await engine.close();
  }
  assert.ok(acknowledged.length > 1000);
  await place.remove();
});

test('a disk that fails in the middle: callers are told, and what was acknowledged is there', async () => {
  const place = sqlitePlace();
  // Files of this process may not grow past 600 blocks: writing the log fails with an input/output error.
  const command = `ulimit -f 600; exec "$0" "$@"`;
  const lines = await linesOf(
    'sh',
    ['-c', command, process.execPath, child, place.file, '16', 'k', '4000'],
    () => false,
  );
  const failures = lines.filter((line) => line.startsWith('! '));
  assert.ok(failures.length > 0, 'the disk did not fail');
  assert.deepEqual([...new Set(failures)], ['! input-output']);
  const acknowledged = lines.filter((line) => !line.startsWith('! '));
  assert.ok(acknowledged.length > 0);
  const engine = await place.open();
  const there = new Set(await engine.read(listKeys, {}));
  assert.deepEqual([...(await soundChain(engine))].sort(), [...there].sort());
  assert.deepEqual(
    acknowledged.filter((key) => !there.has(key)),
    [],
  );
  await engine.close();
  await place.remove();
});
