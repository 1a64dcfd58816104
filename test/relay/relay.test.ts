import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SmtpError } from '../../src/smtp/index.js';
import { selfSigned } from '../smtp/certificate.js';
import { type House, openHouse, routed, until } from './house.js';

const certificate = selfSigned('mail.beta.example');
const BETA = 'pec.beta.example';

describe('the relay', { timeout: 60_000 }, () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(() => house.close());

  const emptied = () => until(async () => (await house.rows()).length === 0);

  it('hands one message to all recipients of a destination in one transaction, and registers it', async () => {
    const { peer, port } = await house.peer();
    await house.relay({ routing: routed({ [BETA]: port }) });
    await house.enqueue({ recipients: [`b@${BETA}`, `C@${BETA.toUpperCase()}`] });
    await emptied();
    assert.deepEqual(
      peer.messages.map(({ mailFrom, recipients, bytes }) => [mailFrom, recipients, bytes.toString()]),
      [['anna@pec.alfa.example', [`b@${BETA}`, `C@${BETA.toUpperCase()}`], 'Subject: 1\r\n\r\nciao\r\n']],
    );
    assert.deepEqual(await house.register(), [`inoltro b@${BETA},C@${BETA.toUpperCase()} 250 2.0.0 taken`]);
  });

  it('sends many messages over few connections', async () => {
    const { peer, port } = await house.peer();
    for (let count = 0; count < 30; count++) await house.enqueue({ recipients: [`b${count}@${BETA}`] });
    await house.relay({ routing: routed({ [BETA]: port }), concurrency: 3 });
    await emptied();
    assert.equal(peer.messages.length, 30);
    assert.ok(peer.connections <= 3, String(peer.connections));
  });

  it('tells the sender of what failed for good, in the commit that empties the queue', async () => {
    const rcpt = (line: string) => (line.includes('nessuno') ? '550 5.1.1 no such mailbox' : '250 ok');
    const { peer, port } = await house.peer({ rcpt });
    await house.relay({ routing: routed({ [BETA]: port }) });
    await house.enqueue({ recipients: [`nessuno@${BETA}`, `b@${BETA}`] });
    await emptied();
    assert.deepEqual(peer.messages[0]?.recipients, [`b@${BETA}`]);
    assert.deepEqual(
      house.failed.map(({ row, failure }) => [row.recipient, failure]),
      [[`nessuno@${BETA}`, { kind: 'refused', enhanced: '5.1.1', text: '550 5.1.1 no such mailbox' }]],
    );
    assert.deepEqual((await house.register()).sort(), [
      `errore-consegna nessuno@${BETA} 550 5.1.1 no such mailbox`,
      `inoltro b@${BETA} 250 2.0.0 taken`,
      `inoltro-fallito nessuno@${BETA} 550 5.1.1 no such mailbox`,
    ]);
  });

  it('tries again what failed for now, each recipient by itself', async () => {
    let full = true;
    const { peer, port } = await house.peer({
      rcpt: (line) => (full && line.includes('piena') ? '452 4.2.2 full' : '250 ok'),
    });
    await house.relay({ routing: routed({ [BETA]: port }) });
    await house.enqueue({ recipients: [`piena@${BETA}`, `b@${BETA}`] });
    await until(async () => (await house.rows()).some(({ attempts }) => attempts > 1));
    const [row] = await house.rows();
    assert.equal(row?.recipient, `piena@${BETA}`);
    assert.equal(row?.lastError, '452 4.2.2 full');
    full = false;
    await emptied();
    assert.deepEqual(
      peer.messages.map(({ recipients }) => recipients),
      [[`b@${BETA}`], [`piena@${BETA}`]],
    );
  });

  for (const [name, manners] of [
    [
      'the connection goes after the final dot',
      { final: (count: number) => (count === 1 ? 'drop' : '250 taken') },
    ],
    ['the last reply does not come', { final: (count: number) => (count === 1 ? '250-wait' : '250 taken') }],
    [
      'the peer closes with 421',
      { mail: (_: string, count: number) => (count === 1 ? '421 4.3.2 bye' : '250 ok') },
    ],
  ] as const) {
    it(`tries again when ${name}`, async () => {
      const { peer, port } = await house.peer(manners);
      await house.relay({ routing: routed({ [BETA]: port }) });
      await house.enqueue({ recipients: [`b@${BETA}`] });
      await emptied();
      const last = peer.messages.at(-1);
      assert.deepEqual(last?.recipients, [`b@${BETA}`]);
      assert.ok(peer.messages.every(({ bytes }) => last !== undefined && bytes.equals(last.bytes)));
      assert.equal((await house.register()).length, 1);
      assert.deepEqual(house.failed, []);
    });
  }

  it('opens a new connection at once when a waiting one was closed by the peer', async () => {
    const { peer, port } = await house.peer();
    await house.relay({ routing: routed({ [BETA]: port }) });
    await house.enqueue({ recipients: [`b@${BETA}`] });
    await emptied();
    for (const socket of peer.sockets) socket.destroy();
    await house.enqueue({ recipients: [`c@${BETA}`] });
    await emptied();
    assert.equal(peer.messages.length, 2);
    assert.equal(house.telemetry.recorded.filter(({ name }) => name === 'relay.deferred').length, 0);
  });

  it('a dead, a slow and an absurd destination hold up nobody', async () => {
    const { peer, port } = await house.peer();
    const dead = await house.peer();
    await dead.peer.close();
    const slow = await house.peer({ greeting: 'silent' });
    const absurd = await house.peer({ greeting: '999 what' });
    const routing = routed({
      [BETA]: port,
      'morto.it': dead.port,
      'lento.it': slow.port,
      'strano.it': absurd.port,
    });
    await house.enqueue({ recipients: ['a@morto.it', 'a@lento.it', 'a@strano.it', `b@${BETA}`] });
    await house.relay({ routing });
    await until(() => peer.messages.length === 1);
    await until(async () => (await house.rows()).every(({ attempts }) => attempts > 0));
    assert.deepEqual((await house.rows()).map(({ recipient }) => recipient).sort(), [
      'a@lento.it',
      'a@morto.it',
      'a@strano.it',
    ]);
  });

  it('decisions 11: a domain that does not exist fails at once', async () => {
    await house.relay({ routing: routed({}) });
    await house.enqueue({ recipients: ['a@assente.example'] });
    await emptied();
    assert.deepEqual(
      house.failed.map(({ failure }) => failure.kind),
      ['no-domain'],
    );
  });

  it('keeps a failure in the queue while its notice cannot be made', async () => {
    const { port } = await house.peer({ rcpt: () => '550 5.1.1 no' });
    let signer = false;
    await house.relay({
      routing: routed({ [BETA]: port }),
      notices: async (failed) => {
        if (!signer) throw new Error('signer does not answer');
        house.failed.push(...failed);
        return [];
      },
    });
    await house.enqueue({ recipients: [`b@${BETA}`] });
    await until(async () => (await house.rows()).some(({ attempts }) => attempts > 0));
    assert.equal((await house.rows())[0]?.lastError, 'signer does not answer');
    signer = true;
    await emptied();
    assert.equal(house.failed.length, 1);
  });

  it('gives recipients of ours to the incoming point, without a socket', async () => {
    await house.relay();
    await house.enqueue({ recipients: ['b@pec.alfa.example', 'c@pec.alfa.example'], text: 'A: b\r\n\r\n' });
    await emptied();
    assert.deepEqual(house.received, [
      { recipients: ['b@pec.alfa.example', 'c@pec.alfa.example'], text: 'A: b\r\n\r\n' },
    ]);
    assert.deepEqual(await house.register(), [
      'inoltro b@pec.alfa.example,c@pec.alfa.example 250 2.0.0 local',
    ]);
  });

  it('takes what the incoming point throws for a reply', async () => {
    const answers = [
      new Error('store locked'),
      new SmtpError({ code: 451, enhanced: '4.7.5', publicText: 'dopo' }),
      new SmtpError({ code: 550, enhanced: '5.1.1', publicText: 'inesistente' }),
    ];
    await house.relay({
      local: {
        isOwnDomain: () => true,
        domains: async () => ['pec.alfa.example'],
        receive: async () => {
          throw answers.shift() ?? new Error('no more answers');
        },
      },
    });
    await house.enqueue({ kind: 'ordinary', recipients: ['b@pec.alfa.example'] });
    await emptied();
    assert.deepEqual(answers, []);
    assert.equal(house.failed[0]?.failure.text, '550 5.1.1 inesistente');
  });

  it('decisions 10: an envelope leaves in silence when its time is over, a notification is held with an alarm', async () => {
    const { peer, port } = await house.peer({ mail: () => '451 4.3.0 later' });
    const giveUpAt = Date.now() + 150;
    await house.enqueue({ kind: 'envelope', recipients: [`e@${BETA}`], giveUpAt });
    await house.enqueue({ kind: 'notification', recipients: [`n@${BETA}`], giveUpAt });
    await house.enqueue({ kind: 'ordinary', recipients: [`o@${BETA}`], giveUpAt });
    await house.enqueue({ kind: 'dsn', recipients: [`d@${BETA}`], giveUpAt, mailFrom: '' });
    await house.relay({ routing: routed({ [BETA]: port }) });
    await until(async () => (await house.rows()).length === 1 && (await house.rows())[0]?.state === 'held');
    assert.equal((await house.rows())[0]?.recipient, `n@${BETA}`);
    assert.deepEqual(
      house.failed.map(({ row, failure }) => [row.recipient, failure.kind]),
      [[`o@${BETA}`, 'expired']],
    );
    // Told once the row stands on the disk.
    await until(async () => house.telemetry.recorded.some(({ name }) => name === 'alarm'));
    assert.equal(house.telemetry.recorded.filter(({ name }) => name === 'alarm').length, 1);
    assert.deepEqual(peer.messages, []);
  });

  it('sends certified mail under TLS or not at all, ordinary mail as it can', async () => {
    const { peer, port } = await house.peer();
    const secure = await house.peer({ tls: certificate });
    const broken = await house.peer({ tls: { key: certificate.key, cert: '' } });
    await house.enqueue({ recipients: ['a@chiaro.it', 'a@sicuro.it'] });
    await house.enqueue({ kind: 'ordinary', recipients: ['o@chiaro.it', 'o@rotto.it'] });
    await house.relay({
      routing: routed({ 'chiaro.it': port, 'sicuro.it': secure.port, 'rotto.it': broken.port }),
      tls: { required: true, ca: [certificate.cert] },
    });
    await until(async () => {
      const rows = await house.rows();
      return rows.length === 1 && rows[0]?.recipient === 'a@chiaro.it' && rows[0].attempts > 0;
    });
    assert.match((await house.rows())[0]?.lastError ?? '', /offers no STARTTLS/);
    assert.deepEqual(
      peer.messages.map(({ recipients }) => recipients),
      [['o@chiaro.it']],
    );
    assert.equal(secure.peer.messages.length, 1);
    assert.ok(secure.peer.commands.includes('STARTTLS'));
    assert.deepEqual(
      broken.peer.messages.map(({ recipients }) => recipients),
      [['o@rotto.it']],
    );
  });

  it('does not send certified mail to a stranger with another certificate', async () => {
    const { peer, port } = await house.peer({ tls: certificate });
    await house.relay({
      routing: routed({ [BETA]: port }),
      tls: { required: true, ca: [selfSigned('altro').cert] },
    });
    await house.enqueue({ recipients: [`b@${BETA}`] });
    await until(async () => (await house.rows()).some(({ attempts }) => attempts > 0));
    assert.match((await house.rows())[0]?.lastError ?? '', /^starttls: /);
    assert.deepEqual(peer.messages, []);
  });

  it('gives back at its end what it had claimed, and takes it up again at the start', async () => {
    const { peer, port } = await house.peer({ greeting: 'silent' });
    const relay = await house.relay({ routing: routed({ [BETA]: port }), concurrency: 1 });
    for (let count = 0; count < 5; count++) await house.enqueue({ recipients: [`b${count}@${BETA}`] });
    await until(() => peer.connections > 0);
    await relay.stop(0);
    assert.ok((await house.rows()).every(({ state }) => state === 'due'));
    peer.behave({});
    await house.relay({ routing: routed({ [BETA]: port }) });
    await emptied();
    assert.equal(peer.messages.length, 5);
  });

  it('a row claimed by another meanwhile is left to it', async () => {
    await house.relay({
      local: {
        isOwnDomain: () => true,
        domains: async () => ['pec.alfa.example'],
        receive: async () => {
          const now = Date.now() + 10 * 3_600_000;
          await house.store.write('claimDue', {
            now,
            owner: 'altro',
            leaseUntil: now + 1000,
            limit: 10,
          });
        },
      },
    });
    await house.enqueue({ recipients: ['b@pec.alfa.example'] });
    await until(async () => (await house.store.read('listQueue', {}))[0]?.leaseOwner === 'altro');
    assert.deepEqual(await house.register(), []);
  });

  it('sends 8-bit mail as it is, with BODY=8BITMIME where it is offered', async () => {
    const { peer, port } = await house.peer();
    const old = await house.peer({ extensions: [] });
    await house.relay({ routing: routed({ [BETA]: port, 'vecchio.it': old.port }) });
    await house.enqueue({
      recipients: [`b@${BETA}`, 'b@vecchio.it'],
      text: 'A: b\r\n\r\nperch\xe9\r\n',
      eightBit: true,
    });
    await emptied();
    assert.ok(peer.commands.some((line) => line.endsWith('BODY=8BITMIME')));
    assert.ok(old.peer.commands.includes('MAIL FROM:<anna@pec.alfa.example>'));
    assert.deepEqual(old.peer.messages[0]?.bytes, Buffer.from('A: b\r\n\r\nperch\xe9\r\n', 'latin1'));
  });
});
