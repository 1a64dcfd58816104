import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Pair, settled, type TestGestore, twoGestori } from '../support/gestore.js';
import { needsMount, SmallDisk } from './disks.js';
import { Promises } from './promises.js';
import { alarmed, eventually, logged, metric, untilReady } from './watching.js';

const skip = needsMount();
const KB = 1024;
const MB = 1024 * KB;

/** Alfa with a folder on a small disk, and so much of it kept free. */
async function place(t: Parameters<typeof twoGestori>[0], inside: string, size: string, reserve: string) {
  const disks: SmallDisk[] = [];
  const pair = await twoGestori(t, {
    alfa: { mailboxes: ['anna'], config: { 'limits.disk_reserve': reserve } },
    prepare: async ({ alfa }) => void disks.push(SmallDisk.on(alfa, inside, size)),
  });
  const [disk] = disks;
  assert.ok(disk);
  return { pair, disk, promises: new Promises(pair) };
}

const mailFrom = async ({ alfa, beta }: Pair): Promise<string> => {
  // Nothing is sent but the envelope: the answer must come before any data.
  const reply = await alfa.submit(alfa.account('anna'), {
    to: [beta.address('bruno')],
    content: Buffer.from('never sent'),
    parameters: ' SIZE=1000',
  });
  return reply.line;
};

test('nearly full: mail is put off at MAIL, what is under way has the room', { skip }, async (t) => {
  const { pair, disk, promises } = await place(t, 'data', '48m', '16MB');
  const { alfa, beta } = pair;
  await promises.sent();
  await promises.sent({ octets: 300 * KB });
  await beta.stop();
  const waiting = await promises.sent({ octets: 200 * KB });
  disk.fill(12 * MB);
  const checks = await untilReady(alfa, 503);
  assert.deepEqual([checks.disk, checks.store], [false, true]);
  assert.match(await alarmed(alfa, 'disk-low'), /submissions are put off/);
  assert.match(await mailFrom(pair), /^452 4\.3\.1 /);
  // Peers still bring their receipts, and what waits goes out: that is what the reserve is for.
  await beta.start();
  await settled(pair);
  assert.ok(
    (await alfa.events('--identificativo', waiting)).some(({ event }) => event === 'ricezione-notifica'),
  );
  disk.fill(4 * MB);
  await logged(alfa, /"name":"disk-low".*no mail is taken/);
  const reply = await alfa.receive({ from: '', to: [alfa.address('anna')], content: Buffer.from('x') });
  assert.match(reply.line, /^452 4\.3\.1 /);
  disk.clear();
  await untilReady(alfa, 200);
  await logged(alfa, /"event":"intake\.resumed","cause":"disk"/);
  await promises.recovered();
  await promises.kept();
});

test('a message that would not leave the reserve free is refused by its SIZE', { skip }, async (t) => {
  const { pair, disk, promises } = await place(t, 'data', '48m', '16MB');
  disk.fill(20 * MB);
  await eventually('the disk is seen', async () => (await metric(pair.alfa, 'disk_free_bytes')) <= 20 * MB);
  const reply = await promises.send({ octets: 1000, parameters: ` SIZE=${10 * MB}` });
  assert.match(reply?.line ?? '', /^452 4\.3\.1 /);
  await promises.sent({ octets: 2 * MB });
  disk.clear();
  await promises.kept();
  assert.doesNotMatch(pair.alfa.log, /"event":"alarm"/);
});

/** Full to the last octet, with next to nothing kept: the disk itself says no. */
async function fullToTheLast(
  { pair, disk, promises }: Awaited<ReturnType<typeof place>>,
  octets: number,
): Promise<void> {
  const { alfa } = pair;
  await promises.sent({ octets });
  await settled(pair);
  disk.fill();
  const reply = await promises.send({ octets });
  assert.match(reply?.line ?? '', /^452 4\.3\.1 /);
  await told(alfa);
  // Reading goes on.
  assert.ok((await alfa.inbox('anna').messages()).length >= 2);
  disk.clear();
  await promises.recovered({ octets });
  await untilReady(alfa, 200);
  await promises.kept();
}

const told = async (alfa: TestGestore): Promise<void> => {
  await logged(alfa, /"event":"(store\.unavailable|alarm)"/);
  const alarms = await metric(alfa, 'alarms_total', '{name="disk-low"}');
  assert.ok(alarms + (await metric(alfa, 'store_unavailable_total')) >= 1);
};

// A reserve of 4 KB is none: so these are answered by the disk, not by the gate before it.
test('full spool', { skip }, async (t) => fullToTheLast(await place(t, 'data/spool', '8m', '4KB'), 500 * KB));

test('full blobs', { skip }, async (t) => fullToTheLast(await place(t, 'data/blobs', '8m', '4KB'), 500 * KB));

test('full database: the WAL cannot grow', { skip }, async (t) => {
  const here = await place(t, 'data', '48m', '4KB');
  const { pair, disk, promises } = here;
  const { alfa } = pair;
  // So much at once that it does not fit where the WAL has room already.
  for (let turn = 0; turn < 3; turn += 1) await promises.sent({ octets: 60 * KB });
  await settled(pair);
  disk.fill();
  const replies = await Promise.all(Array.from({ length: 60 }, () => promises.send({ octets: 60 * KB })));
  const refused = replies.filter((reply) => reply?.code !== 250);
  assert.ok(refused.length > 0, 'the disk was full');
  for (const reply of refused) assert.match(reply?.line ?? '', /^(452 4\.3\.1|451 4\.3\.0) /);
  const checks = await untilReady(alfa, 503);
  assert.ok(!checks.store || !checks.disk);
  await told(alfa);
  disk.clear();
  await untilReady(alfa, 200);
  await promises.recovered({ octets: 60 * KB });
  await promises.kept();
});

test('read-only at the start: it says so and ends', { skip }, async (t) => {
  const { pair, disk, promises } = await place(t, 'data', '48m', '1MB');
  const { alfa } = pair;
  await promises.sent({ octets: 200 * KB });
  await settled(pair);
  assert.equal(await alfa.stop(), 0);
  disk.readOnly(true);
  await assert.rejects(alfa.start(), /ended at its start[\s\S]*read-?only/i);
  disk.readOnly(false);
  await alfa.start();
  await promises.recovered();
  await promises.kept();
});
