import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { constants, createInflateRaw, deflateRawSync, inflateRaw } from 'node:zlib';
import { Deflated } from '../../src/listener/index.js';

/** Both ends of a connection. */
async function pair(t: TestContext): Promise<{ client: Socket; server: Socket }> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = connect({ port: (listener.address() as AddressInfo).port, allowHalfOpen: true });
  const [server] = (await once(listener, 'connection')) as [Socket];
  t.after(() => {
    client.destroy();
    server.destroy();
    listener.close();
  });
  return { client, server };
}

const deflated = (octets: Buffer): Buffer => deflateRawSync(octets, { finishFlush: constants.Z_SYNC_FLUSH });

it('octets that swell wait until they are read', async (t) => {
  const { client, server } = await pair(t);
  const size = 64 * 1024 * 1024;
  const bomb = deflated(Buffer.alloc(size));
  const stream = new Deflated(server);
  client.write(bomb);
  await once(stream, 'readable');
  // As much work as inflating all of it would be.
  await promisify(inflateRaw)(bomb, { finishFlush: constants.Z_SYNC_FLUSH });
  assert.ok(stream.readableLength <= 64 * 1024, `${stream.readableLength} octets wait`);
  let read = 0;
  client.end();
  for await (const chunk of stream) read += (chunk as Buffer).length;
  assert.equal(read, size);
});

it('a peer that does not read makes the writer wait, and gets each write whole once it reads', async (t) => {
  const { client, server } = await pair(t);
  const stream = new Deflated(server);
  // Does not deflate.
  const noise = Buffer.from(Array.from({ length: 1 << 20 }, (_, at) => (at * 2654435761) >>> 13));
  let written = 0;
  while (stream.write(noise) || written === 0) written += noise.length;
  for (let more = 0; more < 15; more += 1) {
    stream.write(noise);
    written += noise.length;
  }
  assert.equal(stream.writableNeedDrain, true);
  const inflate = createInflateRaw();
  let heard = 0;
  inflate.on('data', (chunk: Buffer) => {
    heard += chunk.length;
  });
  client.on('data', (chunk: Buffer) => inflate.write(chunk));
  await once(stream, 'drain');
  assert.equal(stream.writableLength, 0);
  while (heard < written + noise.length) await once(inflate, 'data');
  assert.equal(heard, written + noise.length);
});

it('ends with its connection, and its connection with it', async (t) => {
  const first = await pair(t);
  const stream = new Deflated(first.server);
  first.client.end();
  await once(stream.resume(), 'end');
  stream.end('last words');
  await once(stream, 'close');
  const second = await pair(t);
  new Deflated(second.server).destroy();
  await once(second.client.resume(), 'end');
  const third = await pair(t);
  const broken = new Deflated(third.server);
  third.client.write('a NOOP\r\n'.repeat(10));
  const [error] = await once(broken.resume(), 'error');
  assert.equal((error as Error).name, 'ConnectionLost');
  assert.equal(third.server.destroyed, true);
});
