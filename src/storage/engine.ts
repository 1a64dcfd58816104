import type { ReadOperation } from './transaction.js';

/** What was committed, for those who wait in this process. */
export interface News {
  readonly queue: boolean;
  readonly mailboxes: readonly number[];
  /** Another process committed; what it changed is not known. */
  readonly elsewhere?: true;
}

/** What the Store needs of a database. Each engine passes the same contract suite. */
export interface Engine {
  /**
   * Runs a write operation by its name and resolves once it is durable.
   * @throws StoreConflict and what else the operation throws; StoreUnavailable.
   */
  write(name: string, input: unknown): Promise<unknown>;
  /** Runs a read operation on one consistent state. @throws StoreUnavailable */
  read<I, O>(operation: ReadOperation<I, O>, input: I): Promise<O>;
  /** Removes the files of those blobs that have no row by now. @returns how many. */
  removeBlobFiles(hashes: readonly string[]): Promise<number>;
  /** Writes that were asked for and not answered, and how many may be. */
  readonly load: { readonly waiting: number; readonly limit: number };
  /** @returns what ends it. */
  onNews(listener: (news: News) => void): () => void;
  /** Lets what waits finish. */
  close(): Promise<void>;
}
