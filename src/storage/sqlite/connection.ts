import Database from 'better-sqlite3';
import type { Statement } from '../statement.js';
import type { ReadTransaction } from '../transaction.js';

/** How long a statement waits for another process's write. */
const BUSY_TIMEOUT_MS = 5000;
/** Page cache of the writer. */
const CACHE_KIB = 16 * 1024;
/** Page cache of a reader: summaries of some ten thousand messages, which clients ask for again and again. */
const READING_CACHE_KIB = 64 * 1024;
/** Octets of the WAL that stay on the disk when it is not needed. */
const WAL_KEPT = 64 * 1024 * 1024;

interface Prepared {
  readonly statement: Database.Statement<unknown[]>;
  /** Of its columns; none when it gives no rows. */
  readonly names: readonly string[];
  bind(parameters: object): unknown[];
}

/** A connection and the statements prepared on it. */
export class Connection implements ReadTransaction {
  readonly #db: Database.Database;
  readonly #prepared = new Map<object, Prepared>();
  readonly #controls = new Map<string, Database.Statement<unknown[]>>();

  constructor(db: Database.Database) {
    this.#db = db;
  }

  /** False outside a transaction, and after an error that made SQLite roll back by itself. */
  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  /** Runs a statement of transaction control. */
  control(command: string): void {
    let prepared = this.#controls.get(command);
    if (prepared === undefined) {
      prepared = this.#db.prepare<unknown[]>(command);
      this.#controls.set(command, prepared);
    }
    prepared.run();
  }

  pragma(name: string): unknown {
    return this.#db.pragma(name, { simple: true });
  }

  async all<P extends object, R>(statement: Statement<P, R>, parameters: P): Promise<R[]> {
    const { statement: prepared, names, bind } = this.#prepare(statement);
    const rows = prepared.all(...bind(parameters)) as unknown[][];
    return rows.map((values) => record(names, values)) as R[];
  }

  async first<P extends object, R>(statement: Statement<P, R>, parameters: P): Promise<R | undefined> {
    const { statement: prepared, names, bind } = this.#prepare(statement);
    const values = prepared.get(...bind(parameters)) as unknown[] | undefined;
    return values === undefined ? undefined : (record(names, values) as R);
  }

  async run<P extends object, R>(statement: Statement<P, R>, parameters: P): Promise<{ changes: number }> {
    const { statement: prepared, bind } = this.#prepare(statement);
    const values = bind(parameters);
    // SQLite runs an `insert ... returning` only as far as its rows are fetched.
    if (prepared.reader) return { changes: prepared.all(...values).length };
    return { changes: prepared.run(...values).changes };
  }

  close(): void {
    this.#prepared.clear();
    this.#controls.clear();
    this.#db.close();
  }

  #prepare<P, R>(statement: Statement<P, R>): Prepared {
    const known = this.#prepared.get(statement);
    if (known !== undefined) return known;
    const compiled = statement.compiled('sqlite');
    const ready = this.#db.prepare<unknown[]>(compiled.sql);
    // Rows come as lists: the driver names every column of every row at a cost that is most of a read's.
    const prepared: Prepared = {
      statement: ready.reader ? ready.raw() : ready,
      names: ready.reader ? ready.columns().map(({ name }) => name) : [],
      bind: (parameters) => compiled.bind(parameters as Readonly<Record<string, unknown>>).map(toSqlite),
    };
    this.#prepared.set(statement, prepared);
    return prepared;
  }
}

function record(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const named: Record<string, unknown> = {};
  let at = 0;
  for (const name of names) {
    named[name] = values[at];
    at += 1;
  }
  return named;
}

const toSqlite = (value: unknown): unknown => (typeof value === 'boolean' ? Number(value) : value);

/**
 * Opens for writing: WAL, and every commit on the disk before it returns. better-sqlite3 is built to fall back to
 * synchronous=NORMAL in WAL mode after the first write, so FULL is set here, on each open, and checked by `isDurable`.
 */
export function openWriting(file: string): Connection {
  const db = new Database(file, { timeout: BUSY_TIMEOUT_MS });
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  // Savepoints and sorts spill to memory: /var/tmp is no place for mail, and slower.
  db.pragma('temp_store = MEMORY');
  db.pragma('wal_autocheckpoint = 1000');
  // A long read (`doctor --deep`) lets the WAL grow; afterwards the disk gets the room back.
  db.pragma(`journal_size_limit = ${WAL_KEPT}`);
  db.pragma(`cache_size = -${CACHE_KIB}`);
  return new Connection(db);
}

export function openReading(file: string): Connection {
  const db = new Database(file, { timeout: BUSY_TIMEOUT_MS, readonly: true, fileMustExist: true });
  db.pragma('query_only = ON');
  db.pragma(`cache_size = -${READING_CACHE_KIB}`);
  return new Connection(db);
}

/** Whether commits of this connection reach the disk: only meaningful after it has written. */
export const isDurable = (connection: Connection): boolean =>
  connection.pragma('journal_mode') === 'wal' && connection.pragma('synchronous') === 2;
