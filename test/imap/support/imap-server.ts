/** IMAP in clear over a real store: whoever logs in with the password gets a mailbox. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createImapServer,
  type ImapServer,
  type ImapServerOptions,
  RecentClaims,
} from '../../../src/imap/index.js';
import { Indexer, Mailstore } from '../../../src/mailstore/index.js';
import { type Mailbox, openStore, type Store } from '../../../src/storage/index.js';
import { type SilentTelemetry, silentTelemetry } from '../../../src/telemetry/index.js';
import { selfSigned } from '../../smtp/certificate.js';

export const PASSWORD = 'pass';

const certificate = selfSigned('mail.alfa.example');

export interface TestImapServer {
  readonly port: number;
  readonly server: ImapServer;
  readonly telemetry: SilentTelemetry;
  readonly store: Store;
  readonly mailstore: Mailstore;
  readonly indexer: Indexer;
  readonly folder: string;
  stop(): Promise<void>;
}

export interface TestImapOptions
  extends Pick<ImapServerOptions, 'compress' | 'connections' | 'limits' | 'timeouts'> {
  readonly port?: number;
  readonly quota?: number;
  readonly indexing?: boolean;
  /** One that remembers everything, if not given. */
  readonly telemetry?: SilentTelemetry;
  /** The address whose mailbox a user name opens: its own, if not given. */
  readonly owner?: (user: string) => string;
}

export async function startImap(options: TestImapOptions = {}): Promise<TestImapServer> {
  const folder = await mkdtemp(join(tmpdir(), 'ceralacca-imap-'));
  const store = await openStore({
    database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
    blobs: { kind: 'file', folder: join(folder, 'blobs') },
  });
  const spoolDir = join(folder, 'spool');
  await mkdir(spoolDir);
  const mailboxes = new Map<string, Promise<Mailbox>>();
  const domains = new Set<string>();
  const mailboxOf = async (address: string): Promise<Mailbox> => {
    const domain = address.slice(address.indexOf('@') + 1);
    if (!domains.has(domain)) {
      domains.add(domain);
      await store.write('addDomain', { name: domain, now: Date.now() });
    }
    const account = { address, passwordHash: '', holderId: null, kind: 'user' } as const;
    return store.write('addMailbox', { ...account, quota: options.quota ?? 1e10, now: Date.now() });
  };
  const telemetry = options.telemetry ?? silentTelemetry();
  const mailstore = new Mailstore(store);
  const indexer = new Indexer({ store, telemetry });
  if (options.indexing ?? true) indexer.start();
  const server = createImapServer({
    accounts: {
      hiddenCapabilities: (mailboxId) => store.read('hiddenCapabilities', { mailboxId }),
      beginScram: async () => ({ ok: false, reason: 'malformed' }),
      async authenticate({ address: user, password }) {
        if (password !== PASSWORD) return { ok: false, reason: 'bad' };
        const address = options.owner?.(user) ?? user;
        if (!mailboxes.has(address)) mailboxes.set(address, mailboxOf(address));
        return { ok: true, mailbox: await (mailboxes.get(address) as Promise<Mailbox>) };
      },
    },
    mailstore,
    keeper: store,
    telemetry,
    hostname: 'mail.alfa.example',
    tls: certificate,
    spoolDir,
    mode: 'starttls',
    testing: true,
    compress: options.compress,
    limits: options.limits,
    timeouts: options.timeouts,
    connections: options.connections,
    now: Date.now,
    recent: new RecentClaims(),
  });
  const { port } = await server.listen(options.port ?? 0, '127.0.0.1');
  return {
    port,
    server,
    telemetry,
    store,
    mailstore,
    indexer,
    folder,
    async stop() {
      await server.close();
      await indexer.stop();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
