/**
 * Brings a database to the schema this program knows: forward only, each step in its own transaction together with the
 * row that says it was done. A database that is newer than the program is left alone.
 */
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Migration } from '../migrations/migration.js';

/** The file cannot be used with this program; the message says what to do. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

export interface SchemaState {
  /** Version of the last migration done; 0 for a database that has none. */
  readonly version: number;
  /** What `migrate` would do. */
  readonly pending: readonly { readonly version: number; readonly name: string }[];
}

/** Makes the file, readable by its owner only, and its folder, if they are not there. */
export function prepareFile(file: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (existsSync(file)) return;
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  // SQLite syncs the folder of its file, not what the folder is in.
  for (const one of [folder, dirname(folder)]) {
    const handle = openSync(one, 'r');
    fsyncSync(handle);
    closeSync(handle);
  }
}

/** What a migration would meet, changing nothing. @throws SchemaError */
export function schemaState(file: string, migrations: readonly Migration[]): SchemaState {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  try {
    const version = versionOf(db);
    return { version, pending: pendingAfter(version, migrations) };
  } finally {
    db.close();
  }
}

/** @returns the versions applied. @throws SchemaError when the database is newer, damaged, or something else's. */
export function migrate(file: string, migrations: readonly Migration[], now: number): number[] {
  prepareFile(file);
  const db = new Database(file, { timeout: 30_000 });
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    const version = versionOf(db);
    const pending = pendingAfter(version, migrations);
    if (version > 0 && pending.length > 0) checkSound(db);
    const applied = pending.map((migration) => apply(db, migration, now));
    return applied.filter((done) => done !== undefined);
  } finally {
    db.close();
  }
}

/** @returns its version, or undefined when another process has done it meanwhile. */
function apply(db: Database.Database, migration: Migration, now: number): number | undefined {
  // Tables may be rebuilt under their references; those are checked before the commit. No effect inside a transaction.
  db.pragma('foreign_keys = OFF');
  const step = db.transaction(() => {
    if (versionOf(db) >= migration.version) return undefined;
    db.exec(
      'create table if not exists schema_version (version integer primary key, name text not null, applied_at integer not null) strict',
    );
    for (const command of migration.statements('sqlite')) db.exec(command);
    db.prepare('insert into schema_version (version, name, applied_at) values (?, ?, ?)').run(
      migration.version,
      migration.name,
      now,
    );
    checkReferences(db);
    return migration.version;
  });
  return step.immediate();
}

function pendingAfter(version: number, migrations: readonly Migration[]): readonly Migration[] {
  const known = Math.max(0, ...migrations.map((migration) => migration.version));
  if (version > known) {
    throw new SchemaError(
      `the database has schema version ${version}, this program knows up to ${known}: run the newer program`,
    );
  }
  return migrations.filter((migration) => migration.version > version);
}

function versionOf(db: Database.Database): number {
  const tables = db
    .prepare<[], { name: string }>("select name from sqlite_schema where type = 'table'")
    .all();
  if (tables.some(({ name }) => name === 'schema_version')) {
    return db.prepare<[], number>('select coalesce(max(version), 0) from schema_version').pluck().get() ?? 0;
  }
  if (tables.some(({ name }) => !name.startsWith('sqlite_'))) {
    throw new SchemaError('the file is a database of some other program');
  }
  return 0;
}

/** A damaged database is not migrated: the backup must be made of what is left, not of what a migration made of it. */
function checkSound(db: Database.Database): void {
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw new SchemaError(`the database is damaged and was not migrated: ${String(found)}`);
  checkReferences(db);
}

function checkReferences(db: Database.Database): void {
  const [broken] = db.pragma('foreign_key_check') as { table: string; parent: string }[];
  if (broken === undefined) return;
  throw new SchemaError(`a row of "${broken.table}" names a row of "${broken.parent}" that is not there`);
}
