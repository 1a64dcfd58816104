/**
 * What clients ask of a folder most, in memory: which messages it has, their flags and sizes. Every session of the folder reads
 * the same.
 *
 * Invariant: every change to a folder raises its modseq, and each use asks the store for that first; so what is given is what
 * stands in the store, whoever changed it.
 */
import {
  DELETED,
  type FlagGroup,
  type Folder,
  type FolderChanges,
  type ListedMessage,
  type OpenedFolder,
  SEEN,
} from '../storage/index.js';
import { lowerBound } from '../wire/imap/index.js';

/** Messages kept, of all folders together: some 25 MB. */
const KEPT = 200_000;
/** UIDs that went, kept of one folder for who has to be told. */
const GONE = 10_000;

interface Gone {
  readonly uid: number;
  readonly modseq: number;
}

type Counts = Pick<Folder, 'messages' | 'size' | 'unseen' | 'deleted' | 'uidNext' | 'highestModseq'>;
type Summary = Pick<OpenedFolder, 'firstUnseen' | 'firstSince' | 'keywords'>;

export class FolderIndex {
  readonly uidValidity: number;
  #rows: ListedMessage[] = [];
  #uids: number[] = [];
  #uidNext = 0;
  #modseq = -1;
  #gone: Gone[] = [];
  /** What went after this modseq is in `#gone`. */
  #goneSince: number;
  #summary: (Summary & { readonly modseq: number; readonly since: number }) | undefined;

  #counts: (Omit<Counts, 'uidNext' | 'highestModseq'> & { readonly modseq: number }) | undefined;

  /** @param changes all there is in the folder */
  constructor(changes: FolderChanges) {
    this.uidValidity = changes.uidValidity;
    this.#goneSince = changes.highestModseq;
    this.#take({ ...changes, gone: [] });
  }

  get modseq(): number {
    return this.#modseq;
  }

  get size(): number {
    return this.#rows.length;
  }

  /** @returns false when it cannot be brought up to date with these */
  update(changes: FolderChanges): boolean {
    if (changes.uidValidity !== this.uidValidity || changes.gone === 'unknown') return false;
    // Somebody else asked meanwhile, and was told more.
    if (changes.highestModseq > this.#modseq) this.#take({ ...changes, gone: changes.gone });
    return true;
  }

  /** A change that this house made itself. It counts only when nothing else came between; else the next look brings it. */
  flagged(modseq: number, groups: readonly FlagGroup[]): void {
    if (modseq !== this.#modseq + 1) return;
    for (const group of groups) {
      if (group.modseq !== modseq) continue;
      const { system } = group;
      const keywords = JSON.stringify(group.keywords);
      this.#find(group.uids, (row, at) => {
        this.#rows[at] = { ...row, system, keywords, modseq };
      });
    }
    this.#modseq = modseq;
  }

  #take({ changed, gone, highestModseq, uidNext }: FolderChanges & { gone: readonly number[] }): void {
    this.#remove(gone, highestModseq);
    for (const row of changed) {
      const at = lowerBound(this.#uids, row.uid);
      // A new one stands last: UIDs grow.
      if (this.#uids[at] === row.uid || at === this.#uids.length) {
        this.#rows[at] = row;
        this.#uids[at] = row.uid;
      } else {
        this.#rows.splice(at, 0, row);
        this.#uids.splice(at, 0, row.uid);
      }
    }
    this.#modseq = highestModseq;
    this.#uidNext = uidNext;
  }

  #remove(uids: readonly number[], modseq: number): void {
    if (uids.length === 0) return;
    const went = new Set(uids);
    this.#rows = this.#rows.filter(({ uid }) => !went.has(uid));
    this.#uids = this.#rows.map(({ uid }) => uid);
    for (const uid of went) this.#gone.push({ uid, modseq });
    const surplus = this.#gone.length - GONE;
    if (surplus <= 0) return;
    this.#goneSince = this.#gone[surplus - 1]?.modseq ?? modseq;
    this.#gone = this.#gone.filter((one) => one.modseq > this.#goneSince);
  }

  /** Those of these UIDs (growing) that are there. */
  listed(uids: readonly number[]): ListedMessage[] {
    const found: ListedMessage[] = [];
    this.#find(uids, (row) => found.push(row));
    return found;
  }

  #find(uids: readonly number[], take: (row: ListedMessage, at: number) => void): void {
    let at = 0;
    for (const uid of uids) {
      if (this.#uids[at] !== uid) at = lowerBound(this.#uids, uid);
      const row = this.#rows[at];
      if (row?.uid !== uid) continue;
      take(row, at);
      at += 1;
    }
  }

  /** Undefined when it is not remembered any more what went since. */
  since(modseq: number): FolderChanges | undefined {
    if (modseq < this.#goneSince) return undefined;
    const { uidValidity } = this;
    const facts = { uidValidity, uidNext: this.#uidNext, highestModseq: this.#modseq };
    if (this.#modseq <= modseq) return { ...facts, changed: [], gone: [] };
    return {
      ...facts,
      changed: this.#rows.filter((row) => row.modseq > modseq),
      gone: this.#goneAfter(modseq),
    };
  }

  #goneAfter(modseq: number): number[] {
    const uids = this.#gone.filter((one) => one.modseq > modseq).map(({ uid }) => uid);
    return [...new Set(uids)].sort((one, other) => one - other);
  }

  opened(since: number): Omit<OpenedFolder, 'id' | 'name'> {
    if (this.#summary?.modseq !== this.#modseq || this.#summary.since !== since)
      this.#summary = { ...this.#summarise(since), modseq: this.#modseq, since };
    const { firstUnseen, firstSince, keywords } = this.#summary;
    return {
      uidValidity: this.uidValidity,
      uidNext: this.#uidNext,
      highestModseq: this.#modseq,
      uids: this.#uids,
      firstUnseen,
      firstSince,
      keywords,
    };
  }

  counts(): Counts {
    if (this.#counts?.modseq !== this.#modseq) {
      const counts = { messages: this.#rows.length, size: 0, unseen: 0, deleted: 0 };
      for (const { size, system } of this.#rows) {
        counts.size += size;
        if ((system & SEEN) === 0) counts.unseen += 1;
        if ((system & DELETED) !== 0) counts.deleted += 1;
      }
      this.#counts = { ...counts, modseq: this.#modseq };
    }
    const { modseq, ...counts } = this.#counts;
    return { ...counts, uidNext: this.#uidNext, highestModseq: modseq };
  }

  #summarise(since: number): Summary {
    const lists = new Set(this.#rows.map(({ keywords }) => keywords));
    return {
      firstUnseen: this.#rows.find(({ system }) => (system & SEEN) === 0)?.uid,
      firstSince: this.#rows.find(({ savedAt }) => savedAt >= since)?.uid,
      keywords: [...new Set([...lists].flatMap((list) => JSON.parse(list) as string[]))],
    };
  }
}

/** What the store has of a folder that changed after a modseq; undefined when the folder is gone. */
type ChangesOf = (folderId: number, since: number) => Promise<FolderChanges | undefined>;

/** The folders that were asked for lately, up to so many messages. */
export class FolderIndexes {
  readonly #changes: ChangesOf;
  /** Least recently used first. */
  readonly #indexes = new Map<number, FolderIndex>();
  readonly #limit: number;

  constructor(changes: ChangesOf, limit = KEPT) {
    this.#changes = changes;
    this.#limit = limit;
  }

  /** The folder as it is now; undefined when it is gone, or too large to be kept. */
  async current(folderId: number): Promise<FolderIndex | undefined> {
    const known = this.#indexes.get(folderId);
    const changes = await this.#changes(folderId, known?.modseq ?? Number.MAX_SAFE_INTEGER);
    if (changes === undefined || changes.uidNext > this.#limit) {
      this.#indexes.delete(folderId);
      return undefined;
    }
    if (known?.update(changes)) return this.#keep(folderId, known);
    const all = await this.#changes(folderId, -1);
    return all && this.#keep(folderId, new FolderIndex(all));
  }

  /** Flags of a folder were changed by this. */
  flagged(folderId: number, modseq: number, groups: readonly FlagGroup[]): void {
    this.#indexes.get(folderId)?.flagged(modseq, groups);
  }

  #keep(folderId: number, index: FolderIndex): FolderIndex {
    this.#indexes.delete(folderId);
    this.#indexes.set(folderId, index);
    let size = 0;
    for (const each of this.#indexes.values()) size += each.size;
    for (const [oldest, each] of this.#indexes) {
      if (size <= this.#limit || each === index) break;
      this.#indexes.delete(oldest);
      size -= each.size;
    }
    return index;
  }
}
