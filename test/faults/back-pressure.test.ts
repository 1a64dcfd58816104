import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled, twoGestori } from '../support/gestore.js';
import { Promises } from './promises.js';
import { alarmed, logged, untilReady } from './watching.js';

test('a queue that does not empty: submissions are put off before any data, receipts come in', async (t) => {
  const pair = await twoGestori(t, { alfa: { mailboxes: ['anna'], config: { 'limits.queue': '5' } } });
  const { alfa, beta } = pair;
  const promises = new Promises(pair);
  await promises.sent();
  await settled(pair);
  await beta.stop();
  for (let turn = 0; turn < 5; turn += 1) await promises.sent();
  const checks = await untilReady(alfa, 503);
  assert.deepEqual([checks.queue, checks.store, checks.disk], [false, true, true]);
  assert.match(await alarmed(alfa, 'queue-long'), /5 rows to send, the bound is 5; submissions are put off/);
  assert.match((await promises.send())?.line ?? '', /^451 4\.3\.2 /);
  // Between the bound and twice the bound other gestori are still heard.
  const peer = await alfa.receive({
    from: '',
    to: [alfa.address('nessuno')],
    content: Buffer.from('Subject: x\r\n\r\nx\r\n'),
  });
  assert.match(peer.line, /^550 /);
  await beta.start();
  await untilReady(alfa, 200);
  await logged(alfa, /"event":"intake\.resumed","cause":"queue"/);
  await promises.recovered();
  await promises.kept();
});
