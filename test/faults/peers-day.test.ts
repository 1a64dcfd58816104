import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { noticesOfFailure } from '../../src/delivery-point/index.js';
import { openRelay, storeQueue } from '../../src/relay/index.js';
import { defaultTimeouts } from '../../src/smtp/index.js';
import { inspectionRules } from '../../src/storage/index.js';
import { SilenceNotices } from '../../src/timers/index.js';
import { routed, until } from '../relay/house.js';
import { selfSigned } from '../smtp/certificate.js';
import { labels } from '../support/notices.js';
import { twoPoints } from '../support/pair.js';
import { HOUR } from '../support/points.js';
import { StubbornPeer } from './stubborn-peer.js';

const anna = 'anna@pec.alfa.example';
const bruno = 'bruno@pec.beta.example';
const BETA = 'pec.beta.example';
const QUARTER = HOUR / 4;

/** Alfa with its real relay, and a beta that answers 421 to every connection; the clock is the test's. */
async function turnedAway(t: TestContext) {
  const releases: (() => Promise<void> | void)[] = [];
  const scope = { after: (release: () => Promise<void> | void) => void releases.push(release) };
  // The relay ends before the store it works on.
  t.after(async () => {
    for (const release of releases.reverse()) await release();
  });
  const { alfa, clock } = await twoPoints(scope);
  const { store, issuer, telemetry, hostname, directory } = alfa;
  const certificate = selfSigned('mail.pec.beta.example');
  const peer = new StubbornPeer(certificate);
  const port = await peer.listen();
  scope.after(() => peer.close());
  peer.stage = 'greeting';
  peer.manner = '421';
  const relay = await openRelay({
    queue: storeQueue(store),
    local: {
      isOwnDomain: (domain) => directory.isOwnDomain(domain),
      domains: async () => directory.own().managedDomains,
      receive: async () => {
        throw new Error('nothing here is for us');
      },
    },
    notices: (failed, changes) =>
      noticesOfFailure({ store, issuer, hostname, clock: clock.read }, failed, changes),
    routing: routed({ [BETA]: port }),
    tls: { required: true, ca: [certificate.cert] },
    timeouts: defaultTimeouts,
    backoff: { first: 2_000, max: QUARTER },
    owner: hostname,
    random: () => 0.5,
    telemetry,
    clock: clock.read,
  });
  scope.after(() => relay.stop(100));
  const silence = new SilenceNotices({ store, issuer, telemetry, clock: clock.read });
  const rested = (): Promise<void> =>
    until(async () => {
      const rows = await alfa.queue();
      return rows.every(({ state, nextAttempt }) => state === 'due' && nextAttempt > clock.now);
    });
  return {
    alfa,
    peer,
    /** Lets so much time go by, a quarter of an hour after the other. */
    async pass(ms: number): Promise<void> {
      for (const end = clock.now + ms; clock.now < end; ) {
        await rested();
        await silence.issueDue();
        clock.advance(QUARTER);
        relay.wake();
      }
      await rested();
      await silence.issueDue();
    },
    standing: () => telemetry.standing().map(({ name, about }) => `${name} ${about}`),
    /** What the doctor would look for. */
    async sound(): Promise<void> {
      for (const rule of inspectionRules) assert.equal(await store.read('inspectRule', { rule }), null);
    },
    told: async () => labels(await alfa.inbox(anna)).map((label) => label.split(' ')[0]),
  };
}

describe('a peer that answers 421', { timeout: 300_000 }, () => {
  it('for half a day: tried all the while, an alarm, handed over once when it takes it', async (t) => {
    const { alfa, peer, pass, standing, told, sound } = await turnedAway(t);
    await alfa.submit({ from: anna, to: [bruno] });
    await pass(10 * HOUR);
    assert.ok(peer.connections >= 40, `${peer.connections} tries`);
    assert.deepEqual(standing(), [`peer-unreachable ${BETA}`]);
    assert.deepEqual(await told(), ['accettazione']);
    peer.stage = undefined;
    await pass(HOUR);
    assert.equal(peer.messages.length, 1);
    assert.deepEqual(await alfa.queue(), []);
    // It is told after the commit that empties the queue.
    await until(() => standing().length === 0);
    await sound();
  });

  it('for a day: decisions 3, 10: two notices of silence, and no more; the next message finds it mended', async (t) => {
    const { alfa, peer, pass, standing, told, sound } = await turnedAway(t);
    const id = await alfa.submit({ from: anna, to: [bruno] });
    await pass(13 * HOUR);
    assert.equal((await told()).length, 2, 'the first notice');
    await pass(10.5 * HOUR);
    assert.equal((await told()).length, 3, 'the second');
    assert.equal((await alfa.queue()).length, 1, 'tried until the day is over');
    await pass(2 * HOUR);
    assert.deepEqual(await alfa.queue(), []);
    assert.deepEqual(standing(), [`peer-unreachable ${BETA}`], 'nothing says that it is back');
    await pass(24 * HOUR);
    assert.equal((await told()).length, 3);
    assert.equal(peer.messages.length, 0);
    const events = (await alfa.events(id)).map(({ event }) => event);
    assert.equal(events.filter((event) => event === 'accettazione').length, 1);
    peer.stage = undefined;
    await alfa.submit({ from: anna, to: [bruno] });
    await pass(HOUR);
    assert.equal(peer.messages.length, 1);
    await until(() => standing().length === 0);
    await sound();
  });
});
