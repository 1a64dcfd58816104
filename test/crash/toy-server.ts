/**
 * A server for the checker to judge: `node toy-server.js <log> hasty|prudent`. It takes one message on a port it prints; the
 * hasty one answers before it syncs.
 */
import { fsyncSync, openSync, writeSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';

const [file = '', manner] = process.argv.slice(2);
const log = openSync(file, 'a');

const server = createServer((socket) => {
  socket.on('data', (chunk) => {
    writeSync(log, chunk);
    if (manner === 'prudent') fsyncSync(log);
    socket.write('250 2.0.0 taken\r\n', () => {
      if (manner === 'hasty') fsyncSync(log);
    });
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
