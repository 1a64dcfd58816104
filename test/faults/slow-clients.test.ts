import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dialogue } from '../smtp/dialogue.js';
import { type Listener, startListener } from '../smtp/listener.js';

const MESSAGE = 'Subject: x\r\n\r\nx\r\n.\r\n';
/** Milliseconds: no octet takes longer than this, so that nothing but the bounds over all can end the connection. */
const DRIP = 30;
const timeouts = { socket: 600, handshake: 600, data: 1_200, session: 1_500, close: 2_000 };

/** Writes octet by octet until the other side closes. */
async function drip(socket: Socket, octet: () => string): Promise<void> {
  let open = true;
  socket.on('error', () => undefined);
  socket.once('close', () => {
    open = false;
  });
  socket.once('end', () => {
    open = false;
  });
  socket.resume();
  while (open) {
    socket.write(octet());
    await sleep(DRIP);
  }
  socket.destroy();
}

async function opened(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  t.after(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

describe('clients that take their time', { timeout: 60_000 }, () => {
  let listener: Listener;
  before(async () => {
    listener = await startListener({ timeouts });
  });
  after(() => listener.stop());

  /** Another client is served as ever. */
  async function othersAreServed(): Promise<void> {
    const dialogue = await Dialogue.open(listener.port);
    assert.match(await dialogue.hear(), /^220/);
    for (const line of [
      'EHLO a.example',
      'MAIL FROM:<a@b.example>',
      'RCPT TO:<b@pec.alfa.example>',
      'DATA',
    ]) {
      assert.match(await dialogue.ask(line), /^[23]/);
    }
    dialogue.say(MESSAGE);
    assert.match(await dialogue.hear(), /^250/);
    dialogue.close();
  }

  it('a command that never ends is not waited for, however its octets trickle', async (t) => {
    const socket = await opened(t, listener.port);
    const ended = drip(socket, () => 'E');
    await othersAreServed();
    await ended;
    assert.equal(listener.server.connections, 0);
  });

  it('nor a message that never ends; nothing of it is kept', async (t) => {
    const taken = listener.taken.length;
    const socket = await opened(t, listener.port);
    socket.write('EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<b@pec.alfa.example>\r\nDATA\r\n');
    await drip(socket, () => 'x');
    assert.equal(listener.taken.length, taken);
    while ((await listener.spooled()).length > 0) await sleep(20);
  });

  it('nor a handshake after STARTTLS', async (t) => {
    const socket = await opened(t, listener.port);
    socket.write('EHLO a\r\n');
    await once(socket, 'data');
    socket.write('STARTTLS\r\n');
    // A TLS record that announces more than will come.
    socket.write(Buffer.from([0x16, 3, 1, 0x40, 0]));
    await drip(socket, () => '\x01');
  });

  it('nor a client that says something now and then and hands in nothing', async (t) => {
    const dialogue = await Dialogue.open(listener.port);
    t.after(() => dialogue.close());
    let heard = await dialogue.hear();
    while (heard !== 'closed' && !heard.startsWith('421')) {
      await sleep(100);
      heard = await dialogue.ask('NOOP');
    }
    assert.match(heard, /^421 4\.4\.2/);
  });

  it('one that hands in messages stays as long as it likes', async () => {
    const dialogue = await Dialogue.open(listener.port);
    await dialogue.hear();
    await dialogue.ask('EHLO a.example');
    const begin = performance.now();
    while (performance.now() - begin < 2 * timeouts.session) {
      assert.match(await dialogue.ask('MAIL FROM:<a@b.example>'), /^250/);
      assert.match(await dialogue.ask('RCPT TO:<b@pec.alfa.example>'), /^250/);
      assert.match(await dialogue.ask('DATA'), /^354/);
      dialogue.say(MESSAGE);
      assert.match(await dialogue.hear(), /^250/);
      await sleep(100);
    }
    dialogue.close();
  });

  it('one that closes its half after the final dot still gets its message taken', async (t) => {
    const taken = listener.taken.length;
    const socket = await opened(t, listener.port);
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString();
    });
    for (const line of ['EHLO a', 'MAIL FROM:<a@b.example>', 'RCPT TO:<b@pec.alfa.example>', 'DATA']) {
      const before = heard.length;
      socket.write(`${line}\r\n`);
      while (heard.length === before || !heard.endsWith('\n')) await once(socket, 'data');
    }
    socket.end(MESSAGE);
    await once(socket, 'close');
    assert.match(heard, /250 2\.0\.0 messaggio-\d+\r\n$/);
    assert.equal(listener.taken.length, taken + 1);
  });
});

describe('clients that take their time, where TLS comes first', { timeout: 60_000 }, () => {
  it('a handshake that never ends is not waited for, and others are served', async (t) => {
    const listener = await startListener({ timeouts, mode: 'implicit' });
    t.after(() => listener.stop());
    const [silent, dripping] = [await opened(t, listener.port), await opened(t, listener.port)];
    dripping.write(Buffer.from([0x16, 3, 1, 0x40, 0]));
    const ended = Promise.all([once(silent, 'close'), drip(dripping, () => '\x01')]);
    silent.resume();
    const dialogue = await Dialogue.open(listener.port, true);
    assert.match(await dialogue.hear(), /^220/);
    dialogue.close();
    await ended;
  });
});
