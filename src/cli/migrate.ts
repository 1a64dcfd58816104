import { existsSync } from 'node:fs';
import type { Run } from './command.js';

export const run: Run = async (call) => {
  const { storage } = await call.config();
  const { inspectSchema, openStore } = await import('../storage/index.js');
  const present = storage.database.engine !== 'sqlite' || existsSync(storage.database.file);
  const pending = present ? inspectSchema(storage).pending : undefined;
  // Opening the store is what migrates it.
  await (await openStore(storage)).close();
  if (pending === undefined) call.print('a new store was made');
  else if (pending.length === 0) call.print('the store is up to date');
  else for (const { version, name } of pending) call.print(`migrated to ${version}: ${name}`);
  return 0;
};
