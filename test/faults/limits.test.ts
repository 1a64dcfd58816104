import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { settled, type TestGestore, twoGestori } from '../support/gestore.js';
import { Disconnected, SmtpClient } from '../support/mail-clients.js';
import { needs } from '../support/programs.js';
import { Promises } from './promises.js';
import { eventually, logged, untilReady } from './watching.js';

/** A resource limit of the server's process, from now on. */
function limit(gestore: TestGestore, resource: string): void {
  const args = ['--pid', String(gestore.pid), resource];
  const result = spawnSync('prlimit', args, { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
}
const allowFiles = (gestore: TestGestore, count: number): void => limit(gestore, `--nofile=${count}:`);

const status = (gestore: TestGestore): string => readFileSync(`/proc/${gestore.pid}/status`, 'utf8');

const openFiles = (gestore: TestGestore): number => readdirSync(`/proc/${gestore.pid}/fd`).length;

/** Clock ticks of processor time the server has used. */
function ticks(gestore: TestGestore): number {
  const fields = readFileSync(`/proc/${gestore.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Kilobytes of memory the server had at most so far. */
const peak = (gestore: TestGestore): number => Number(/^VmHWM:\s+(\d+) kB/m.exec(status(gestore))?.[1]);

test('no file can be opened any more: nobody is lied to, and it goes on by itself', {
  skip: needs('prlimit'),
}, async (t) => {
  const pair = await twoGestori(t, { alfa: { mailboxes: ['anna'] } });
  const { alfa } = pair;
  const promises = new Promises(pair);
  await promises.sent({ octets: 200_000 });
  await settled(pair);
  const before = openFiles(alfa);
  allowFiles(alfa, before + 6);
  const clients: SmtpClient[] = [];
  let turnedAway = 0;
  // As many connections as it can have, and more: some are dropped, and once libuv has lost its spare descriptor they wait.
  const waiting: Promise<unknown>[] = [];
  for (let more = 0; more < 20 && waiting.length < 3; more += 1) {
    const opened = SmtpClient.open(alfa.server(25), 'none').then(
      (client) => clients.push(client),
      (error: unknown) => {
        if (!(error instanceof Disconnected)) throw error;
      },
    );
    const before = clients.length;
    const served = await Promise.race([opened.then(() => true), sleep(3000, false)]);
    if (!served) waiting.push(opened);
    if (clients.length === before) turnedAway += 1;
  }
  assert.ok(turnedAway > 0, 'some found no place');
  assert.ok(clients.length > 0, 'and some did');
  // Those that have one are served: what needs a file gets a temporary error.
  const [first] = clients;
  assert.ok(first);
  await first.ask(`MAIL FROM:<>`);
  await first.ask(`RCPT TO:<${alfa.address('anna')}>`);
  const reply = await first.data(Buffer.from(`Subject: x\r\n\r\n${'x'.repeat(70)}\r\n`.repeat(2000)));
  assert.match(reply.line, /^451 4\.3\.0 /);
  await logged(alfa, /"event":"store\.unavailable","operation":"spool".*EMFILE/);
  // It waits for the shortage to end without turning in circles: a loop would use all of a processor.
  const used = ticks(alfa);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.ok(ticks(alfa) - used < 120, 'it does not spin');
  for (const client of clients.splice(0)) client.close();
  allowFiles(alfa, 1024);
  await Promise.all(waiting);
  for (const client of clients) client.close();
  await eventually('its files are closed', () => openFiles(alfa) <= before + 2);
  await untilReady(alfa, 200);
  await promises.recovered({ octets: 200_000 });
  await promises.kept();
});

test('large messages pass in little memory', async (t) => {
  const pair = await twoGestori(t, {
    alfa: { mailboxes: ['anna'] },
    prepare: async ({ alfa, beta }) => {
      for (const gestore of [alfa, beta]) gestore.nodeOptions.push('--max-old-space-size=64');
    },
  });
  const promises = new Promises(pair);
  const { alfa, beta } = pair;
  await promises.sent({ octets: 5_000_000 });
  await settled(pair);
  const before = [alfa, beta].map(peak);
  // 160 MB pass, four at a time.
  for (let turn = 0; turn < 2; turn += 1) {
    await Promise.all(Array.from({ length: 4 }, () => promises.sent({ octets: 20_000_000 })));
  }
  await settled(pair);
  for (const [index, gestore] of [alfa, beta].entries()) {
    const grown = (peak(gestore) - (before[index] ?? 0)) / 1024;
    t.diagnostic(
      `${gestore.name}: ${Math.round((before[index] ?? 0) / 1024)} MB, then ${Math.round(grown)} MB more`,
    );
    assert.ok(grown < 160, `${gestore.name} grew by ${grown} MB`);
  }
  assert.ok((await beta.inbox('bruno').messages()).length === 9);
  await promises.kept();
});

test('no more memory to be had: it dies, or it lives, and loses nothing', {
  skip: needs('prlimit'),
}, async (t) => {
  const pair = await twoGestori(t, { alfa: { mailboxes: ['anna'] } });
  const { alfa } = pair;
  const promises = new Promises(pair);
  await promises.sent({ octets: 100_000 });
  const space = Number(/^VmSize:\s+(\d+) kB/m.exec(status(alfa))?.[1]) * 1024;
  limit(alfa, `--as=${space + 120_000_000}:`);
  // Whether it dies of this is not ours to say.
  await Promise.all(Array.from({ length: 100 }, () => promises.send({ octets: 1_000_000 }).catch(refused)));
  t.diagnostic(`${promises.accepted} accepted; it ended with ${await alfa.stop('SIGKILL')}`);
  await alfa.start();
  await promises.recovered();
  await promises.kept();
});

/** Nobody listens any more. */
function refused(error: unknown): undefined {
  if (error instanceof Error && 'code' in error) return undefined;
  throw error;
}
