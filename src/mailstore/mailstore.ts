import type { Rope } from '../rope/index.js';
import type { Folder, MessageRow, Store } from '../storage/index.js';

/** How full a mailbox is, in octets. */
export interface Usage {
  readonly used: number;
  readonly quota: number;
  /** What still fits of certified mail; receipts are stored beyond it (decisions 9). */
  readonly free: number;
  /** 100 is full; a mailbox full of receipts can be over it. */
  readonly percent: number;
}

/** The mailboxes as their users see them: folders, and messages that never change. */
export class Mailstore {
  readonly #store: Pick<Store, 'read' | 'write' | 'open' | 'openProved'>;
  readonly #now: () => number;

  /** @param now epoch milliseconds; the system's clock if not given */
  constructor(store: Pick<Store, 'read' | 'write' | 'open' | 'openProved'>, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  folders(mailboxId: number): Promise<Folder[]> {
    return this.#store.read('listFolders', { mailboxId });
  }

  /** The messages of a folder by growing UID; none when there is no such folder. */
  list(mailboxId: number, folder = 'INBOX'): Promise<MessageRow[]> {
    return this.#store.read('listMessages', { mailboxId, folder });
  }

  find(mailboxId: number, id: number): Promise<MessageRow | undefined> {
    return this.#store.read('findMessage', { mailboxId, id });
  }

  /**
   * The bytes as they were delivered: proved to be so, where all of them are wanted.
   * @throws StoreConflict 'content' when the message was expunged and swept; BlobDamaged when they are no longer those
   */
  open(message: Pick<MessageRow, 'contentId'>, wanted: 'part' | 'whole' = 'whole'): Promise<Rope> {
    return wanted === 'whole'
      ? this.#store.openProved(message.contentId)
      : this.#store.open(message.contentId);
  }

  /**
   * Deletes messages for good; ids that are gone already, or another mailbox's, are passed over.
   * @returns how many went, and their octets.
   */
  expunge(mailboxId: number, ids: readonly number[]): Promise<{ removed: number; freed: number }> {
    return this.#store.write('expunge', { mailboxId, ids, now: this.#now() });
  }

  /** Undefined when there is no such mailbox. */
  async usage(mailboxId: number): Promise<Usage | undefined> {
    const mailbox = await this.#store.read('findMailboxById', { id: mailboxId });
    if (mailbox === undefined) return undefined;
    const { used, quota } = mailbox;
    const percent = quota === 0 ? 100 : Math.floor((used * 100) / quota);
    return { used, quota, free: Math.max(0, quota - used), percent };
  }
}
