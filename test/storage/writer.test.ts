import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RegisterEvent } from '../../src/storage/records.js';
import { type Connection, openWriting } from '../../src/storage/sqlite/connection.js';
import type { WriteReply } from '../../src/storage/sqlite/messages.js';
import { type Operations, Writer } from '../../src/storage/sqlite/writer.js';
import { statement } from '../../src/storage/statement.js';
import type { Transaction } from '../../src/storage/transaction.js';
import { soundChain } from './support/chain.js';
import { eventOf, listKeys, writes } from './support/operations.js';
import { sqlitePlace } from './support/sqlite-place.js';

const HOUR = 3_600_000;

/** A writer in this thread, on connections that fail when they are told to. */
function faultyWriter(extra: Operations = {}) {
  const place = sqlitePlace();
  const faults = { commit: '', open: '' };
  const clock = { now: 1000 * HOUR };
  let opened = 0;
  const failing = (code: string): Error => Object.assign(new Error(`made to fail: ${code}`), { code });
  const open = (): Connection => {
    if (faults.open !== '') throw failing(faults.open);
    opened += 1;
    const connection = openWriting(place.file);
    const control = connection.control.bind(connection);
    connection.control = (command) => {
      if (command !== 'commit' || faults.commit === '') return control(command);
      const code = faults.commit;
      faults.commit = '';
      // What is known of an input/output error at this point is nothing: here the rows are there.
      if (code.startsWith('SQLITE_IOERR')) control('commit');
      throw failing(code);
    };
    return connection;
  };
  let salted = 0;
  const salt = (): Uint8Array => {
    salted += 1;
    return Buffer.alloc(16, salted);
  };
  const operations = { ...writes, ...extra };
  const writer = new Writer({ open, operations, now: () => clock.now, salt });
  const write = async (...requests: [name: string, input: unknown][]): Promise<readonly WriteReply[]> => {
    const batch = requests.map(([name, input], id) => ({ id, name, input }));
    return (await writer.commit(batch)).replies;
  };
  return { place, writer, write, faults, clock, opened: () => opened };
}

const reasonOf = (reply: WriteReply | undefined): unknown =>
  reply !== undefined && 'error' in reply ? (reply.error.fields.reason ?? reply.error.name) : 'done';

test('an input/output error at the commit: all are told that the outcome is unknown, and the file is opened again', async () => {
  const { place, writer, write, faults, opened } = faultyWriter();
  faults.commit = 'SQLITE_IOERR_FSYNC';
  const replies = await write(
    ['putAndAppend', { key: 'a' }],
    ['failAfterAll', { key: 'b' }],
    ['put', { key: 'c' }],
  );
  assert.deepEqual(replies.map(reasonOf), ['input-output', 'input-output', 'input-output']);
  // The rows are there after all: whoever tries again meets its own key, and the chain goes on from the head as it is.
  const again = await write(['putAndAppend', { key: 'a' }], ['putAndAppend', { key: 'd' }]);
  assert.deepEqual(again.map(reasonOf), ['SqliteError', 'done']);
  assert.equal(opened(), 2);
  writer.close();
  const engine = await place.open();
  assert.deepEqual(await engine.read(listKeys, {}), ['a', 'c', 'd']);
  assert.deepEqual(await soundChain(engine), ['a', 'd']);
  await engine.close();
  await place.remove();
});

test('a full disk at the commit: rolled back, and the same connection goes on', async () => {
  const { place, writer, write, faults, opened } = faultyWriter();
  faults.commit = 'SQLITE_FULL';
  assert.deepEqual((await write(['put', { key: 'a' }], ['put', { key: 'b' }])).map(reasonOf), [
    'full',
    'full',
  ]);
  assert.deepEqual((await write(['put', { key: 'a' }])).map(reasonOf), ['done']);
  assert.equal(opened(), 1);
  writer.close();
  await place.remove();
});

test('while the file cannot be opened every write is refused; then it goes on', async () => {
  const { place, writer, write, faults } = faultyWriter();
  faults.commit = 'SQLITE_IOERR_WRITE';
  faults.open = 'SQLITE_CANTOPEN';
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual((await write(['put', { key: `k${round}` }])).map(reasonOf), ['input-output']);
  }
  faults.open = '';
  assert.deepEqual((await write(['put', { key: 'z' }])).map(reasonOf), ['done']);
  writer.close();
  await place.remove();
});

const limitPages = statement<object, unknown>((db) => ({
  ...db.selectFrom('domain').selectAll().compile(),
  sql: 'pragma max_page_count = 1',
}));
const freePages = statement<object, unknown>((db) => ({
  ...db.selectFrom('domain').selectAll().compile(),
  sql: 'pragma max_page_count = 1000000',
}));
const insertLarge = statement<{ text: Uint8Array }>((db, p) =>
  db.insertInto('content').values({ size: 0, layout: '[]', text: p('text') }),
);

test('a database that may not grow: callers are told that it is full, and no half of a batch stays', async () => {
  const large = async (tx: Transaction, { key }: { key: string }): Promise<void> => {
    await writes.putAndAppend(tx, { key });
    await tx.run(insertLarge, { text: Buffer.alloc(100_000) });
  };
  const pages = async (tx: Transaction, { free }: { free: boolean }): Promise<void> => {
    await tx.all(free ? freePages : limitPages, {});
  };
  const { place, writer, write } = faultyWriter({ large, pages });
  await write(['pages', { free: false }]);
  const replies = (await write(['put', { key: 'a' }], ['large', { key: 'b' }], ['put', { key: 'c' }])).map(
    reasonOf,
  );
  assert.equal(replies[1], 'full');
  await write(['pages', { free: true }]);
  assert.deepEqual((await write(['large', { key: 'd' }])).map(reasonOf), ['done']);
  writer.close();
  const engine = await place.open();
  const done = ['a', 'b', 'c'].filter((_, at) => replies[at] === 'done');
  assert.deepEqual(await engine.read(listKeys, {}), [...done, 'd']);
  assert.deepEqual(await soundChain(engine), ['d']);
  await engine.close();
  await place.remove();
});

test('time never goes back along the chain', async () => {
  const { place, writer, write, clock } = faultyWriter();
  await write(['putAndAppend', { key: 'a' }]);
  clock.now -= 48 * HOUR;
  await write(['putAndAppend', { key: 'b' }]);
  clock.now += 72 * HOUR;
  await write(['putAndAppend', { key: 'c' }]);
  writer.close();
  const engine = await place.open();
  assert.deepEqual(await soundChain(engine), ['a', 'b', 'c']);
  const rows = await engine.read((tx) => tx.all(recordedTimes, {}), {});
  assert.deepEqual(rows, [{ at: 1000 * HOUR }, { at: 1000 * HOUR }, { at: 1024 * HOUR }]);
  await engine.close();
  await place.remove();
});

const recordedTimes = statement<object, { at: number }>((db) =>
  db.selectFrom('registro').select('recorded_at as at').orderBy('seq'),
);

test('an operation that leaves something running cannot write after its end', async () => {
  let late: Promise<unknown> = Promise.resolve();
  const careless = async (tx: Transaction): Promise<void> => {
    late = new Promise((resolve) => setImmediate(resolve)).then(() => tx.append(eventOf('late')));
  };
  const { place, writer, write } = faultyWriter({ careless });
  assert.deepEqual((await write(['careless', {}])).map(reasonOf), ['done']);
  await assert.rejects(late, /has ended/);
  writer.close();
  await place.remove();
});

test('whatever the texts hold, the rows prove the chain', async () => {
  const append = async (tx: Transaction, events: RegisterEvent[]): Promise<void> => {
    for (const event of events) await tx.append(event);
  };
  const { place, writer, write } = faultyWriter({ append });
  const odd = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud800', 'a\udc00b', 'nul\0nul', '\u2028', '"\\'),
  );
  const event = fc.record({ identificativo: odd, sender: odd, subject: odd, gestore: odd, text: odd });
  const events = fc.sample(event, 60).map(({ text, ...rest }) => ({
    ...eventOf('k'),
    ...rest,
    recipients: [text, rest.sender],
    related: [text],
    detail: { [`k${text}`]: text, a: '1' },
  }));
  assert.deepEqual((await write(['append', events])).map(reasonOf), ['done']);
  writer.close();
  const engine = await place.open();
  assert.equal((await soundChain(engine)).length, 60);
  await engine.close();
  await place.remove();
});
