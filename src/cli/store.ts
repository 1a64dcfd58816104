import { existsSync } from 'node:fs';
import type { Config } from '../config/index.js';
import type { Store } from '../storage/index.js';
import { asAct } from './act.js';
import { type Call, CommandError } from './command.js';

/** What a command that works on the store is given. */
export interface Workplace {
  readonly config: Config;
  readonly store: Store;
}

/**
 * Opens the store of the configured gestore, beside a running server or alone, and closes it afterwards.
 * Throws ConfigError; CommandError when the store does not exist yet.
 */
export async function withStore<T>(call: Call, work: (place: Workplace) => Promise<T>): Promise<T> {
  const config = await call.config();
  const { database } = config.storage;
  // A mistyped path must not make a second, empty gestore.
  if (database.engine === 'sqlite' && !existsSync(database.file)) {
    throw new CommandError(
      `${database.file}: there is no such database; "ceralacca init" or "ceralacca migrate" makes one`,
    );
  }
  const { openStore } = await import('../storage/index.js');
  const store = await openStore(config.storage);
  try {
    return await (call.act === undefined
      ? work({ config, store })
      : asAct(call, call.act, store, () => work({ config, store })));
  } finally {
    await store.close();
  }
}
