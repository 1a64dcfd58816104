import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { replyFor } from '../../src/smtp/index.js';
import { SilenceNotices } from '../../src/timers/index.js';
import { step, twoGestori } from '../support/gestore.js';
import { labels } from '../support/notices.js';
import { twoPoints } from '../support/pair.js';
import { HOUR, type Point } from '../support/points.js';
import { Promises } from './promises.js';
import { courseOf, readiness, untilCleared, untilRaised } from './watching.js';

const anna = 'anna@pec.alfa.example';
const bruno = 'bruno@pec.beta.example';

/** `alarm` and `alarm.cleared` of the signer, in order. */
const course = ({ telemetry }: Point): string[] =>
  telemetry.recorded.flatMap(({ name, fields }) =>
    (name === 'alarm' || name === 'alarm.cleared') && fields.name === 'signer-unavailable' ? [name] : [],
  );

/** What a session would answer. */
async function answer(handedIn: Promise<unknown>): Promise<number> {
  try {
    await handedIn;
    return 250;
  } catch (error) {
    return replyFor(error).code;
  }
}

/** A fault of the key: how it begins, and how it ends. */
const faults: Readonly<Record<string, (point: Point) => () => void>> = {
  fails: ({ switches }) => {
    switches.signerDown = true;
    return () => {
      switches.signerDown = false;
    };
  },
  hangs: ({ switches }) => {
    let end: () => void = () => undefined;
    switches.signerHangs = new Promise((resolve) => {
      end = resolve;
    });
    return () => {
      switches.signerHangs = undefined;
      end();
    };
  },
};

for (const [what, begin] of Object.entries(faults)) {
  describe(`a key that ${what}`, () => {
    it('accepts nothing, and nothing unsigned is kept or sent', async (t) => {
      const { alfa } = await twoPoints(t);
      const end = begin(alfa);
      const entries = (await alfa.events()).length;
      for (let count = 0; count < 2; count++) {
        assert.equal(await answer(alfa.submit({ from: anna, to: [bruno] })), 451);
      }
      // A non-accettazione is signed too.
      assert.equal(await answer(alfa.submit({ from: anna, to: [bruno], fields: ['Bcc: x@y.example'] })), 451);
      assert.deepEqual(await alfa.queue(), []);
      assert.deepEqual(await alfa.inbox(anna), []);
      assert.equal((await alfa.events()).length, entries);
      assert.deepEqual(course(alfa), ['alarm']);
      assert.equal(await alfa.signer.works(), false);
      end();
      assert.equal(await alfa.signer.works(), true);
      assert.deepEqual(course(alfa), ['alarm', 'alarm.cleared']);
      assert.equal(await answer(alfa.submit({ from: anna, to: [bruno] })), 250);
    });

    it('takes nothing in charge; the envelope waits and arrives once', async (t) => {
      const { alfa, beta, clock, network } = await twoPoints(t);
      const end = begin(beta);
      await alfa.submit({ from: anna, to: [bruno] });
      await network.pump();
      assert.deepEqual(
        (await alfa.queue()).map(({ recipient, attempts }) => [recipient, attempts]),
        [[bruno, 1]],
      );
      assert.deepEqual(await beta.inbox(bruno), []);
      assert.deepEqual(await beta.queue(), []);
      assert.deepEqual(course(beta), ['alarm']);
      end();
      clock.advance(HOUR);
      await network.pump();
      assert.deepEqual(labels(await beta.inbox(bruno)), ['posta-certificata']);
      assert.deepEqual(labels(await alfa.inbox(anna)), ['accettazione', `avvenuta-consegna ${bruno}`]);
      assert.deepEqual(course(beta), ['alarm', 'alarm.cleared']);
    });

    it('issues no notice of silence, which stays due; nor of a failure, which stays in the queue', async (t) => {
      const { alfa, clock, network } = await twoPoints(t);
      network.onHop = async () => {
        throw new Error('connection refused');
      };
      await alfa.submit({ from: anna, to: [bruno] });
      clock.advance(12 * HOUR);
      const end = begin(alfa);
      const { store, issuer, telemetry } = alfa;
      const silence = new SilenceNotices({ store, issuer, telemetry, clock: clock.read });
      assert.equal((await silence.issueDue()).failed, 1);
      assert.deepEqual(labels(await alfa.inbox(anna)), ['accettazione']);
      end();
      assert.equal((await silence.issueDue()).issued, 1);
      assert.equal((await alfa.inbox(anna)).length, 2);
      assert.deepEqual(telemetry.standing(), []);
    });
  });
}

test('a key file that is not there, at a server that starts and one that reads its files again', async (t) => {
  const pair = await twoGestori(t);
  const { alfa } = pair;
  const promises = new Promises(pair);
  const certs = join(alfa.dir, 'certs');

  await step(t, pair, 'at the start: it says which file, ends, and has done nothing', async () => {
    await alfa.stop();
    const key = join(certs, 'signing.key');
    renameSync(key, `${key}.away`);
    await assert.rejects(alfa.start(), /signing\.key: cannot be read/);
    writeFileSync(key, 'no key', { mode: 0o600 });
    await assert.rejects(alfa.start(), /signing\.key: the private key cannot be opened/);
    renameSync(`${key}.away`, key);
    await alfa.start();
    assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', /^250 /);
  });

  await step(
    t,
    pair,
    'at a reload: the old files go on, an alarm stands until a reload succeeds',
    async () => {
      const key = join(certs, 'tls.key');
      renameSync(key, `${key}.away`);
      const reload = (): boolean => process.kill(alfa.pid ?? 0, 'SIGHUP');
      reload();
      await untilRaised(alfa, 'reload-failed');
      assert.deepEqual((await readiness(alfa)).alarms, ['reload-failed']);
      assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', /^250 /);
      // Half a key is no better than none.
      writeFileSync(key, '-----BEGIN PRIVATE KEY-----\nMIIE\n', { mode: 0o600 });
      reload();
      assert.match((await promises.send({ from: 'alfa' }))?.line ?? '', /^250 /);
      assert.equal((await readiness(alfa)).code, 200);
      renameSync(`${key}.away`, key);
      reload();
      await untilCleared(alfa, 'reload-failed');
      assert.match((await promises.send({ from: 'beta' }))?.line ?? '', /^250 /);
      assert.deepEqual(courseOf(alfa, 'reload-failed'), ['raised', 'cleared']);
      assert.deepEqual((await readiness(alfa)).alarms, []);
    },
  );

  await step(t, pair, 'what was promised is there', () => promises.kept());
});
