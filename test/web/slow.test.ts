/** Clients of the HTTPS port that come too many, or hardly speak: each is closed in its time, and others are served. */
import assert from 'node:assert/strict';
import { get } from 'node:https';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { Connections } from '../../src/limits/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';
import { createWebServer, type WebServerOptions } from '../../src/web/index.js';
import { selfSigned } from '../smtp/certificate.js';

const tls = selfSigned('localhost');
/** The start of a ClientHello: nothing a TLS server could answer yet. */
const HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);
const LONG = 200_000;

async function serving(t: TestContext, options: Partial<WebServerOptions>) {
  const connections = new Connections({ total: 100, ofProtocol: 100, ofSource: 2 });
  const server = await createWebServer({
    tls,
    telemetry: silentTelemetry(),
    caFile: null,
    providerRecord: null,
    metrics: async () => '',
    metricsAllow: [],
    alarms: () => [],
    checks: [],
    connections,
    ...options,
  });
  t.after(() => server.close());
  const { port } = await server.listen(0, '127.0.0.1');
  const open = <S extends Socket>(socket: S): S => {
    socket.on('error', () => undefined);
    t.after(() => socket.destroy());
    return socket;
  };
  return {
    connections,
    server,
    plain: () => open(connect({ port, host: '127.0.0.1' })),
    secure: () => open(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })),
    /** The status of /healthz, asked from another address. */
    health: () =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = { port, host: '127.0.0.1', localAddress: '127.0.0.9', path: '/healthz' };
        get({ ...options, agent: false, rejectUnauthorized: false }, (response) => {
          response.resume();
          response.once('end', () => resolve(response.statusCode));
        }).on('error', reject);
      }),
  };
}

const once = (socket: Socket, event: string): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('close', () => reject(new Error(`closed before ${event}`)));
  });

/** Says octet after octet until the other side has enough of it. */
async function drip(socket: Socket, octets: Iterable<number>): Promise<void> {
  for (const octet of octets) {
    if (socket.destroyed || !socket.writable) return;
    socket.write(Buffer.of(octet));
    await sleep(15);
  }
  throw new Error('nobody minded');
}

describe('the HTTPS port', { timeout: 120_000 }, () => {
  it('closes who is too many of one address unheard, serves others, and lets him in again', async (t) => {
    const { connections, plain, health } = await serving(t, {});
    const [first, second] = [plain(), plain()];
    await Promise.all([once(first, 'connect'), once(second, 'connect')]);
    await once(plain(), 'close');
    assert.equal(connections.total, 2);
    assert.equal(await health(), 200);
    first.destroy();
    while (connections.total > 1) await sleep(5);
    const third = plain();
    await once(third, 'connect');
    while (connections.total < 2) await sleep(5);
    assert.equal(third.destroyed, false);
  });

  it('does not wait for handshakes when it closes', async (t) => {
    const { plain, connections, server } = await serving(t, { timeouts: { handshake: LONG, request: LONG } });
    const socket = plain();
    while (connections.total < 1) await sleep(5);
    await Promise.all([server.close(), once(socket, 'close')]);
  });

  it('cuts a handshake that drips', async (t) => {
    const { connections, plain, health } = await serving(t, { timeouts: { handshake: 1500, request: LONG } });
    const socket = plain();
    await drip(socket, [...HELLO, ...Buffer.alloc(400)]);
    while (connections.total > 0) await sleep(5);
    assert.equal(await health(), 200);
  });

  it('cuts a request that drips, and silence after the handshake', async (t) => {
    const { connections, secure, health } = await serving(t, {
      timeouts: { handshake: LONG, request: 2000 },
    });
    const [dripping, silent] = [secure(), secure()];
    const silentIsCut = once(silent, 'close');
    await once(dripping, 'secureConnect');
    await drip(dripping, Buffer.from(`GET /healthz HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(4000)}`));
    await silentIsCut;
    while (connections.total > 0) await sleep(5);
    assert.equal(await health(), 200);
  });
});
