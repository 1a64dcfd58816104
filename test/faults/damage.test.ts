import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { settled, type TestGestore, twoGestori } from '../support/gestore.js';
import { Pop3Client } from '../support/mail-clients.js';
import { Promises } from './promises.js';
import { alarmed, logged, metric } from './watching.js';

const database = (gestore: TestGestore): string => join(gestore.dir, 'data', 'ceralacca.db');

/** The files of a gestore's large blobs. */
function blobs(gestore: TestGestore): string[] {
  const db = new Database(database(gestore), { readonly: true });
  const hashes = db.prepare<[], string>('select hash from blob where bytes is null').pluck().all();
  db.close();
  return hashes.map((hash) => join(gestore.dir, 'data', 'blobs', hash.slice(0, 2), hash.slice(2, 4), hash));
}

const damages: Readonly<Record<string, (file: string) => void>> = {
  missing: (file) => renameSync(file, `${file}.aside`),
  'with other bytes': (file) => {
    const bytes = readFileSync(file);
    writeFileSync(`${file}.aside`, bytes);
    const other = Buffer.from(bytes);
    other.write('Gentile cliente', 100_000);
    writeFileSync(file, other);
  },
  'cut short': (file) => {
    writeFileSync(`${file}.aside`, readFileSync(file));
    truncateSync(file, 100_000);
  },
};

for (const [name, damage] of Object.entries(damages)) {
  test(`a blob ${name}: it waits, the others go on`, async (t) => {
    const pair = await twoGestori(t, { alfa: { mailboxes: ['anna'] } });
    const { alfa, beta } = pair;
    const promises = new Promises(pair);
    await beta.stop();
    const stuck = await promises.sent({ octets: 300_000 });
    const [file = ''] = blobs(alfa);
    // Started anew, it believes nothing it has not looked at.
    await alfa.stop();
    damage(file);
    await alfa.start();
    await beta.start();
    const alarm = await alarmed(alfa, 'blob-damaged');
    assert.ok(alarm.includes(file.slice(-64)) && alarm.includes(stuck), alarm);
    const other = await promises.sent({ octets: 250_000 });
    await beta.inbox('bruno').waitFor((message) => message.header.includes(other));
    const rows = await alfa.queue();
    assert.deepEqual(
      rows.map(({ identificativo }) => identificativo),
      [stuck],
    );
    // Put off like a row whose peer does not answer: not tried again and again without a pause.
    const before = await metric(alfa, 'alarms_total', '{name="blob-damaged"}');
    await promises.sent();
    assert.ok((await metric(alfa, 'alarms_total', '{name="blob-damaged"}')) - before < 10);
    assert.match((await alfa.try(['doctor', '--deep'])).out, new RegExp(file.slice(-64)));
    renameSync(`${file}.aside`, file);
    // It goes by itself at its next turn.
    await promises.kept();
  });
}

test('a message whose blob is gone is refused to its reader, the others are not', async (t) => {
  const pair = await twoGestori(t, { alfa: { mailboxes: ['anna'] } });
  const { beta } = pair;
  const promises = new Promises(pair);
  await promises.sent({ octets: 300_000 });
  // The order in the mailbox is the order of arrival.
  await settled(pair);
  await promises.sent();
  await settled(pair);
  const files = blobs(beta);
  for (const file of files) renameSync(file, `${file}.aside`);
  const reader = await Pop3Client.open(beta.server(995));
  const { address, password } = beta.account('bruno');
  await reader.login(address, password);
  await assert.rejects(reader.retrieve(1), /-ERR \[SYS\/PERM\] Messaggio danneggiato/);
  await assert.rejects(reader.ask('TOP 1 0'), /-ERR \[SYS\/PERM\]/);
  assert.ok((await reader.retrieve(2)).length > 0);
  await reader.quit();
  assert.match(
    await alarmed(beta, 'blob-damaged'),
    new RegExp(files.map((file) => file.slice(-64)).join('|')),
  );
  for (const file of files) renameSync(`${file}.aside`, file);
  await promises.kept();
});

test('a damaged page of the database: what needs it is put off, nothing wrong is said', async (t) => {
  const pair = await twoGestori(t, { alfa: { mailboxes: ['anna', 'aldo'] } });
  const { alfa } = pair;
  alfa.sound = false;
  const promises = new Promises(pair);
  for (let turn = 0; turn < 3; turn += 1) await promises.sent();
  await settled(pair);
  await alfa.stop();
  const db = new Database(database(alfa));
  const root =
    db.prepare<[], number>("select rootpage from sqlite_schema where name = 'message'").pluck().get() ?? 0;
  const size = Number(db.pragma('page_size', { simple: true }));
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  const file = openSync(database(alfa), 'r+');
  writeSync(file, randomBytes(size), 0, size, (root - 1) * size);
  closeSync(file);
  await alfa.start();
  const reader = await Pop3Client.open(alfa.server(995));
  const { address, password } = alfa.account('anna');
  await assert.rejects(reader.login(address, password), /-ERR \[SYS\/TEMP\]/);
  reader.close();
  assert.match((await promises.send())?.line ?? '', /^451 4\.3\.0 /);
  await logged(alfa, /"event":"store\.unavailable".*malformed/);
  assert.ok((await metric(alfa, 'store_unavailable_total')) >= 1);
  const { code, out } = await alfa.try(['doctor', '--deep']);
  assert.equal(code, 1);
  assert.match(out, /database +failed .*malformed.*restore the last backup/);
});

for (const [name, spoil] of Object.entries({
  'garbage behind the WAL': (wal: string) => appendFileSync(wal, randomBytes(50_000)),
  'a torn frame behind the WAL': (wal: string) => {
    const bytes = readFileSync(wal);
    appendFileSync(wal, bytes.subarray(32, 32 + 2000));
  },
})) {
  test(`${name} after a kill: everything acknowledged is there`, async (t) => {
    const pair = await twoGestori(t, { alfa: { mailboxes: ['anna'] } });
    const { alfa } = pair;
    const promises = new Promises(pair);
    for (let turn = 0; turn < 5; turn += 1) await promises.sent({ octets: turn % 2 === 0 ? 2000 : 100_000 });
    await alfa.stop('SIGKILL');
    const wal = `${database(alfa)}-wal`;
    assert.ok(statSync(wal).size > 0);
    spoil(wal);
    await alfa.start();
    await promises.sent();
    await promises.kept();
  });
}

test('a WAL that was cut off: the store is whole, as it was earlier', async (t) => {
  const pair = await twoGestori(t, { alfa: { mailboxes: ['anna'] } });
  const { alfa } = pair;
  // What a disk forgets that said it had it, no program can give back: but what is left must fit together.
  alfa.sound = true;
  const promises = new Promises(pair);
  for (let turn = 0; turn < 5; turn += 1) await promises.sent();
  await settled(pair);
  await alfa.stop('SIGKILL');
  const wal = `${database(alfa)}-wal`;
  truncateSync(wal, Math.floor(statSync(wal).size / 2));
  await alfa.start();
  assert.match((await promises.send())?.line ?? '', /^250 /);
  await settled(pair);
  assert.match(await alfa.run(['registro', 'verify']), /^untouched: /);
});
