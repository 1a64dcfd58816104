import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Rope } from '../../src/rope/index.js';
import { connectSmtp, defaultTimeouts } from '../../src/smtp/index.js';
import { type House, openHouse, routed, until } from '../relay/house.js';
import { selfSigned } from '../smtp/certificate.js';
import { type Manner, type Stage, StubbornPeer } from './stubborn-peer.js';

const BETA = 'pec.beta.example';
const GAMMA = 'pec.gamma.example';
const certificate = selfSigned('peer.example');
/** Short where a peer is to be given up, so long elsewhere that nothing else can have ended the wait. */
const timeouts = {
  connect: 5_000,
  command: 400,
  dataInitiation: 400,
  dataBlock: 400,
  dataTermination: 400,
  whole: 60_000,
};
const tls = { required: true, ca: [certificate.cert] };

describe('peers that stop being one', { timeout: 600_000 }, () => {
  let house: House;
  let peer: StubbornPeer;
  let good: StubbornPeer;
  let routing: ReturnType<typeof routed>;
  beforeEach(async () => {
    house = await openHouse();
    peer = new StubbornPeer(certificate);
    good = new StubbornPeer(certificate);
    routing = routed({ [BETA]: await peer.listen(), [GAMMA]: await good.listen() });
  });
  afterEach(async () => {
    await peer.close();
    await good.close();
    await house.close();
  });
  const emptied = () => until(async () => (await house.rows()).length === 0);
  const rowOf = async (domain: string) =>
    (await house.rows()).find(({ recipient }) => recipient.endsWith(`@${domain}`));

  const stages: readonly Stage[] = [
    'greeting',
    'EHLO',
    'STARTTLS',
    'handshake',
    'MAIL',
    'RCPT',
    'DATA',
    'dot',
  ];
  const manners: readonly Manner[] = ['silent', 'drip', 'endless', 'flood', 'long line', '421', 'close'];
  for (const stage of stages) {
    for (const manner of stage === 'handshake' ? (['silent'] as const) : manners) {
      // More 250 than were asked for, after a message was taken: that is 250 all the same.
      if (stage === 'dot' && manner === 'flood') continue;
      it(`${manner} at ${stage}: tried again, others go on; when it mends the mail is handed over`, {
        timeout: 60_000,
      }, async () => {
        peer.stage = stage;
        peer.manner = manner;
        await house.relay({ routing, tls, timeouts });
        await house.enqueue({ recipients: [`b@${BETA}`] });
        await until(async () => ((await rowOf(BETA))?.attempts ?? 0) >= 2);
        await house.enqueue({ recipients: [`c@${GAMMA}`] });
        await until(() => good.messages.length === 1);
        assert.equal((await rowOf(BETA))?.state === 'held', false);
        const before = peer.messages.length;
        if (stage !== 'dot') assert.equal(before, 0);
        peer.stage = undefined;
        await emptied();
        // Handed over once; what came to its dot and got no answer comes again (decisions 7).
        assert.ok(peer.messages.length > before || stage === 'dot');
        assert.equal(new Set(peer.messages).size, 1);
        assert.equal((await house.register()).filter((entry) => entry.includes(`b@${BETA}`)).length, 1);
        assert.deepEqual(
          peer.clear.filter((line) => line.startsWith('MAIL')),
          [],
        );
      });
    }
  }

  it('one that reads an octet now and then is given up over all, and others go on', async () => {
    peer.appetite = 2_000;
    const bounded = { ...timeouts, dataBlock: 60_000, whole: 2_000 };
    await house.relay({ routing, tls, timeouts: bounded });
    const text = `Subject: x\r\n\r\n${'testo lungo\r\n'.repeat(1_000_000)}`;
    await house.enqueue({ recipients: [`b@${BETA}`], text });
    await until(async () => ((await rowOf(BETA))?.attempts ?? 0) >= 1);
    assert.match((await rowOf(BETA))?.lastError ?? '', /takes too long over all/);
    await house.enqueue({ recipients: [`c@${GAMMA}`] });
    await until(() => good.messages.length === 1);
    peer.appetite = Number.POSITIVE_INFINITY;
    await emptied();
    assert.deepEqual(peer.messages, [text.slice(0)]);
  });

  it('one whose connection went nowhere while it waited is left after a short while for a new one', async () => {
    const patient = { ...defaultTimeouts, reuse: 300 };
    await house.relay({ routing, tls, timeouts: patient });
    await house.enqueue({ recipients: [`b@${BETA}`] });
    await emptied();
    peer.freeze();
    await house.enqueue({ recipients: [`d@${BETA}`] });
    await until(() => peer.messages.length === 2);
    await emptied();
    assert.equal(peer.connections, 2);
    const tries = house.telemetry.recorded.filter(({ name }) => name === 'relay.deferred');
    assert.deepEqual(tries, [], 'it is no failure');
  });

  it('one that closed its half of a waiting connection gets a new one at once', async () => {
    await house.relay({ routing, tls, timeouts: defaultTimeouts });
    await house.enqueue({ recipients: [`b@${BETA}`] });
    await emptied();
    peer.halfClose();
    await house.enqueue({ recipients: [`d@${BETA}`] });
    await emptied();
    assert.equal(peer.messages.length, 2);
    assert.equal(peer.connections, 2);
  });

  it('one that talks without end on a waiting connection is cut off', async () => {
    const client = await connectSmtp({
      host: '127.0.0.1',
      port: routing.routes[BETA]?.port ?? 0,
      localName: 'mail.alfa.example',
      tls: { mode: 'none', verify: false, ca: [], name: '127.0.0.1' },
      timeouts: defaultTimeouts,
    });
    peer.stage = 'dot';
    peer.manner = 'flood';
    const message = { mailFrom: 'a@b.example', recipients: ['b@c.example'], eightBit: false };
    await client.deliver({ ...message, content: Rope.of('Subject: x\r\n\r\nx\r\n') });
    // It is the peer who learns of it: nobody here asks any more.
    await until(() => !client.alive);
    peer.stage = undefined;
    client.destroy();
  });

  it('one that shows another certificate: never in clear, one alarm until it shows the right one', async () => {
    const false_ = new StubbornPeer(selfSigned('altro.example'));
    const port = await false_.listen();
    await house.relay({ routing: routed({ [BETA]: port }), tls, timeouts });
    await house.enqueue({ recipients: [`b@${BETA}`] });
    await until(async () => ((await rowOf(BETA))?.attempts ?? 0) >= 3);
    assert.deepEqual(
      house.telemetry.standing().map(({ name, about }) => `${name} ${about}`),
      [`peer-tls ${BETA}`],
    );
    const raised = house.telemetry.recorded.filter(
      ({ name, fields }) => name === 'alarm' && fields.name === 'peer-tls',
    );
    assert.equal(raised.length, 1);
    for (const command of [...false_.clear, ...false_.secured]) assert.match(command, /^(EHLO|STARTTLS)/);
    await false_.close();
  });

  it('one without STARTTLS: the same; over when it has it, and when it does not answer that is told too', async () => {
    const plain = new StubbornPeer();
    const routes: Record<string, { host: string; port: number }> = {
      [BETA]: { host: '127.0.0.1', port: await plain.listen() },
    };
    await house.relay({ routing: { ...routing, routes }, tls, timeouts });
    await house.enqueue({ recipients: [`b@${BETA}`] });
    const standing = () => house.telemetry.standing().map(({ name }) => name);
    await until(() => standing().includes('peer-tls'));
    await until(() => standing().includes('peer-unreachable'));
    assert.equal(plain.messages.length, 0);
    routes[BETA] = routing.routes[BETA] ?? { host: '', port: 0 };
    await emptied();
    assert.deepEqual(standing(), []);
    assert.equal(peer.messages.length, 1);
    await plain.close();
  });
});
