import type { Mailstore } from '../mailstore/index.js';
import type { Rope } from '../rope/index.js';
import type { MailboxLock } from './locks.js';
import { refusals } from './refusals.js';

/** What POP3 needs of the mailboxes. */
export type MaildropStore = Pick<Mailstore, 'folders' | 'list' | 'open' | 'expunge'>;

export interface MaildropMessage {
  /** Counted from 1, as the client does. */
  readonly number: number;
  readonly id: number;
  readonly contentId: number;
  readonly uid: number;
  /** Exact octets as stored (RFC 1939 11). */
  readonly size: number;
}

/** The one folder POP3 shows. */
const FOLDER = 'INBOX';

/**
 * INBOX as it was at login (RFC 1939 4). Mail that arrives meanwhile shows in the next session. DELE only marks: the
 * messages go in `update`, all of them in one operation of the store or none.
 */
export class Maildrop {
  readonly #store: MaildropStore;
  readonly #mailboxId: number;
  readonly #lock: MailboxLock;
  readonly #uidValidity: number;
  readonly #messages: readonly MaildropMessage[];
  readonly #deleted = new Set<number>();
  #size = 0;

  private constructor(
    store: MaildropStore,
    mailboxId: number,
    lock: MailboxLock,
    uidValidity: number,
    messages: readonly MaildropMessage[],
  ) {
    this.#store = store;
    this.#mailboxId = mailboxId;
    this.#lock = lock;
    this.#uidValidity = uidValidity;
    this.#messages = messages;
    this.#size = sizeOf(messages);
  }

  /** Reads the snapshot. The maildrop owns the lock from here on, also when this fails. */
  static async open(store: MaildropStore, mailboxId: number, lock: MailboxLock): Promise<Maildrop> {
    try {
      const [folders, rows] = await Promise.all([store.folders(mailboxId), store.list(mailboxId, FOLDER)]);
      const inbox = folders.find(({ name }) => name === FOLDER);
      if (inbox === undefined) throw new Error(`mailbox ${mailboxId} has no ${FOLDER}`);
      const messages = rows.map(({ id, contentId, uid, size }, index) => ({
        number: index + 1,
        id,
        contentId,
        uid,
        size,
      }));
      return new Maildrop(store, mailboxId, lock, inbox.uidValidity, messages);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Messages not marked as deleted. */
  get count(): number {
    return this.#messages.length - this.#deleted.size;
  }

  /** Their octets. */
  get size(): number {
    return this.#size;
  }

  /** Those not marked as deleted, in order. */
  *messages(): Generator<MaildropMessage, void, undefined> {
    for (const message of this.#messages) if (!this.#deleted.has(message.id)) yield message;
  }

  /** @throws Pop3Error when there is no such message, or it is marked as deleted. */
  message(number: number): MaildropMessage {
    const message = this.#messages[number - 1];
    if (message === undefined) throw refusals.noSuchMessage(this.#messages.length);
    if (this.#deleted.has(message.id)) throw refusals.alreadyDeleted(number);
    return message;
  }

  /** 1 to 70 characters of 0x21-0x7E, the same for ever: a UID is never given twice under one UIDVALIDITY. */
  uniqueId(message: MaildropMessage): string {
    return `${this.#uidValidity}.${message.uid}`;
  }

  /** @throws BlobDamaged; StoreConflict 'content' */
  read(message: MaildropMessage, wanted: 'part' | 'whole'): Promise<Rope> {
    return this.#store.open(message, wanted);
  }

  markDeleted(message: MaildropMessage): void {
    this.#deleted.add(message.id);
    this.#size -= message.size;
  }

  unmarkAll(): void {
    this.#deleted.clear();
    this.#size = sizeOf(this.#messages);
  }

  /**
   * Deletes what was marked; resolves after the commit.
   * @throws Pop3Error when nothing was deleted.
   */
  async update(): Promise<void> {
    if (this.#deleted.size === 0) return;
    try {
      if (!this.#lock.held) throw new Error('the mailbox was taken over by another session');
      await this.#store.expunge(this.#mailboxId, [...this.#deleted]);
    } catch (error) {
      throw refusals.notRemoved(error);
    }
  }

  /** The session is alive. */
  renew(): void {
    this.#lock.renew();
  }

  /** Lets the next POP3 session in. */
  release(): void {
    this.#lock.release();
  }
}

const sizeOf = (messages: readonly MaildropMessage[]): number =>
  messages.reduce((sum, { size }) => sum + size, 0);
