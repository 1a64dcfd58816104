/** Clients that hardly speak, or never listen: each ends by a timeout, whatever drips in; honest slow ones pass. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dialogue } from './dialogue.js';
import { type Listener, startListener } from './listener.js';

/** The start of a ClientHello: nothing a TLS server could answer yet. */
const HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);
const toData =
  'S: 220\nC: EHLO a\nS: 250\nC: MAIL FROM:<a@b.it>\nS: 250\nC: RCPT TO:<a@b.it>\nS: 250\nC: DATA\n';
const LONG = 60_000;

async function start(t: TestContext, ...how: Parameters<typeof startListener>): Promise<Listener> {
  const listener = await startListener(...how);
  t.after(() => listener.stop());
  return listener;
}

function raw(t: TestContext, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  return socket;
}

/** Says octet after octet until the other side has enough of it. */
async function drip(socket: Socket, octets: Iterable<number>): Promise<void> {
  for (const octet of octets) {
    if (socket.destroyed || !socket.writable) return;
    socket.write(Buffer.of(octet));
    await sleep(15);
  }
  throw new Error('nobody minded');
}

function* endless(text: string): Iterable<number> {
  for (let n = 0; n < 4000; n++) yield* Buffer.from(text);
}

/** Says something once the server has said what is expected; answers all that was heard until then. */
function when(socket: Socket, expected: RegExp, line = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const onClose = () => reject(new Error(`closed after ${JSON.stringify(heard)}`));
    const onData = (chunk: Buffer) => {
      heard += chunk.toString();
      if (!expected.test(heard)) return;
      socket.off('data', onData);
      socket.off('close', onClose);
      if (line !== '') socket.write(line);
      resolve(heard);
    };
    socket.on('data', onData);
    socket.once('close', onClose);
  });
}

const gone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });

/** Everything heard until the end. */
async function hearOut(dialogue: Dialogue): Promise<string[]> {
  const heard: string[] = [];
  for (let reply = await dialogue.hear(); reply !== 'closed'; reply = await dialogue.hear())
    heard.push(reply);
  return heard;
}

describe('slow clients', { timeout: 120_000 }, () => {
  it('that never begin their TLS handshake are cut', async (t) => {
    const { port, server } = await start(t, {
      mode: 'implicit',
      timeouts: { handshake: 100, socket: LONG, close: 2000 },
    });
    await gone(raw(t, port));
    assert.equal(server.connections, 0);
  });

  it('whose TLS handshake drips are cut', async (t) => {
    const { port } = await start(t, {
      mode: 'implicit',
      timeouts: { handshake: 200, socket: LONG, close: 2000 },
    });
    const socket = raw(t, port);
    await drip(socket, [...HELLO, ...Buffer.alloc(400)]);
    await gone(socket);
  });

  it('whose handshake drips after STARTTLS are cut', async (t) => {
    const { port, server } = await start(t, {
      mode: 'offered',
      timeouts: { handshake: 200, socket: LONG, close: 2000 },
    });
    const socket = raw(t, port);
    await when(socket, /^220 .*\r\n/, 'EHLO a\r\n');
    await when(socket, /^250 .*\r\n/m, 'STARTTLS\r\n');
    await when(socket, /^220 .*\r\n/);
    socket.resume();
    await drip(socket, [...HELLO, ...Buffer.alloc(400)]);
    await gone(socket);
    while (server.connections > 0) await sleep(10);
  });

  it('whose command drips get 421', async (t) => {
    const { port } = await start(t, { timeouts: { socket: 200, close: 2000 } });
    const socket = raw(t, port);
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    await new Promise((resolve) => socket.once('data', resolve));
    await drip(socket, endless('x'));
    await gone(socket);
    assert.match(heard, /421 4\.4\.2/);
  });

  it('whose answer to AUTH drips get 421', async (t) => {
    const { port } = await start(t, {
      mode: 'required',
      submission: true,
      insecureAuth: true,
      timeouts: { socket: 200, close: 2000 },
    });
    const socket = raw(t, port);
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    await when(socket, /^220 .*\r\n/, 'EHLO a\r\n');
    await when(socket, /^250 .*\r\n/m, 'AUTH LOGIN\r\n');
    await when(socket, /^334 .*\r\n/);
    await drip(socket, endless('A'));
    await gone(socket);
    assert.match(heard, /421 4\.4\.2/);
  });

  it('whose message drips get 421, and nothing stays in the spool', async (t) => {
    const listener = await start(t, {
      timeouts: { socket: LONG, data: LONG, pace: { octets: 1000, milliseconds: 200 }, close: 2000 },
    });
    const client = await Dialogue.open(listener.port);
    t.after(() => client.close());
    assert.equal(await client.play(`${toData}S: 354`), undefined);
    const dripping = (async () => {
      for (let n = 0; n < 2000 && listener.server.connections > 0; n++) {
        client.say('x');
        await sleep(15);
      }
    })();
    assert.match((await hearOut(client)).join(), /421 4\.4\.2/);
    await dripping;
    assert.deepEqual(await listener.spooled(), []);
    assert.equal(listener.taken.length, 0);
  });

  it('that keep the pace pass', async (t) => {
    const listener = await start(t, {
      timeouts: { socket: LONG, data: LONG, pace: { octets: 2, milliseconds: 1500 }, close: 2000 },
    });
    const client = await Dialogue.open(listener.port);
    t.after(() => client.close());
    assert.equal(await client.play(`${toData}S: 354`), undefined);
    // Longer than several looks at the pace.
    for (let n = 0; n < 50; n++) {
      client.say('A: bcdef\r\n');
      await sleep(100);
    }
    assert.match(await client.ask('.'), /^250/);
    assert.equal(listener.taken[0]?.length, 500);
  });

  it('are not to blame when it is the disk that is slow', async (t) => {
    let release: () => void = () => undefined;
    const listener = await start(
      t,
      { timeouts: { socket: 150, data: LONG, pace: { octets: 1000, milliseconds: 150 }, close: 2000 } },
      {
        data: () =>
          new Promise((resolve) => {
            release = () => resolve('in ritardo');
          }),
      },
    );
    const client = await Dialogue.open(listener.port);
    t.after(() => client.close());
    assert.equal(await client.play(`${toData}S: 354\nC: A: b\nC: .`), undefined);
    await sleep(600);
    release();
    assert.match(await client.hear(), /^250 2\.0\.0 in ritardo/);
  });
});

describe('clients that do not listen', { timeout: 120_000 }, () => {
  it('are not answered ahead of their reading, and end by the time of a command', async (t) => {
    const { port, server } = await start(t, {
      session: { idleCommands: Number.POSITIVE_INFINITY },
      timeouts: { socket: 500, close: 2000 },
    });
    const socket = raw(t, port);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.pause();
    socket.write('EHLO a\r\n');
    const line = Buffer.from('NOOP\r\n'.repeat(10_000));
    // 24 MB of commands: what the system's buffers do not hold is never taken.
    for (let n = 0; n < 400 && !socket.destroyed; n++) socket.write(line);
    while (server.connections > 0) await sleep(20);
    assert.ok(socket.writableLength > 0, 'the server took everything');
  });
});
