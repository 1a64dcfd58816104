import { test } from 'node:test';
import { manyConnections } from './connections.js';

test('many connections: the right sessions are told, mail goes on, nothing of them remains', async (t) => {
  await manyConnections(t, {
    count: 60,
    accounts: 3,
    perAddress: 20,
    processes: 2,
    bare: 0,
    told: (line) => t.diagnostic(line),
  });
});
