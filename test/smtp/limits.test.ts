import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { Connections, Transfers } from '../../src/limits/index.js';
import { refusals, SmtpError } from '../../src/smtp/index.js';
import { Dialogue } from './dialogue.js';
import { type Listener, startListener } from './listener.js';

const NONE = Number.POSITIVE_INFINITY;
const toData =
  'S: 220\nC: EHLO a\nS: 250\nC: MAIL FROM:<a@b.it>\nS: 250\nC: RCPT TO:<a@b.it>\nS: 250\nC: DATA\n';

async function start(t: TestContext, ...how: Parameters<typeof startListener>): Promise<Listener> {
  const listener = await startListener(...how);
  t.after(() => listener.stop());
  return listener;
}

async function open(t: TestContext, { port }: Listener, tls = false): Promise<Dialogue> {
  const dialogue = await Dialogue.open(port, tls);
  t.after(() => dialogue.close());
  return dialogue;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('connections', () => {
  it('count before their handshake', async (t) => {
    const connections = new Connections({ total: NONE, ofProtocol: NONE, ofSource: 1 });
    const listener = await start(t, { mode: 'implicit', connections });
    const silent = connect({ port: listener.port, host: '127.0.0.1' });
    t.after(() => silent.destroy());
    await until(() => connections.total === 1);
    const second = await open(t, listener, true);
    assert.match(await second.hear(), /^421 4\.7\.0 Troppe connessioni/);
    silent.destroy();
    await until(() => connections.total === 0);
    assert.match(await (await open(t, listener, true)).hear(), /^220/);
  });

  it('are counted out again after STARTTLS too', async (t) => {
    const connections = new Connections();
    const listener = await start(t, { connections });
    const client = await open(t, listener);
    assert.equal(await client.play('S: 220\nC: EHLO a\nS: 250\nC: STARTTLS\nS: 220'), undefined);
    await client.startTls();
    assert.match(await client.ask('EHLO a'), /^250/);
    assert.equal(connections.total, 1);
    client.close();
    await until(() => connections.total === 0);
  });

  it('share their limit between listeners', async (t) => {
    const connections = new Connections({ total: NONE, ofProtocol: 1, ofSource: NONE });
    const one = await start(t, { connections });
    const other = await start(t, { connections, mode: 'required', submission: true });
    const first = await open(t, one);
    assert.match(await first.hear(), /^220/);
    assert.match(await (await open(t, other)).hear(), /^421 4\.7\.0/);
  });
});

describe('messages on their way in', () => {
  it('are so many at once, refused before they come', async (t) => {
    const transfers = new Transfers({ total: 1, ofSource: NONE, octets: NONE, octetsOfSource: NONE });
    const listener = await start(t, { transfers });
    const [one, two] = [await open(t, listener), await open(t, listener)];
    assert.equal(await one.play(`${toData}S: 354`), undefined);
    assert.equal(await two.play(`${toData}S: 452 4.3.1 Troppi messaggi in arrivo`), undefined);
    assert.equal(await one.play('C: A: b\nC: .\nS: 250'), undefined);
    assert.equal(await two.play('C: DATA\nS: 354\nC: A: b\nC: .\nS: 250'), undefined);
    assert.equal(transfers.total, 0);
    assert.equal(listener.taken.length, 2);
  });

  it('hold so many octets; what has no room is swallowed, refused and leaves nothing', async (t) => {
    const transfers = new Transfers({ total: NONE, ofSource: NONE, octets: 100_000, octetsOfSource: NONE });
    const listener = await start(t, { transfers });
    const client = await open(t, listener);
    assert.equal(await client.play(`${toData}S: 354`), undefined);
    client.say(`A: b\r\n\r\n${`${'x'.repeat(76)}\r\n`.repeat(2000)}.\r\n`);
    assert.match(await client.hear(), /^452 4\.3\.1/);
    assert.equal(transfers.octets, 0);
    assert.deepEqual(await listener.spooled(), []);
    const again =
      'C: MAIL FROM:<a@b.it>\nS: 250\nC: RCPT TO:<a@b.it>\nS: 250\nC: DATA\nS: 354\nC: A: b\nC: .\nS: 250';
    assert.equal(await client.play(again), undefined);
  });

  it('whose client leaves are forgotten', async (t) => {
    const transfers = new Transfers({ total: 1, ofSource: NONE, octets: NONE, octetsOfSource: NONE });
    const listener = await start(t, { transfers });
    const client = await open(t, listener);
    assert.equal(await client.play(`${toData}S: 354\nC: A: b`), undefined);
    client.close();
    await until(() => transfers.total === 0);
    assert.equal(transfers.octets, 0);
  });

  it('may be refused by the handler in place of 354, and the session goes on', async (t) => {
    const charged: string[] = [];
    let full = true;
    const listener = await start(
      t,
      {},
      {
        begin: ({ recipients }) => {
          if (full) throw new SmtpError({ code: 450, enhanced: '4.7.1', publicText: 'Dopo / Later' });
          charged.push(...recipients);
          return { giveBack: () => undefined };
        },
      },
    );
    const client = await open(t, listener);
    assert.equal(await client.play(`${toData}S: 450 4.7.1 Dopo / Later`), undefined);
    assert.ok(listener.reported.some((error) => error instanceof SmtpError && error.code === 450));
    full = false;
    assert.equal(await client.play('C: DATA\nS: 354\nC: A: b\nC: .\nS: 250'), undefined);
    assert.deepEqual(charged, ['a@b.it']);
  });
});

describe('a session', () => {
  it('ends after so many commands that bring no message further, which a message sets back', async (t) => {
    const listener = await start(t, { session: { idleCommands: 3 } });
    const client = await open(t, listener);
    // EHLO is the first.
    assert.equal(await client.play(`${toData}S: 354\nC: A: b\nC: .\nS: 250`), undefined);
    assert.equal(await client.play('C: NOOP\nS: 250\nC: RSET\nS: 250\nC: NOOP\nS: 250'), undefined);
    assert.match(await client.ask('NOOP'), /^421 4\.7\.0/);
    assert.equal(await client.hear(), 'closed');
  });

  it('ends after so many refusals, the temporary ones too', async (t) => {
    const listener = await start(
      t,
      { session: { errors: 3 } },
      {
        rcptTo: async () => {
          throw refusals.storageFull();
        },
      },
    );
    const client = await open(t, listener);
    const script = `S: 220\nC: EHLO a\nS: 250\nC: MAIL FROM:<a@b.it>\nS: 250
      C: RCPT TO:<a@b.it>\nS: 452\nC: RCPT TO:<b@b.it>\nS: 452\nC: RCPT TO:<c@b.it>\nS: 452\nS: 421 4.7.0`;
    assert.equal(await client.play(script), undefined);
    assert.equal(await client.hear(), 'closed');
  });

  it('ends after so many logins that had to wait', async (t) => {
    const listener = await start(
      t,
      { submission: true, mode: 'implicit', session: { logins: 2 } },
      {
        authenticate: async () => {
          throw refusals.tooManyAttempts();
        },
      },
    );
    const client = await open(t, listener, true);
    const guess = `AUTH PLAIN ${Buffer.from('\0anna\0x').toString('base64')}\r\n`;
    assert.equal(await client.play('S: 220\nC: EHLO a\nS: 250'), undefined);
    // Pipelined: no way around.
    client.say(guess.repeat(10));
    assert.match(await client.hear(), /^454/);
    assert.match(await client.hear(), /^454/);
    assert.match(await client.hear(), /^421/);
    assert.equal(await client.hear(), 'closed');
  });

  it('has none of these limits where none are wanted', async (t) => {
    const listener = await start(t, {
      submission: true,
      mode: 'implicit',
      session: { errors: NONE, logins: NONE, idleCommands: NONE },
    });
    const client = await open(t, listener, true);
    assert.equal(await client.play('S: 220\nC: EHLO a\nS: 250'), undefined);
    const guess = `AUTH PLAIN ${Buffer.from('\0anna\0x').toString('base64')}`;
    for (let n = 0; n < 150; n++) assert.match(await client.ask(guess), /^535/);
  });
});
