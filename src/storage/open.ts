import type { LatestTime } from '../clock/index.js';
import { BlobFiles } from './blobs/files.js';
import { migrations } from './migrations/index.js';
import { openSqliteEngine } from './sqlite/engine.js';
import { migrate, type SchemaState, schemaState } from './sqlite/migrate.js';
import { LocalStore, type Store } from './store.js';

/** As the configuration's `storage` has it, with absolute paths. */
export interface StoreOptions {
  readonly database:
    | { readonly engine: 'sqlite'; readonly file: string }
    | { readonly engine: 'postgres'; readonly url: string };
  readonly blobs: { readonly kind: 'file'; readonly folder: string } | { readonly kind: 's3' };
  /** Epoch milliseconds; the system's clock if not given. */
  readonly now?: (() => number) | undefined;
  /** Holds back the dates of register entries where the system clock is known to be ahead. */
  readonly latest?: LatestTime | undefined;
}

/**
 * Opens the store, bringing its schema up to date.
 * @throws SchemaError when the database is newer than this program or damaged; StoreUnavailable.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { file, folder } = places(options);
  const now = options.now ?? Date.now;
  migrate(file, migrations, now());
  const files = new BlobFiles(folder);
  await files.prepare();
  const engine = await openSqliteEngine({ file, blobFolder: folder, latest: options.latest?.shared });
  return new LocalStore({ engine, files, now });
}

/** What opening would change in the schema, changing nothing. @throws SchemaError */
export function inspectSchema(options: StoreOptions): SchemaState {
  return schemaState(places(options).file, migrations);
}

function places({ database, blobs }: StoreOptions): { file: string; folder: string } {
  if (database.engine !== 'sqlite')
    throw new Error('storage.database: this build has the sqlite engine only');
  if (blobs.kind !== 'file') throw new Error('storage.blobs: this build keeps blobs in files only');
  return { file: database.file, folder: blobs.folder };
}
