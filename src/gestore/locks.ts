import { join } from 'node:path';
import type { Config } from '../config/index.js';
import { holdLock } from '../storage/index.js';
import { StartError } from './parts.js';
import type { Running } from './running.js';

/** One process a role: a second relay or timer on the same folder would do the first one's work again. @throws StartError */
export function lockRoles(config: Config, roles: readonly string[], running: Running): void {
  for (const role of roles) {
    const file = join(config.paths.data, 'locks', `${role}.lock`);
    const lock = holdLock(file);
    if (lock === undefined) {
      throw new StartError(`another ceralacca serves this folder: ${file} is held (role ${role})`);
    }
    running.add({ stop: async () => lock.release() });
  }
}
