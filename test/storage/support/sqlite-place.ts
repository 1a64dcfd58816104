import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../../src/storage/engine.js';
import { migrations } from '../../../src/storage/migrations/index.js';
import { openSqliteEngine } from '../../../src/storage/sqlite/engine.js';
import { migrate } from '../../../src/storage/sqlite/migrate.js';
import type { Place } from '../contract/engine.js';
import { operationsModule } from './operations.js';

/** A database in a folder of its own. */
export function sqlitePlace(): Place & { readonly file: string; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-store-'));
  const file = join(folder, 'data', 'ceralacca.db');
  migrate(file, migrations, 0);
  return {
    file,
    folder,
    open: (options) => openTestEngine(file, options),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const openTestEngine = (file: string, options?: { waitingLimit?: number }): Promise<Engine> =>
  openSqliteEngine({ file, blobFolder: `${file}.blobs`, operations: operationsModule, ...options });
