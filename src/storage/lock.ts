/**
 * Locks between processes on one machine. A lock is an exclusive transaction on a small SQLite file, held open: the kernel
 * ends it with the process, however that dies, so nothing is left to clean up.
 */
import Database from 'better-sqlite3';
import { unavailability } from './sqlite/failure.js';
import { prepareFile } from './sqlite/migrate.js';

export interface HeldLock {
  release(): void;
}

/**
 * Takes the lock of this file, making the file where there is none.
 * @returns undefined when another holder has it
 * @throws the system's error when the file cannot be made or opened
 */
export function holdLock(file: string): HeldLock | undefined {
  prepareFile(file);
  const db = new Database(file, { timeout: 0 });
  try {
    db.exec('begin exclusive');
  } catch (error) {
    db.close();
    if (unavailability(error) === 'locked') return undefined;
    throw error;
  }
  return { release: () => db.close() };
}
