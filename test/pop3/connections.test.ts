import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Connections } from '../../src/limits/index.js';
import { MailboxLocks } from '../../src/pop3/index.js';
import { Rope, type Source } from '../../src/rope/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';
import { selfSigned } from '../smtp/certificate.js';
import { Dialogue, unstuffed } from './dialogue.js';
import { type Listener, largeSource, startListener } from './fakes.js';

const login = 'S: +OK...\nC: USER anna@alfa.example\nS: +OK...\nC: PASS segreto\nS: +OK...\n';
const message = 'A: b\r\n\r\nciao\r\n';

const open: Listener[] = [];
const start = async (...how: Parameters<typeof startListener>): Promise<Listener> => {
  const listener = await startListener(...how);
  open.push(listener);
  return listener;
};
after(() => Promise.all(open.map(({ server }) => server.close())));

async function loggedIn(port: number): Promise<Dialogue> {
  const client = await Dialogue.open(port);
  assert.equal(await client.play(login), undefined);
  return client;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('pipelining (RFC 2449 6.6)', () => {
  it('answers in order a whole session in one write', async () => {
    const { port, mailstore } = await start([message, message]);
    const client = await Dialogue.open(port);
    client.say(
      'USER anna@alfa.example\r\nPASS segreto\r\nSTAT\r\nRETR 1\r\nDELE 1\r\nRETR 1\r\nNOOP\r\nQUIT\r\n',
    );
    const script = `S: +OK...
      S: +OK Send PASS
      S: +OK 2 messages...
      S: +OK 2 28
      S: +OK 14 octets
      S: A: b
      S:
      S: ciao
      S: .
      S: +OK Message 1 deleted
      S: -ERR Messaggio 1...
      S: +OK
      S: +OK Arrivederci...
      S: (closed)`;
    assert.equal(await client.play(script), undefined);
    assert.equal(mailstore.count(1), 1);
  });

  it('takes a thousand RETR in one write', async () => {
    const { port } = await start([message]);
    const client = await loggedIn(port);
    client.say('RETR 1\r\n'.repeat(1000));
    for (let n = 0; n < 1000; n++) {
      assert.equal(await client.hear(), '+OK 14 octets');
      assert.equal((await client.hearBody()).toString(), message);
    }
    client.close();
  });

  it('holds back who sends commands faster than he reads the answers', async () => {
    const { port } = await start([`A: b\r\n\r\n${'x'.repeat(9_998)}\r\n`]);
    const client = await loggedIn(port);
    client.stopReading();
    client.say('RETR 1\r\n'.repeat(3000));
    client.readOn();
    for (let n = 0; n < 3000; n++) {
      assert.equal(await client.hear(), '+OK 10008 octets');
      assert.equal((await client.hearBody()).length, 10_008);
    }
    client.close();
  });

  it('takes commands octet by octet', async () => {
    const { port } = await start([message]);
    const client = await loggedIn(port);
    for (const octet of 'STAT\r\n') client.say(octet);
    assert.equal(await client.hear(), '+OK 1 14');
    client.close();
  });
});

describe('large messages', () => {
  const size = 31_457_283;

  it('pass in small pieces, byte for byte', async () => {
    const source = largeSource(size);
    const { port } = await start([Rope.of('A: b\r\n\r\n', source)]);
    const client = await loggedIn(port);
    assert.equal(await client.ask('RETR 1'), `+OK ${size + 8} octets`);
    const text = unstuffed(await client.hearBody());
    const whole = `A: b\r\n\r\n${'.abcdefgh\r\n'.repeat(size / 11 + 1).slice(0, size)}`;
    assert.ok(text === (whole.endsWith('\r\n') ? whole : `${whole}\r\n`));
    assert.ok(source.largest <= 256 * 1024);
    client.close();
  });

  it('are not read further than TOP needs', async () => {
    const source = largeSource(size);
    const { port } = await start([Rope.of('A: b\r\n\r\n', source)]);
    const client = await loggedIn(port);
    assert.equal(await client.askBody('TOP 1 2'), 'A: b\r\n\r\n.abcdefgh\r\n.abcdefgh\r\n');
    assert.ok(source.reads <= 1);
    client.close();
  });

  it('are not read ahead of a client that does not read; it is cut off in the end', async () => {
    const source = largeSource(60_000_000);
    const { port, server, telemetry } = await start([Rope.of(source)], { timeouts: { write: 300 } });
    const client = await loggedIn(port);
    client.stopReading();
    client.say('RETR 1\r\n');
    await until(() => telemetry.recorded.some(({ name }) => name === 'session.failed'));
    await until(() => server.connections === 0);
    assert.ok(source.reads < 150, `${source.reads}`);
    // The mailbox is free.
    (await loggedIn(port)).close();
    client.close();
  });

  it('that cannot be read at all are refused; that break off end the connection, never with a dot', async () => {
    const failing = (after_: number): Source => ({
      length: 3_000_000,
      async read(offset, length) {
        if (offset >= after_) throw new Error('disk /secret');
        return Buffer.alloc(length, 'x');
      },
    });
    const { port } = await start([Rope.of(failing(0)), Rope.of(failing(1_000_000))]);
    const client = await loggedIn(port);
    assert.equal(
      await client.ask('RETR 1'),
      '-ERR [SYS/TEMP] Errore temporaneo, riprovare / Temporary error, try again later',
    );
    assert.equal(await client.ask('RETR 2'), '+OK 3000000 octets');
    await assert.rejects(client.hearBody(), /closed inside an answer/);
  });
});

describe('half-closed connections', () => {
  it('get the answers asked for, and the deletion', async () => {
    const { port, mailstore, server } = await start([message, message]);
    const client = await loggedIn(port);
    client.say('DELE 1\r\nRETR 2\r\nQUIT\r\n');
    client.finish();
    assert.equal(
      await client.play('S: +OK...\nS: +OK...\nS: A: b\nS:\nS: ciao\nS: .\nS: +OK Arr...\nS: (closed)'),
      undefined,
    );
    assert.equal(mailstore.count(1), 1);
    await until(() => server.connections === 0);
  });

  it('end without QUIT, whatever was marked, and half a line counts for nothing', async () => {
    const { port, mailstore, server } = await start([message]);
    const client = await loggedIn(port);
    client.say('DELE 1\r\nQUIT');
    client.finish();
    assert.equal(await client.play('S: +OK Message...\nS: (closed)'), undefined);
    assert.equal(mailstore.count(1), 1);
    await until(() => server.connections === 0);
    (await loggedIn(port)).close();
  });

  it('that never close their side are closed', async () => {
    const { port, server } = await start([], { timeouts: { linger: 50 } });
    const client = await loggedIn(port);
    client.say('QUIT\r\n');
    client.stopReading();
    await until(() => server.connections === 0);
    client.close();
  });
});

describe('the listener', () => {
  it('turns away who is too many, and says so', async () => {
    const told = silentTelemetry();
    const bounds = { total: 9, ofProtocol: 9, ofSource: 2 };
    const { port, server } = await start([], { connections: new Connections(bounds, told) });
    const one = await loggedIn(port);
    const two = await Dialogue.open(port);
    assert.match(await two.hear(), /^\+OK/);
    const three = await Dialogue.open(port);
    assert.equal(await three.play('S: -ERR [SYS/TEMP] Troppe connessioni...\nS: (closed)'), undefined);
    assert.ok(told.recorded.some(({ name }) => name === 'session.refused'));
    two.close();
    three.close();
    await until(() => server.connections === 1);
    const four = await Dialogue.open(port);
    assert.match(await four.hear(), /^\+OK/);
    four.close();
    one.close();
  });

  it('closes silent connections without a word (RFC 1939 3)', async () => {
    const { port, mailstore } = await start([message], { timeouts: { idle: 100 } });
    const client = await loggedIn(port);
    client.say('DELE 1\r\n');
    assert.equal(await client.play('S: +OK...\nS: (closed)'), undefined);
    assert.equal(mailstore.count(1), 1);
  });

  it('drops a handshake that does not come', async () => {
    const { port, server } = await start([], { timeouts: { handshake: 50 } });
    const client = await Dialogue.open(port, { tls: false });
    await client.gone();
    await until(() => server.connections === 0);
  });

  it('shows a new certificate to the next connection', async () => {
    const { port, server } = await start([message]);
    const before = await loggedIn(port);
    server.reload(selfSigned('localhost'));
    before.say('QUIT\r\n');
    await before.gone();
    (await loggedIn(port)).close();
  });

  it('counts what it opens and closes', async () => {
    const { port, server, telemetry } = await start([message]);
    const client = await loggedIn(port);
    assert.equal(server.connections, 1);
    client.close();
    await until(() => server.connections === 0);
    const told = telemetry.recorded.map(({ name }) => name);
    assert.deepEqual(
      told.filter((name) => name.startsWith('session') || name === 'login.ok'),
      ['session.opened', 'login.ok', 'session.closed'],
    );
  });

  it('refuses a port that is taken', async () => {
    const { port } = await start();
    await assert.rejects(startListener([], {}, port), { code: 'EADDRINUSE' });
  });
});

describe('closing', () => {
  it('sends away who waits, and lets a deletion end', async () => {
    const { port, server, mailstore } = await startListener([message, message]);
    mailstore.add(2, message);
    const waiting = await Dialogue.open(port);
    assert.match(await waiting.hear(), /^\+OK/);
    const updating = await loggedIn(port);
    let commit: () => void = () => undefined;
    const began = new Promise<void>((begin) => {
      mailstore.beforeExpunge = () => {
        begin();
        return new Promise<void>((resolve) => {
          commit = resolve;
        });
      };
    });
    updating.say('DELE 1\r\nQUIT\r\n');
    assert.match(await updating.hear(), /^\+OK Message/);
    await began;
    const closed = server.close();
    assert.equal(await waiting.play('S: -ERR [SYS/TEMP] Servizio in arresto...\nS: (closed)'), undefined);
    commit();
    assert.match(await updating.hear(), /^\+OK Arrivederci/);
    await closed;
    assert.equal(mailstore.count(1), 1);
    assert.equal(server.connections, 0);
  });

  it('waits for a deletion whose client is gone', async () => {
    const { port, server, mailstore } = await startListener([message]);
    const client = await loggedIn(port);
    let commit: () => void = () => undefined;
    const began = new Promise<void>((begin) => {
      mailstore.beforeExpunge = () => {
        begin();
        return new Promise<void>((resolve) => {
          commit = resolve;
        });
      };
    });
    client.say('DELE 1\r\nQUIT\r\n');
    await began;
    client.close();
    await until(() => server.connections === 0);
    let over = false;
    const closed = server.close().then(() => {
      over = true;
    });
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(over, false);
    commit();
    await closed;
    assert.equal(mailstore.count(1), 0);
  });

  it('does not wait for ever for a client that does not read', async () => {
    const source = largeSource(60_000_000);
    const { port, server } = await startListener([Rope.of(source)], { timeouts: { close: 100 } });
    const client = await loggedIn(port);
    client.stopReading();
    client.say('RETR 1\r\n');
    await until(() => source.reads > 0);
    await server.close();
    client.close();
  });
});

describe('locks', () => {
  it('are released, renewed, and taken over when their session gives no sign of life', () => {
    let now = 0;
    const locks = new MailboxLocks(1000, () => now);
    let lost = 0;
    const one = locks.acquire(1, () => lost++);
    assert.ok(one?.held);
    assert.equal(
      locks.acquire(1, () => undefined),
      undefined,
    );
    assert.ok(locks.acquire(2, () => undefined)?.held);
    now = 999;
    one.renew();
    now = 1998;
    assert.equal(
      locks.acquire(1, () => undefined),
      undefined,
    );
    now = 1999;
    const two = locks.acquire(1, () => undefined);
    assert.ok(two?.held);
    assert.equal(one.held, false);
    assert.equal(lost, 1);
    one.release();
    assert.ok(two.held);
    two.release();
    two.release();
    assert.equal(locks.size, 1);
  });

  it('taken over end the old session, which deletes nothing any more', async () => {
    let now = 0;
    const { port, mailstore } = await start([message], { locks: new MailboxLocks(1000, () => now) });
    const old = await loggedIn(port);
    assert.match(await old.ask('DELE 1'), /^\+OK/);
    now = 1000;
    const next = await loggedIn(port);
    await old.gone();
    assert.equal(await next.ask('STAT'), '+OK 1 14');
    assert.equal(mailstore.count(1), 1);
    next.close();
  });

  it('are shared by the listeners of one mailstore', async () => {
    const { port, mailstore } = await start([message]);
    const plain = await start([], { mailstore, mode: 'starttls', testing: true });
    const one = await loggedIn(port);
    const two = await Dialogue.open(plain.port, { tls: false });
    assert.match((await two.play(login)) ?? '', /IN-USE/);
    one.close();
    two.close();
  });
});
