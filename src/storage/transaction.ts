import type { RegisterEvent } from './records.js';
import type { Statement } from './statement.js';

/** What a committed operation changed, for those who wait in this process. */
export type Touched = { readonly queue: true } | { readonly mailbox: number };

/** What every operation, read or write, may do. */
export interface ReadTransaction {
  all<P extends object, R>(statement: Statement<P, R>, parameters: P): Promise<R[]>;
  /** The first row, or undefined. An `insert ... returning` is run with this too. */
  first<P extends object, R>(statement: Statement<P, R>, parameters: P): Promise<R | undefined>;
}

/**
 * The transaction of one write operation. An operation awaits nothing else: no clock, no file, no socket. What it
 * throws rolls back what it did, and nothing of the others that share the commit.
 */
export interface Transaction extends ReadTransaction {
  run<P extends object, R>(statement: Statement<P, R>, parameters: P): Promise<{ readonly changes: number }>;
  /** Adds an entry to the register; its link is computed when the batch commits. */
  append(event: RegisterEvent): Promise<void>;
  /** Tells the listeners of `Store.onCommit`, after the commit. */
  touch(touched: Touched): void;
}

/** A named write of the store. */
export type Operation<I, O> = (tx: Transaction, input: I) => Promise<O>;
/** A named read of the store. */
export type ReadOperation<I, O> = (tx: ReadTransaction, input: I) => Promise<O>;
