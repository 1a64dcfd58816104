import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { settled, type TestGestore, twoGestori } from '../support/gestore.js';
import { Pop3Client } from '../support/mail-clients.js';
import { needs } from '../support/programs.js';
import { Promises } from './promises.js';
import { alarmed, logged, metric, untilReady } from './watching.js';

/** Makes every write to files of the server's process fail until it is told to stop. */
async function failing(gestore: TestGestore, error: string): Promise<() => Promise<void>> {
  const calls = 'pwrite64,pwritev,fdatasync,fsync';
  const tracer = spawn('strace', [
    ...['-f', '-qq', '-o', '/dev/null', '-p', String(gestore.pid)],
    ...['-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}`],
  ]);
  return async () => {
    const ended = once(tracer, 'exit');
    tracer.kill('SIGINT');
    await ended;
  };
}

for (const error of ['EIO', 'EROFS']) {
  test(`the disk answers ${error} for a while`, { skip: needs('strace') }, async (t) => {
    const pair = await twoGestori(t, { alfa: { mailboxes: ['anna'] } });
    const { alfa } = pair;
    const promises = new Promises(pair);
    await promises.sent({ octets: 200_000 });
    await settled(pair);
    const mend = await failing(alfa, error);
    try {
      const checks = await untilReady(alfa, 503);
      assert.equal(checks.store, false);
      await alarmed(alfa, 'store-unwritable');
      // Before any data: the client keeps its message.
      assert.match((await promises.send({ octets: 200_000 }))?.line ?? '', /^451 4\.3\.0 /);
      assert.ok((await alfa.inbox('anna').messages()).length >= 2, 'reading goes on');
    } finally {
      await mend();
    }
    await untilReady(alfa, 200);
    await logged(alfa, /"event":"intake\.resumed","cause":"store"/);
    await promises.recovered({ octets: 200_000 });
    await promises.kept();
  });
}

test('another process holds the database for long', async (t) => {
  const pair = await twoGestori(t, { alfa: { mailboxes: ['anna'] } });
  const { alfa } = pair;
  const promises = new Promises(pair);
  await promises.sent();
  await settled(pair);
  const other = new Database(join(alfa.dir, 'data', 'ceralacca.db'));
  try {
    other.exec('begin exclusive');
    const early = promises.send();
    const checks = await untilReady(alfa, 503);
    assert.equal(checks.store, false);
    assert.match((await early)?.line ?? '', /^451 4\.3\.0 /);
    await alarmed(alfa, 'store-unwritable');
    assert.match((await promises.send())?.line ?? '', /^451 4\.3\.0 /);
    assert.ok((await metric(alfa, 'store_unavailable_total')) >= 1);
    // A deletion is a write: refused, and nothing of it done.
    const reader = await Pop3Client.open(alfa.server(995));
    const { address, password } = alfa.account('anna');
    await reader.login(address, password);
    await reader.ask('DELE 1');
    await assert.rejects(reader.ask('QUIT'), /-ERR \[SYS\/TEMP\]/);
    reader.close();
  } finally {
    other.exec('rollback');
    other.close();
  }
  await untilReady(alfa, 200);
  await promises.recovered();
  await promises.kept();
});
