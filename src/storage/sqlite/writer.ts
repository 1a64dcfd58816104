/**
 * The writer: takes operations by the batch and makes each batch durable with one fsync.
 *
 * Invariants. Each operation is in its own savepoint: what it throws undoes it alone. A reply is given only after the
 * COMMIT has returned. The register's links are computed for the operations that survived, from the head as it is
 * inside this transaction.
 *
 * Crash point: anywhere before the COMMIT returns nothing is there and no one was told; an input/output error *at* the
 * COMMIT leaves the outcome unknown, so everyone is told so, the connection is opened again and nothing remembered.
 */
import type { News } from '../engine.js';
import { describeError } from '../errors.js';
import type { RegisterEvent } from '../records.js';
import { checkedEvent, insertEntry, laneHead, linkEntries, sealedUntil } from '../register.js';
import type { Statement } from '../statement.js';
import type { Operation, Touched, Transaction } from '../transaction.js';
import { type Connection, isDurable } from './connection.js';
import { unavailability, unavailable } from './failure.js';
import type { WriteReply, WriteRequest } from './messages.js';

/** SQLite has one writer, so one lane. */
const LANE = 0;

// biome-ignore lint/suspicious/noExplicitAny: operations of any input and output, called by name
export type Operations = Readonly<Record<string, Operation<any, unknown>>>;

export interface WriterParts {
  open(): Connection;
  readonly operations: Operations;
  /** Epoch milliseconds. */
  now(): number;
  salt(): Uint8Array;
}

export interface BatchOutcome {
  readonly replies: readonly WriteReply[];
  /** Undefined when nothing was touched. */
  readonly news: News | undefined;
}

type Performed =
  | { readonly reply: WriteReply; readonly transaction?: OperationTransaction }
  | { readonly lost: unknown };

export class Writer {
  readonly #parts: WriterParts;
  #connection: Connection | undefined;
  #proved = false;
  #dataVersion: unknown;

  /** @throws what `open` throws. */
  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#connected();
  }

  /** Never rejects: every request gets its reply. */
  async commit(batch: readonly WriteRequest[]): Promise<BatchOutcome> {
    try {
      this.#connected().control('begin immediate');
    } catch (error) {
      return this.#giveUp(batch, error);
    }
    const performed: { reply: WriteReply; transaction?: OperationTransaction }[] = [];
    for (const request of batch) {
      const one = await this.#perform(request);
      if ('lost' in one) return this.#giveUp(batch, one.lost);
      performed.push(one);
    }
    const survivors = performed.flatMap(({ transaction }) => transaction ?? []);
    try {
      await this.#link(survivors.flatMap((transaction) => transaction.events));
      this.#connected().control('commit');
      this.#prove();
    } catch (error) {
      return this.#giveUp(batch, error);
    }
    return { replies: performed.map(({ reply }) => reply), news: newsOf(survivors) };
  }

  /** Runs while no other process can write, and writes nothing itself. @throws StoreUnavailable */
  async alone<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = this.#connected();
    try {
      connection.control('begin immediate');
      return await run(connection);
    } catch (error) {
      const reason = unavailability(error);
      throw reason === undefined ? error : unavailable(reason, error);
    } finally {
      if (connection.inTransaction) connection.control('rollback');
    }
  }

  /** Whether another process has committed since this was last asked. */
  changedElsewhere(): boolean {
    if (this.#connection === undefined) return false;
    const before = this.#dataVersion;
    try {
      this.#dataVersion = this.#connection.pragma('data_version');
    } catch (error) {
      // A failing disk is the next write's to tell.
      if (unavailability(error) === undefined) throw error;
    }
    return before !== this.#dataVersion;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #connected(): Connection {
    if (this.#connection === undefined) {
      this.#connection = this.#parts.open();
      this.#proved = false;
      this.#dataVersion = this.#connection.pragma('data_version');
    }
    return this.#connection;
  }

  async #perform(request: WriteRequest): Promise<Performed> {
    const connection = this.#connected();
    const operation = this.#parts.operations[request.name];
    const transaction = new OperationTransaction(connection);
    try {
      connection.control('savepoint operation');
      if (operation === undefined) throw new TypeError(`the store has no operation "${request.name}"`);
      const value = await operation(transaction, request.input);
      transaction.end();
      connection.control('release operation');
      return { reply: { id: request.id, value }, transaction };
    } catch (error) {
      transaction.end();
      if (!connection.inTransaction) return { lost: error };
      const reason = unavailability(error);
      // After a failing disk nothing done so far in this batch can be relied on.
      if (reason === 'input-output') return { lost: error };
      try {
        connection.control('rollback to operation');
        connection.control('release operation');
      } catch (second) {
        return { lost: second };
      }
      const told = reason === undefined ? error : unavailable(reason, error);
      return { reply: { id: request.id, error: describeError(told) } };
    }
  }

  async #link(events: readonly RegisterEvent[]): Promise<void> {
    if (events.length === 0) return;
    const connection = this.#connected();
    const head = await connection.first(laneHead, { lane: LANE });
    // Read here, after the operations: a day they sealed in this very batch is left as well.
    const floor = (await connection.first(sealedUntil, {}))?.until ?? 0;
    for (const entry of linkEntries(LANE, head, events, this.#parts.now(), this.#parts.salt, floor)) {
      await connection.run(insertEntry, entry);
    }
  }

  /** A connection that does not reach the disk may not acknowledge anything. */
  #prove(): void {
    if (this.#proved) return;
    if (!isDurable(this.#connected()))
      throw unavailable('input-output', new Error('synchronous is not FULL'));
    this.#proved = true;
  }

  /** The batch as a whole is lost, or its outcome unknown: all its callers are told so. */
  #giveUp(batch: readonly WriteRequest[], cause: unknown): BatchOutcome {
    const told = unavailable(unavailability(cause) ?? 'rolled-back', cause);
    if (this.#connection !== undefined && !this.#rolledBack(this.#connection, told.reason)) {
      closeBroken(this.#connection);
      this.#connection = undefined;
    }
    const error = describeError(told);
    return { replies: batch.map(({ id }) => ({ id, error })), news: undefined };
  }

  /** Whether the connection is in order again. */
  #rolledBack(connection: Connection, reason: string): boolean {
    if (reason === 'input-output') return false;
    try {
      if (connection.inTransaction) connection.control('rollback');
      return true;
    } catch {
      return false;
    }
  }
}

/** Closing may fail as well on a failing disk: the next batch opens the file again, or says that it cannot. */
function closeBroken(connection: Connection): void {
  try {
    connection.close();
  } catch (error) {
    if (unavailability(error) === undefined) throw error;
  }
}

function newsOf(survivors: readonly OperationTransaction[]): News | undefined {
  const touched = survivors.flatMap((transaction) => transaction.touched);
  if (touched.length === 0) return undefined;
  return {
    queue: touched.some((one) => 'queue' in one),
    mailboxes: [...new Set(touched.flatMap((one) => ('mailbox' in one ? one.mailbox : [])))],
  };
}

/** What one operation may do, until it ends. */
class OperationTransaction implements Transaction {
  readonly events: RegisterEvent[] = [];
  readonly touched: Touched[] = [];
  readonly #connection: Connection;
  #ended = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async all<P extends object, R>(statement: Statement<P, R>, parameters: P): Promise<R[]> {
    this.#check();
    return this.#connection.all(statement, parameters);
  }

  async first<P extends object, R>(statement: Statement<P, R>, parameters: P): Promise<R | undefined> {
    this.#check();
    return this.#connection.first(statement, parameters);
  }

  async run<P extends object, R>(statement: Statement<P, R>, parameters: P): Promise<{ changes: number }> {
    this.#check();
    return this.#connection.run(statement, parameters);
  }

  async append(event: RegisterEvent): Promise<void> {
    this.#check();
    this.events.push(checkedEvent(event));
  }

  touch(touched: Touched): void {
    this.touched.push(touched);
  }

  end(): void {
    this.#ended = true;
  }

  /** SQLite may have rolled back by itself: one more statement would then commit alone, outside any transaction. */
  #check(): void {
    if (this.#ended) throw new Error('the operation has ended: it may await nothing but its transaction');
    if (!this.#connection.inTransaction) throw unavailable('rolled-back');
  }
}
