import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { StoreUnavailable } from '../../src/storage/errors.js';
import { migrations } from '../../src/storage/migrations/index.js';
import { isDurable, openWriting } from '../../src/storage/sqlite/connection.js';
import { migrate, SchemaError, schemaState } from '../../src/storage/sqlite/migrate.js';
import { needs } from '../support/programs.js';
import { soundChain } from './support/chain.js';
import { openTestEngine, sqlitePlace } from './support/sqlite-place.js';

test('every opening of the database is durable, also after the first write', async () => {
  const place = sqlitePlace();
  for (let round = 0; round < 2; round += 1) {
    const connection = openWriting(place.file);
    connection.control('begin immediate');
    connection.control("insert into domain values ('d' || abs(random()), 0)");
    connection.control('commit');
    assert.ok(isDurable(connection));
    assert.equal(connection.pragma('foreign_keys'), 1);
    assert.equal(connection.pragma('wal_autocheckpoint'), 1000);
    connection.close();
  }
  await place.remove();
});

test('a connection that lost its durability acknowledges nothing', async () => {
  const place = sqlitePlace();
  const connection = openWriting(place.file);
  connection.pragma('synchronous = NORMAL');
  assert.ok(!isDurable(connection));
  connection.close();
  await place.remove();
});

test('a sync of the disk comes before each answer', { skip: needs('strace') }, async (t) => {
  const place = sqlitePlace();
  const trace = join(place.folder, 'trace');
  const child = fileURLToPath(new URL('./support/writer-child.js', import.meta.url));
  const traced = spawnSync(
    'strace',
    [
      '-f',
      '-qq',
      '-e',
      'trace=fsync,fdatasync,write',
      '-s',
      '20',
      '-o',
      trace,
      process.execPath,
      child,
      place.file,
      '1',
      'answer',
      '20',
    ],
    { encoding: 'utf8' },
  );
  if (/ptrace/.test(traced.stderr)) return t.skip('tracing is not permitted here');
  let synced = false;
  let answers = 0;
  for (const line of readFileSync(trace, 'utf8').split('\n')) {
    if (/(fsync|fdatasync)\b.*= 0/.test(line)) synced = true;
    if (!/write\(1, "answer-/.test(line)) continue;
    assert.ok(synced, `no sync before ${line}`);
    synced = false;
    answers += 1;
  }
  assert.equal(answers, 18);
  await place.remove();
});

test('files are for their owner only', async () => {
  const place = sqlitePlace();
  const engine = await place.open();
  await engine.write('put', { key: 'a' });
  assert.equal(statSync(join(place.folder, 'data')).mode & 0o777, 0o700);
  for (const end of ['', '-wal', '-shm']) assert.equal(statSync(`${place.file}${end}`).mode & 0o777, 0o600);
  await engine.close();
  await place.remove();
});

test('a database that another process holds is unavailable, not broken', async () => {
  const place = sqlitePlace();
  const engine = await place.open();
  const holder = new Database(place.file);
  holder.exec('begin immediate');
  const refused = await engine.write('put', { key: 'a' }).catch((error: unknown) => error);
  assert.ok(refused instanceof StoreUnavailable && refused.reason === 'locked');
  holder.exec('rollback');
  holder.close();
  assert.equal(await engine.write('put', { key: 'a' }), 'put a');
  await engine.close();
  await place.remove();
});

test('a writer that dies takes its callers with it, and the next write has a new one', async () => {
  const place = sqlitePlace();
  const engine = await place.open();
  await engine.write('putAndAppend', { key: 'a' });
  const outcomes = await Promise.allSettled([
    engine.write('putAndAppend', { key: 'b' }),
    engine.write('die', {}),
    engine.write('putAndAppend', { key: 'c' }),
  ]);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable);
  }
  await engine.write('putAndAppend', { key: 'd' });
  assert.deepEqual(await soundChain(engine), ['a', 'd']);
  await engine.close();
  await place.remove();
});

test('an engine whose database cannot be opened says so', async () => {
  const place = sqlitePlace();
  await assert.rejects(openTestEngine(join(place.folder, 'absent', 'ceralacca.db')));
  await place.remove();
});

// --- migrations -------------------------------------------------------------------------------------------------

const newest = Math.max(...migrations.map(({ version }) => version));
const second = (commands: string[]) => ({
  version: newest + 1,
  name: 'second',
  statements: () => commands,
});

test('migrations are done once, in order, and written down', async () => {
  const place = sqlitePlace();
  assert.deepEqual(migrate(place.file, migrations, 5), []);
  const next = [...migrations, second(['create table later (id integer primary key) strict'])];
  assert.deepEqual(
    schemaState(place.file, next).pending.map(({ name }) => name),
    ['second'],
  );
  assert.deepEqual(migrate(place.file, next, 5), [newest + 1]);
  assert.deepEqual(schemaState(place.file, next), { version: newest + 1, pending: [] });
  assert.throws(() => migrate(place.file, migrations, 5), SchemaError);
  assert.throws(() => schemaState(place.file, migrations), /run the newer program/);
  await place.remove();
});

test('a migration that fails leaves nothing behind', async () => {
  const place = sqlitePlace();
  const broken = [
    ...migrations,
    second(['create table half (id integer) strict', 'insert into nothing values (1)']),
  ];
  assert.throws(() => migrate(place.file, broken, 0));
  assert.equal(schemaState(place.file, migrations).version, newest);
  const dangling = [...migrations, second(['insert into content_blob (content_id, hash) values (9, 9)'])];
  assert.throws(() => migrate(place.file, dangling, 0), /content_blob/);
  const sound = [...migrations, second(['create table half (id integer) strict'])];
  assert.deepEqual(migrate(place.file, sound, 0), [newest + 1]);
  await place.remove();
});

test('a database of something else, or a damaged one, is left alone', async () => {
  const place = sqlitePlace();
  const foreign = join(place.folder, 'foreign.db');
  const db = new Database(foreign);
  db.exec('create table theirs (a)');
  db.close();
  assert.throws(() => migrate(foreign, migrations, 0), /some other program/);
  const text = join(place.folder, 'text.db');
  writeFileSync(text, 'not a database at all, but some text that is long enough to have a header'.repeat(20));
  assert.throws(() => migrate(text, migrations, 0));
  assert.ok(existsSync(text));
  await place.remove();
});
