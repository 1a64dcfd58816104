import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { holdLock } from '../../src/storage/index.js';

const child = fileURLToPath(new URL('./support/lock-child.js', import.meta.url));

test('a lock has one holder, and ends when he lets go', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-lock-'));
  const file = join(folder, 'locks', 'relay.lock');
  const first = holdLock(file);
  assert.ok(first !== undefined);
  assert.equal(holdLock(file), undefined);
  assert.equal(holdLock(file), undefined, 'asking does not break it');
  assert.ok(holdLock(join(folder, 'locks', 'timers.lock')) !== undefined);
  first.release();
  holdLock(file)?.release();
  assert.ok(holdLock(file) !== undefined);
  rmSync(folder, { recursive: true, force: true });
});

test('a lock ends with its process, however that dies', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-lock-'));
  const file = join(folder, 'relay.lock');
  const holder = spawn(process.execPath, [child, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(holder.stdout, 'data');
  assert.equal(String(said), 'held\n');
  assert.equal(holdLock(file), undefined);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  assert.ok(holdLock(file) !== undefined);
  rmSync(folder, { recursive: true, force: true });
});
