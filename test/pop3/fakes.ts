import type { AddressInfo } from 'node:net';
import type { Accounts, Authentication } from '../../src/accounts/index.js';
import {
  createPop3Server,
  type MaildropStore,
  type Pop3Server,
  type Pop3ServerOptions,
} from '../../src/pop3/index.js';
import { Rope, type Source } from '../../src/rope/index.js';
import type { Folder, Mailbox, MessageRow } from '../../src/storage/index.js';
import { StoreConflict } from '../../src/storage/index.js';
import { type SilentTelemetry, silentTelemetry } from '../../src/telemetry/index.js';
import { selfSigned } from '../smtp/certificate.js';

export const certificate = selfSigned('localhost');

const mailbox = (id: number, address: string, state: Mailbox['state'] = 'active'): Mailbox => ({
  id,
  address,
  domain: 'alfa.example',
  kind: 'user',
  state,
  holderId: null,
  passwordHash: '',
  quota: 1e9,
  used: 0,
  ordinary: null,
  createdAt: 0,
});

const users = new Map([
  ['anna@alfa.example', mailbox(1, 'anna@alfa.example')],
  ['bruno@alfa.example', mailbox(2, 'bruno@alfa.example', 'suspended')],
  ['carla@alfa.example', mailbox(3, 'carla@alfa.example', 'revoked')],
]);

/** Everybody's password is `segreto`, or `perché no` for who likes accents; `lento` has to wait. */
export const fakeAccounts: Pick<Accounts, 'authenticate' | 'beginScram'> = {
  beginScram: async () => ({ ok: false, reason: 'malformed' }),
  async authenticate({ address, password }: { address: string; password: string }): Promise<Authentication> {
    const found = users.get(address);
    if (password === 'lento') return { ok: false, reason: 'throttled', cause: 'account' };
    if (found === undefined || !['segreto', 'perché no'].includes(password))
      return { ok: false, reason: 'bad' };
    return found.state === 'revoked' ? { ok: false, reason: 'revoked' } : { ok: true, mailbox: found };
  },
};

/** Mailboxes in memory. */
export class FakeMailstore implements MaildropStore {
  readonly #boxes = new Map<number, (MessageRow & { readonly rope: Rope })[]>();
  #next = 1;
  uidValidity = 1_700_000_000;
  /** What the next expunge does before it commits; a throw makes it fail. */
  beforeExpunge: () => Promise<void> = async () => undefined;
  expunged = 0;
  /** Makes `list` fail. */
  unavailable = false;

  add(mailboxId: number, ...contents: (string | Rope)[]): void {
    for (const content of contents) {
      const rope = typeof content === 'string' ? Rope.of(Buffer.from(content, 'latin1')) : content;
      const id = this.#next++;
      const row = {
        id,
        mailboxId,
        folder: 'INBOX',
        uid: id * 10,
        modseq: 1,
        contentId: id,
        size: rope.length,
        internalDate: 0,
        flags: [],
        rope,
      };
      this.#boxes.set(mailboxId, [...(this.#boxes.get(mailboxId) ?? []), row]);
    }
  }

  async folders(mailboxId: number): Promise<Folder[]> {
    const { uidValidity } = this;
    const counts = { messages: 0, size: 0, unseen: 0, deleted: 0 };
    const common = { id: 1, mailboxId, specialUse: null, uidNext: 1, highestModseq: 1, selectable: true };
    return [{ ...common, ...counts, name: 'INBOX', uidValidity }];
  }

  async list(mailboxId: number): Promise<MessageRow[]> {
    if (this.unavailable) throw new Error('the disk is on fire at /secret/path');
    return [...(this.#boxes.get(mailboxId) ?? [])];
  }

  async open({ contentId }: { contentId: number }): Promise<Rope> {
    const row = [...this.#boxes.values()].flat().find((entry) => entry.contentId === contentId);
    if (row === undefined) throw new StoreConflict('content', `no content ${contentId}`);
    return row.rope;
  }

  async expunge(mailboxId: number, ids: readonly number[]): Promise<{ removed: number; freed: number }> {
    await this.beforeExpunge();
    const before = this.#boxes.get(mailboxId) ?? [];
    const after = before.filter(({ id }) => !ids.includes(id));
    this.#boxes.set(mailboxId, after);
    this.expunged += 1;
    return { removed: before.length - after.length, freed: 0 };
  }

  count(mailboxId: number): number {
    return this.#boxes.get(mailboxId)?.length ?? 0;
  }
}

export interface Listener {
  readonly server: Pop3Server;
  readonly port: number;
  readonly mailstore: FakeMailstore;
  readonly telemetry: SilentTelemetry;
}

/** A listener on loopback, on a free port unless one is wanted; anna's INBOX holds what is given. */
export async function startListener(
  contents: readonly (string | Rope)[] = [],
  options: Omit<Partial<Pop3ServerOptions>, 'mailstore'> & { readonly mailstore?: FakeMailstore } = {},
  wanted = 0,
): Promise<Listener> {
  const mailstore = options.mailstore ?? new FakeMailstore();
  mailstore.add(1, ...contents);
  const telemetry = silentTelemetry();
  const server = createPop3Server({
    accounts: fakeAccounts,
    telemetry,
    hostname: 'mail.alfa.example',
    tls: certificate,
    mode: 'implicit',
    ...options,
    mailstore,
  });
  const { port }: AddressInfo = await server.listen(wanted, '127.0.0.1');
  return { server, port, mailstore, telemetry };
}

/** A message of so many octets in a source that never holds more than was asked of it, and tells how much that was. */
export function largeSource(
  length: number,
  line = '.abcdefgh\r\n',
): Source & { largest: number; reads: number } {
  const pattern = Buffer.from(line.repeat(Math.ceil(300_000 / line.length) + 1), 'latin1');
  return {
    length,
    largest: 0,
    reads: 0,
    async read(offset, size) {
      this.largest = Math.max(this.largest, size);
      this.reads += 1;
      const from = offset % line.length;
      return pattern.subarray(from, from + size);
    },
  };
}
