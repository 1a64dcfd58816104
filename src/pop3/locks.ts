/** A mailbox held by one POP3 session. */
export interface MailboxLock {
  /** False once released, or taken over. */
  readonly held: boolean;
  /** The session is alive: the time starts anew. */
  renew(): void;
  /** Does nothing the second time, or when another session holds the mailbox by now. */
  release(): void;
}

interface Entry {
  renewedAt: number;
  readonly onLost: () => void;
}

/** Longer than any silence the sessions' own timeouts allow: only a session gone wrong ever reaches it. */
const TIMEOUT = 20 * 60_000;

/**
 * One POP3 session a mailbox (RFC 1939 4). The lock binds POP3 sessions of this process only: deliveries, IMAP and the
 * webmail never look at it. A session that has given no sign of life for the whole timeout loses its mailbox to the next
 * one that asks.
 */
export class MailboxLocks {
  readonly #entries = new Map<number, Entry>();
  readonly #timeout: number;
  readonly #now: () => number;

  /** @param timeout milliseconds. @param now milliseconds that never go back */
  constructor(timeout = TIMEOUT, now: () => number = () => performance.now()) {
    this.#timeout = timeout;
    this.#now = now;
  }

  /**
   * @param onLost called when the mailbox is taken over
   * @returns undefined while another session holds the mailbox.
   */
  acquire(mailboxId: number, onLost: () => void): MailboxLock | undefined {
    const holder = this.#entries.get(mailboxId);
    if (holder !== undefined && this.#now() - holder.renewedAt < this.#timeout) return undefined;
    const entry: Entry = { renewedAt: this.#now(), onLost };
    this.#entries.set(mailboxId, entry);
    holder?.onLost();
    const entries = this.#entries;
    const now = this.#now;
    const held = () => entries.get(mailboxId) === entry;
    return {
      get held() {
        return held();
      },
      renew() {
        entry.renewedAt = now();
      },
      release() {
        if (held()) entries.delete(mailboxId);
      },
    };
  }

  /** Mailboxes held now. */
  get size(): number {
    return this.#entries.size;
  }
}

const shared = new WeakMap<object, MailboxLocks>();

/** The locks of one set of mailboxes: the listeners with and without TLS share them. */
export function locksOf(mailstore: object): MailboxLocks {
  const existing = shared.get(mailstore);
  if (existing !== undefined) return existing;
  const locks = new MailboxLocks();
  shared.set(mailstore, locks);
  return locks;
}
