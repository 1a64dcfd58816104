import type { Rope } from '../rope/index.js';
import type {
  Copied,
  FlagSet,
  FlagStore,
  Folder,
  FolderChanges,
  ListedMessage,
  MessageRow,
  NamedFolder,
  OpenedFolder,
  SpecialUse,
  Store,
  StoredSummary,
  SummaryPart,
  Which,
} from '../storage/index.js';
import { FolderIndexes } from './folder-index.js';
import { KnownSortKeys } from './known-sort-keys.js';
import type { SortKeys } from './sort-keys.js';
import { TextFilter } from './text-filter.js';
import { Watches } from './watches.js';

/** How full a mailbox is, in octets. */
export interface Usage {
  readonly used: number;
  readonly quota: number;
  /** What still fits of certified mail; receipts are stored beyond it (decisions 9). */
  readonly free: number;
  /** 100 is full; a mailbox full of receipts can be over it. */
  readonly percent: number;
}

/** A message of a folder with what was asked for of its summary; undefined where there is none yet. */
export interface SummarisedMessage {
  readonly row: ListedMessage;
  readonly summary: StoredSummary | undefined;
}

/** A message's flags as they stand. */
export interface FlagState extends FlagSet {
  readonly uid: number;
  readonly modseq: number;
}

/** A folder of a mailbox. */
export interface FolderPlace {
  readonly mailboxId: number;
  readonly folderId: number;
}

/** What the mailstore needs of the store. */
export type MailstoreStore = Pick<Store, 'read' | 'write' | 'open' | 'openProved' | 'pack' | 'onCommit'>;

/** The mailboxes as their users see them: folders, and messages that never change. */
export class Mailstore {
  readonly #store: MailstoreStore;
  readonly #now: () => number;
  readonly #watches: Watches;
  readonly #indexes: FolderIndexes;
  readonly #sortKeys: KnownSortKeys;
  readonly #textFilter: TextFilter;

  /** @param now epoch milliseconds; the system's clock if not given */
  constructor(store: MailstoreStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
    this.#watches = new Watches(store);
    this.#sortKeys = new KnownSortKeys(store);
    this.#textFilter = new TextFilter(store);
    this.#indexes = new FolderIndexes((folderId, since) => store.read('folderChanges', { folderId, since }));
  }

  folders(mailboxId: number): Promise<Folder[]> {
    return this.#store.read('listFolders', { mailboxId });
  }

  /** Without a look at what is in them. */
  namedFolders(mailboxId: number): Promise<NamedFolder[]> {
    return this.#store.read('namedFolders', { mailboxId });
  }

  /** With what is in it; undefined when it is gone. */
  async counted(folder: NamedFolder): Promise<Folder | undefined> {
    const index = await this.#indexes.current(folder.id);
    if (index !== undefined) return { ...folder, ...index.counts() };
    return (await this.folders(folder.mailboxId)).find(({ id }) => id === folder.id);
  }

  /** The messages of a folder by growing UID; none when there is no such folder. */
  list(mailboxId: number, folder = 'INBOX'): Promise<MessageRow[]> {
    return this.#store.read('listMessages', { mailboxId, folder });
  }

  // --- folders -----------------------------------------------------------------------------------------------

  /** @throws StoreConflict 'folder-exists' */
  createFolder(
    mailboxId: number,
    name: string,
    specialUse: SpecialUse | null = null,
  ): Promise<{ uidValidity: number }> {
    return this.#store.write('createFolder', { mailboxId, name, specialUse, now: this.#now() });
  }

  /** @throws StoreConflict 'folder', 'folder-children' */
  deleteFolder(mailboxId: number, name: string): Promise<void> {
    return this.#store.write('deleteFolder', { mailboxId, name });
  }

  /** @throws StoreConflict 'folder', 'folder-exists' */
  renameFolder(mailboxId: number, from: string, to: string): Promise<void> {
    return this.#store.write('renameFolder', { mailboxId, from, to, now: this.#now() });
  }

  subscriptions(mailboxId: number): Promise<string[]> {
    return this.#store.read('listSubscriptions', { mailboxId });
  }

  subscribe(mailboxId: number, name: string, subscribed: boolean): Promise<void> {
    return this.#store.write('setSubscription', { mailboxId, name, subscribed });
  }

  /** Whether there is such a folder, and it can hold messages. */
  async hasFolder(mailboxId: number, name: string): Promise<boolean> {
    return (await this.#store.read('folderNamed', { mailboxId, name })) !== undefined;
  }

  /** Undefined when there is no such folder. @param since epoch milliseconds: whose `firstSince` came into it then or later */
  async openFolder(mailboxId: number, name: string, since: number): Promise<OpenedFolder | undefined> {
    const id = await this.#store.read('folderNamed', { mailboxId, name });
    const index = id === undefined ? undefined : await this.#indexes.current(id);
    if (id === undefined || index === undefined)
      return this.#store.read('openFolder', { mailboxId, name, since });
    return { id, name, ...index.opened(since) };
  }

  /** What happened in a folder after a modseq; undefined when the folder is gone. */
  async changes(folderId: number, since: number): Promise<FolderChanges | undefined> {
    const index = await this.#indexes.current(folderId);
    return index?.since(since) ?? this.#store.read('folderChanges', { folderId, since });
  }

  // --- messages of a folder, by UID: those that are gone are passed over -------------------------------------------

  async listed(folderId: number, uids: readonly number[]): Promise<ListedMessage[]> {
    const index = await this.#indexes.current(folderId);
    return index?.listed(uids) ?? this.#store.read('listedMessages', { folderId, uids });
  }

  /** Rows of a folder with these parts of their summaries; those that are gone meanwhile are missing. */
  async summarised(
    folderId: number,
    rows: readonly ListedMessage[],
    parts: readonly SummaryPart[],
  ): Promise<SummarisedMessage[]> {
    if (parts.length === 0) return rows.map((row) => ({ row, summary: undefined }));
    const contentIds = rows.map(({ contentId }) => contentId);
    const stored = new Map<number, StoredSummary>();
    for (const one of await this.#store.read('storedSummaries', { contentIds, parts }))
      stored.set(one.contentId, one);
    const missing = rows.filter(({ contentId }) => !stored.has(contentId)).map(({ uid }) => uid);
    // None yet, or its content went with it.
    const there =
      missing.length === 0 ? NONE : new Set((await this.listed(folderId, missing)).map((row) => row.uid));
    const found: SummarisedMessage[] = [];
    for (const row of rows) {
      const summary = stored.get(row.contentId);
      if (summary !== undefined || there.has(row.uid)) found.push({ row, summary });
    }
    return found;
  }

  /** What each of these messages is sorted by; undefined where there is no summary yet. */
  sortKeys(rows: readonly ListedMessage[]): Promise<(SortKeys | undefined)[]> {
    return this.#sortKeys.of(rows.map(({ contentId }) => contentId));
  }

  /** Those of these contents whose text has certainly not all of these trigrams (`fts5` query). */
  without(query: string, contentIds: readonly number[]): Promise<ReadonlySet<number>> {
    return this.#textFilter.without(query, contentIds);
  }

  /**
   * Changes flags.
   * @returns the state of every message that was asked for and is there, by growing UID; `refused`: the UIDs that had changed since
   */
  async storeFlags(
    request: FlagStore,
  ): Promise<{ states: readonly FlagState[]; refused: readonly number[] }> {
    const { modseq, groups, refused } = await this.#store.write('storeFlags', request);
    if (modseq > 0) this.#indexes.flagged(request.folderId, modseq, groups);
    const states = groups.flatMap(({ uids, ...flags }) => uids.map((uid) => ({ uid, ...flags })));
    if (groups.length > 1) states.sort((one, other) => one.uid - other.uid);
    return { states, refused };
  }

  /** @returns the UIDs that went */
  expungeFrom(mailboxId: number, folderId: number, which: Which): Promise<readonly number[]> {
    return this.#store.write('expungeMessages', { mailboxId, folderId, which });
  }

  /** @throws StoreConflict 'folder', 'quota' */
  copy(from: FolderPlace, uids: readonly number[], target: string): Promise<Copied> {
    return this.#store.write('copyMessages', { ...from, uids, target, now: this.#now() });
  }

  /** @throws StoreConflict 'folder' */
  move(from: FolderPlace, uids: readonly number[], target: string): Promise<Copied> {
    return this.#store.write('moveMessages', { ...from, uids, target, now: this.#now() });
  }

  /** Puts messages into a folder, all or none, durably. @throws StoreConflict 'folder', 'quota' */
  async append(
    mailboxId: number,
    folder: string,
    messages: readonly {
      readonly rope: Rope;
      readonly flags: readonly string[];
      readonly internalDate: number;
    }[],
  ): Promise<{ uidValidity: number; uids: readonly number[] }> {
    const packed = await Promise.all(
      messages.map(async ({ rope, ...rest }) => ({ ...rest, content: await this.#store.pack(rope) })),
    );
    return this.#store.write('appendMessages', { mailboxId, folder, messages: packed, now: this.#now() });
  }

  /**
   * One message instead of another, durably; the two are never both there, nor both gone.
   * @throws StoreConflict 'message' when the old one is gone, 'folder', 'quota'
   */
  async replace(
    { mailboxId, folderId }: FolderPlace,
    uid: number,
    message: {
      readonly folder: string;
      readonly rope: Rope;
      readonly flags: readonly string[];
      readonly internalDate: number;
    },
  ): Promise<{ uidValidity: number; uid: number }> {
    const { folder, rope, ...rest } = message;
    return this.#store.write('replaceMessage', {
      mailboxId,
      folderId,
      uid,
      folder,
      message: { ...rest, content: await this.#store.pack(rope) },
      now: this.#now(),
    });
  }

  /** Calls back after each commit that may have changed this mailbox. @returns what ends it */
  watch(mailboxId: number, changed: () => void): () => void {
    return this.#watches.add(mailboxId, changed);
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

const NONE: ReadonlySet<number> = new Set();
