/** Child process: IMAP in clear on loopback over a store on the disk, put together as the gestore does. Speaks over IPC. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Accounts } from '../../../src/accounts/index.js';
import { createImapServer, RecentClaims } from '../../../src/imap/index.js';
import { Indexer, Mailstore } from '../../../src/mailstore/index.js';
import { openStore } from '../../../src/storage/index.js';
import { silentTelemetry } from '../../../src/telemetry/index.js';
import { selfSigned } from '../../smtp/certificate.js';
import { NEWCOMERS, newcomer, PASSWORD, USER } from './contender.js';

export interface Ready {
  readonly kind: 'ready';
  readonly port: number;
  /** The account's password as it is kept. */
  readonly passwordHash: string;
}

const [folder = ''] = process.argv.slice(2);
const store = await openStore({
  database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
  blobs: { kind: 'file', folder: join(folder, 'blobs') },
});
const accounts = new Accounts({
  store,
  serviceMailbox: 'ricevute@alfa.example',
  defaultQuota: 1e12,
  throttleLogins: false,
});
await accounts.addDomain('alfa.example');
const { passwordHash } = await accounts.addMailbox(USER, PASSWORD);
for (let number = 0; number < NEWCOMERS; number += 1) {
  const account = { address: newcomer(number), passwordHash, holderId: null, kind: 'user' } as const;
  await store.write('addMailbox', { ...account, quota: 1e9, now: Date.now() });
}
const mailstore = new Mailstore(store);
const telemetry = silentTelemetry();
const indexer = new Indexer({ store, telemetry });
indexer.start();
const spoolDir = join(folder, 'spool');
await mkdir(spoolDir);
const server = createImapServer({
  accounts,
  mailstore,
  keeper: store,
  telemetry,
  hostname: 'localhost',
  tls: selfSigned('localhost'),
  spoolDir,
  mode: 'starttls',
  testing: true,
  now: Date.now,
  recent: new RecentClaims(),
});
const { port } = await server.listen(0, '127.0.0.1');

async function settle(): Promise<void> {
  while ((await store.read('dueSummaries', { limit: 1 })).length > 0) await sleep(100);
  process.send?.({ kind: 'settled' });
}

process.on('message', (message) => {
  if (message === 'settle') void settle();
});
process.on('disconnect', () => {
  void server
    .close()
    .then(() => indexer.stop())
    .then(() => store.close());
});
process.send?.({ kind: 'ready', port, passwordHash } satisfies Ready);
