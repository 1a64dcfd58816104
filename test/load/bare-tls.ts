/**
 * A process that does nothing but hold TLS connections, with the settings of a gestore's listeners: what remains of a session's
 * cost when this is taken away is ours. `node --expose-gc bare-tls.js <certificate> <key>`; forked: it tells its port, then weighs
 * itself whenever it is asked.
 */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { serverTls } from '../../src/tls/index.js';

const [certificate = '', key = ''] = process.argv.slice(2);
const held = new Set<TLSSocket>();
const server = createServer(serverTls({ cert: readFileSync(certificate), key: readFileSync(key) }));
server.on('secureConnection', (socket) => {
  held.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => held.delete(socket));
  socket.resume();
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('message', () => {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ resident: rss, heap: heapUsed, external });
});
process.on('disconnect', () => process.exit(0));
