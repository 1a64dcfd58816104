import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSmtpServer,
  type Envelope,
  type Peer,
  type SmtpHandlers,
  type SmtpServer,
  type SmtpServerOptions,
} from '../../src/smtp/index.js';
import { selfSigned } from './certificate.js';

export interface Taken {
  readonly envelope: Envelope;
  readonly peer: Peer<string>;
  readonly bytes: Buffer;
  readonly length: number;
  readonly hash: string;
  readonly inFile: boolean;
}

export interface Listener {
  readonly server: SmtpServer;
  readonly port: number;
  readonly taken: Taken[];
  readonly reported: unknown[];
  /** Files now in the spool. */
  spooled(): Promise<string[]>;
  stop(): Promise<void>;
}

export const certificate = selfSigned('mail.alfa.example');

/** A listener on a free port of loopback that takes everything and remembers it; `anna`/`segreto` may log in. */
export async function startListener(
  options: Partial<SmtpServerOptions<string>> & { readonly submission?: boolean } = {},
  handlers: Partial<SmtpHandlers<string>> = {},
): Promise<Listener> {
  const { submission = false, ...rest } = options;
  const spoolDir = await mkdtemp(join(tmpdir(), 'ceralacca-smtp-'));
  const taken: Taken[] = [];
  const reported: unknown[] = [];
  const server = createSmtpServer<string>({
    hostname: 'mail.alfa.example',
    tls: certificate,
    mode: 'offered',
    spoolDir,
    size: 1_000_000,
    recipients: 500,
    smtpUtf8: true,
    timeouts: { close: 2_000 },
    report: (error) => reported.push(error),
    ...rest,
    handlers: {
      ...(submission
        ? {
            authenticate: async ({ username, password }) =>
              username === 'anna' && password === 'segreto' ? 'anna' : undefined,
          }
        : {}),
      mailFrom: async () => undefined,
      rcptTo: async () => undefined,
      data: async (message, envelope, peer) => {
        const bytes = message.length > 1_000_000 ? Buffer.alloc(0) : await message.rope.bytes();
        const { length, hash } = message;
        taken.push({ envelope, peer, bytes, length, hash, inFile: message.file !== undefined });
        return `messaggio-${taken.length}`;
      },
      ...handlers,
    },
  });
  const { port } = await server.listen(0, '127.0.0.1');
  return {
    server,
    port,
    taken,
    reported,
    spooled: () => readdir(spoolDir),
    stop: async () => {
      await server.close();
      await rm(spoolDir, { recursive: true, force: true });
    },
  };
}
