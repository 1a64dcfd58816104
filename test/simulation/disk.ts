/**
 * The disk of a gestore: a real SQLite database in memory, that outlives the gestore's crashes. The store's own operations,
 * statements and writer work on it; what is replaced is the file, its fsync and the thread.
 */
import Database from 'better-sqlite3';
import { migrations } from '../../src/storage/migrations/index.js';
import { Connection } from '../../src/storage/sqlite/connection.js';

/** Memory has no disk to reach: to the writer, which acknowledges nothing that may not be on it, it passes for one that has. */
class MemoryConnection extends Connection {
  override pragma(name: string): unknown {
    if (name === 'journal_mode') return 'wal';
    return name === 'synchronous' ? 2 : super.pragma(name);
  }
}

export class Disk {
  readonly db = new Database(':memory:');
  readonly connection = new MemoryConnection(this.db);
  #tail: Promise<void> = Promise.resolve();
  readonly #due: Database.Statement<unknown[]>;
  #tables: readonly string[] = [];

  constructor() {
    for (const migration of migrations) {
      for (const command of migration.statements('sqlite')) this.db.exec(command);
    }
    this.db.pragma('foreign_keys = ON');
    this.#due = this.db.prepare(
      `select min(at) from (
        select min(case state when 'due' then next_attempt else lease_until end) as at from queue where state <> 'held'
        union all select min(next_notice_at) from tracking)`,
    );
  }

  /** Reads and batches of writes one after the other, as SQLite has it. */
  exclusive<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(run);
    this.#tail = result.then(nothing, nothing);
    return result;
  }

  /**
   * What is there now is what `reset` brings back: migrations and prepared statements cost more than a story. The index of text
   * (a virtual table) is left as it is: nobody indexes here.
   */
  remember(): void {
    const tables = this.db.prepare(
      "select name from pragma_table_list where schema = 'main' and type = 'table'",
    );
    this.#tables = tables
      .pluck()
      .all()
      .filter((name) => name !== 'sqlite_schema') as string[];
    this.db.exec("attach ':memory:' as fresh");
    for (const table of this.#tables) {
      this.db.exec(
        `create table fresh."${table === 'sqlite_sequence' ? 'sequence' : table}" as select * from main."${table}"`,
      );
    }
  }

  /** When the next thing falls due that waits on this disk, epoch milliseconds; infinite when nothing does. */
  nextDue(): number {
    const at = this.#due.pluck().get() as number | null;
    return at ?? Number.POSITIVE_INFINITY;
  }

  reset(): void {
    this.#tail = Promise.resolve();
    if (this.db.inTransaction) this.db.exec('rollback');
    this.connection.control('pragma foreign_keys = OFF');
    this.connection.control('begin');
    for (const table of this.#tables) {
      const source = table === 'sqlite_sequence' ? 'sequence' : table;
      this.connection.control(`delete from main."${table}"`);
      this.connection.control(`insert into main."${table}" select * from fresh."${source}"`);
    }
    this.connection.control('commit');
    this.connection.control('pragma foreign_keys = ON');
  }
}

const nothing = (): void => undefined;
