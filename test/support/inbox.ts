import { setTimeout as sleep } from 'node:timers/promises';
import { Pop3Client, type Server } from './mail-clients.js';

/** A mailbox a test can log in to. */
export interface Account {
  readonly address: string;
  readonly password: string;
}

/** A message as POP3 gives it. */
export interface Held {
  readonly uid: string;
  readonly bytes: Buffer;
  /** Header block, unfolded, Latin-1, with a CRLF at its end. */
  readonly header: string;
}

/** Milliseconds: generous, since the machine may be busy; reached only when something is broken. */
const PATIENCE = 60_000;

/** A mailbox seen through POP3; each message is fetched once. */
export class Inbox {
  readonly #known = new Map<string, Held>();

  constructor(
    private readonly server: Server,
    private readonly account: Account,
  ) {}

  /** Everything that is there now, oldest first. */
  async messages(): Promise<readonly Held[]> {
    const client = await Pop3Client.open(this.server);
    try {
      await client.login(this.account.address, this.account.password);
      const held: Held[] = [];
      for (const { number, uid } of await client.uidl()) {
        const message = this.#known.get(uid) ?? heldAs(uid, await client.retrieve(number));
        this.#known.set(uid, message);
        held.push(message);
      }
      await client.quit();
      return held;
    } finally {
      client.close();
    }
  }

  /** All that fit, as soon as there are `count`. */
  async waitFor(fits: (message: Held) => boolean, count = 1): Promise<readonly Held[]> {
    for (const deadline = Date.now() + PATIENCE; ; await sleep(50)) {
      const messages = await this.messages();
      const found = messages.filter(fits);
      if (found.length >= count) return found;
      if (Date.now() > deadline) {
        const subjects = messages.map((message) => `  ${field(message, 'Subject') ?? 'no subject'}`);
        throw new Error(
          `${this.account.address}: ${found.length} of ${count} came; there are:\n${subjects.join('\n')}`,
        );
      }
    }
  }
}

function heldAs(uid: string, bytes: Buffer): Held {
  return { uid, bytes, header: headerOf(bytes) };
}

/** The header block of a message, unfolded, Latin-1, with a CRLF at its end. */
export function headerOf(bytes: Buffer): string {
  const end = bytes.indexOf('\r\n\r\n');
  const block = bytes.subarray(0, end < 0 ? bytes.length : end + 2).toString('latin1');
  return block.replace(/\r\n(?=[ \t])/g, '');
}

/** The first field of that name, without its name; undefined when there is none. */
export function field({ header }: Pick<Held, 'header'>, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*?)\\r$`, 'im').exec(header)?.[1];
}
