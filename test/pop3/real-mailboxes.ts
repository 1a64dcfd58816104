import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Accounts } from '../../src/accounts/index.js';
import { Mailstore } from '../../src/mailstore/index.js';
import { createPop3Server, type Pop3Server } from '../../src/pop3/index.js';
import { Rope } from '../../src/rope/index.js';
import { openStore, type Store } from '../../src/storage/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';
import { certificate } from './fakes.js';

export interface RealMailboxes {
  readonly server: Pop3Server;
  readonly store: Store;
  readonly mailstore: Mailstore;
  readonly port: number;
  /** The server's certificate in a file, for the clients. */
  readonly caFile: string;
  readonly folder: string;
  /** Puts a message into anna's INBOX. */
  deliver(content: Rope): Promise<void>;
  /** Bytes made a blob, as a spooled message is. */
  blob(bytes: Buffer): Promise<Rope>;
  stop(): Promise<void>;
}

/** POP3 over a store on the disk: anna@alfa.example, password `perché no!`. */
export async function startRealMailboxes(): Promise<RealMailboxes> {
  const folder = await mkdtemp(join(tmpdir(), 'ceralacca-pop3-'));
  const store = await openStore({
    database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
    blobs: { kind: 'file', folder: join(folder, 'blobs') },
  });
  const accounts = new Accounts({
    store,
    serviceMailbox: 'ricevute@alfa.example',
    defaultQuota: 1e9,
    throttleLogins: false,
  });
  await accounts.addDomain('alfa.example');
  const { id: mailboxId } = await accounts.addMailbox('anna@alfa.example', 'perché no!');
  const mailstore = new Mailstore(store);
  const telemetry = silentTelemetry();
  const server = createPop3Server({
    accounts,
    mailstore,
    telemetry,
    hostname: 'mail.alfa.example',
    tls: certificate,
    mode: 'implicit',
  });
  const { port } = await server.listen(0, '127.0.0.1');
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, certificate.cert);
  return {
    server,
    store,
    mailstore,
    port,
    caFile,
    folder,
    async deliver(content) {
      await store.write('commitRefusal', {
        contents: [await store.pack(content)],
        events: [],
        deposits: [
          {
            mailboxId,
            folder: 'INBOX',
            content: { new: 0 },
            size: content.length,
            internalDate: 0,
            flags: [],
            withinQuota: false,
          },
        ],
        receipts: [],
        queue: [],
      });
    },
    async blob(bytes) {
      const file = join(folder, 'spooled');
      await writeFile(file, bytes);
      const hash = createHash('sha256').update(bytes).digest('hex');
      return Rope.of(await store.blobs.adopt(file, hash, bytes.length));
    },
    async stop() {
      await server.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
