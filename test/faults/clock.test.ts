import assert from 'node:assert/strict';
import { test } from 'node:test';
import { step, twoGestori } from '../support/gestore.js';
import { FakeNtpServer } from '../support/ntp-server.js';
import { Promises } from './promises.js';
import { courseOf, eventually, readiness, untilCleared, untilRaised } from './watching.js';

test('a gestore that goes by the clock, and servers that say it is wrong (decisions 30)', async (t) => {
  const server = await FakeNtpServer.open();
  t.after(() => server.close());
  const pair = await twoGestori(t, {
    alfa: {
      config: { testing: 'false', 'clock.ntp': `["127.0.0.1:${server.port}"]`, 'clock.interval': '15s' },
    },
  });
  const { alfa } = pair;
  const promises = new Promises(pair);
  const clockEntries = async () => (await alfa.events('--event', 'orologio')).map(({ detail }) => detail);

  await step(
    t,
    pair,
    'exact: mail is certified, and the register says by what the clock was measured',
    async () => {
      assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', /^250 /);
      const [entry] = await clockEntries();
      assert.equal(entry?.stato, 'esatto');
      assert.equal(entry?.fonti, `127.0.0.1:${server.port}`);
      await promises.kept();
    },
  );

  await step(t, pair, 'two seconds off: nothing is certified, neither sent nor received', async () => {
    server.says = { ahead: 2_000 };
    await untilRaised(alfa, 'clock-offset');
    assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', /^451 /);
    assert.deepEqual((await readiness(alfa)).alarms, ['clock-offset']);
    assert.equal((await readiness(alfa)).code, 503);
    assert.equal((await clockEntries()).at(-1)?.stato, 'errato');
    assert.match((await clockEntries()).at(-1)?.scarto ?? '', /^\+[12]\.\d{3} s$/);
    // Of beta's letter alfa gives no presa in carico; beta keeps it and comes again.
    assert.match((await promises.send({ from: 'beta' }))?.line ?? '', /^250 /);
    await eventually('alfa puts it off', async () => {
      const [row] = await pair.beta.queue();
      return row !== undefined && row.attempts > 0;
    });
    assert.match((await pair.beta.queue())[0]?.lastError ?? '', /451/);
  });

  await step(t, pair, 'right again: all goes on by itself', async () => {
    server.says = {};
    await untilCleared(alfa, 'clock-offset');
    assert.equal((await readiness(alfa)).code, 200);
    assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', /^250 /);
    await promises.kept();
    assert.deepEqual(courseOf(alfa, 'clock-offset'), ['raised', 'cleared']);
  });
});
