import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startListener } from './listener.js';

test('a listener that closes while a client comes in closes', async () => {
  for (let round = 0; round < 20; round += 1) {
    const listener = await startListener({ mode: 'implicit' });
    const clients = Array.from({ length: 4 }, () => connect({ port: listener.port, host: '127.0.0.1' }));
    for (const client of clients) client.on('error', () => undefined);
    const [first] = clients;
    assert.ok(first);
    await once(first, 'connect');
    await listener.stop();
    for (const client of clients) client.destroy();
  }
});
