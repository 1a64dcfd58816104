import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Accounts } from '../../../src/accounts/index.js';
import { createImapServer, RecentClaims } from '../../../src/imap/index.js';
import { Indexer, Mailstore } from '../../../src/mailstore/index.js';
import { Rope } from '../../../src/rope/index.js';
import { openStore, type Store } from '../../../src/storage/index.js';
import { type SilentTelemetry, silentTelemetry } from '../../../src/telemetry/index.js';
import { certificate } from '../../pop3/fakes.js';

export const USER = 'anna@alfa.example';
export const PASSWORD = 'parola-di-anna';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A message as the store has it. */
export interface Kept {
  readonly uid: number;
  readonly flags: readonly string[];
  /** Of its octets, SHA-256. */
  readonly hash: string;
  readonly text: string;
}

export interface RealImap {
  readonly port: number;
  readonly store: Store;
  readonly telemetry: SilentTelemetry;
  /** The server's certificate in a file, for the clients. */
  readonly caFile: string;
  /** For what a client needs. */
  readonly folder: string;
  /** Puts a message into anna's INBOX as the points of a gestore do. */
  deliver(content: Buffer, ...flags: string[]): Promise<void>;
  /** What stands in a folder, oldest first. */
  kept(folder?: string): Promise<Kept[]>;
  /** Names of the folders. */
  folders(): Promise<string[]>;
  stop(): Promise<void>;
}

/** IMAPS over a store on the disk, as a gestore has it: mailbox and password are anna's. */
export async function startRealImap(): Promise<RealImap> {
  const folder = await mkdtemp(join(tmpdir(), 'ceralacca-imaps-'));
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
  const { id: mailboxId } = await accounts.addMailbox(USER, PASSWORD);
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
    tls: certificate,
    spoolDir,
    mode: 'implicit',
    now: Date.now,
    recent: new RecentClaims(),
  });
  const { port } = await server.listen(0, '127.0.0.1');
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, certificate.cert);
  return {
    port,
    store,
    telemetry,
    caFile,
    folder,
    async deliver(content, ...flags) {
      await store.write('commitRefusal', {
        contents: [await store.pack(Rope.of(content))],
        events: [],
        deposits: [
          {
            mailboxId,
            folder: 'INBOX',
            content: { new: 0 },
            size: content.length,
            internalDate: Date.now(),
            flags,
            withinQuota: false,
          },
        ],
        receipts: [],
        queue: [],
      });
    },
    async kept(name = 'INBOX') {
      const rows = await mailstore.list(mailboxId, name);
      return Promise.all(
        rows.map(async (row) => {
          const bytes = await (await mailstore.open(row)).bytes();
          return { uid: row.uid, flags: row.flags, hash: sha256(bytes), text: bytes.toString('latin1') };
        }),
      );
    },
    async folders() {
      return (await mailstore.folders(mailboxId)).map(({ name }) => name).sort();
    },
    async stop() {
      await server.close();
      await indexer.stop();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a program is to bring away unchanged: an envelope with keyword, a receipt, one large, one with octets above 127. */
export const samples: readonly { readonly content: Buffer; readonly keyword: string }[] = [
  {
    keyword: '$PostaCertificata',
    content: sample('POSTA CERTIFICATA: contratto', 'busta', 'Firmato.\r\n.\r\nFrom qui\r\n'),
  },
  {
    keyword: '$Accettazione',
    content: sample('ACCETTAZIONE: contratto', 'accettazione', 'è stato accettato\r\n'),
  },
  {
    keyword: '$Consegna',
    content: sample('CONSEGNA: contratto', 'consegna', 'riga lunga\r\n'.repeat(150_000)),
  },
  { keyword: '$Anomalia', content: sample('ANOMALIA MESSAGGIO: offerta', 'anomalia', '\r\n\r\n') },
];

function sample(subject: string, id: string, body: string): Buffer {
  const lines = [
    'Return-Path: <posta-certificata@alfa.example>',
    'From: posta-certificata@alfa.example',
    `To: ${USER}`,
    `Subject: ${subject}`,
    `Message-ID: <${id}@alfa.example>`,
    'Date: Sat, 22 Nov 2025 10:00:00 +0100',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** A server of a test's own, the samples in its INBOX. */
export async function withSamples(use: (real: RealImap) => Promise<void>): Promise<void> {
  const real = await startRealImap();
  try {
    for (const { content, keyword } of samples) await real.deliver(content, keyword);
    await use(real);
  } finally {
    await real.stop();
  }
}

/** Of each sample, in order. */
export const sampleHashes: readonly string[] = samples.map(({ content }) => sha256(content));
