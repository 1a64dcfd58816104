import { StoreConflict } from '../storage/index.js';
import { refusals } from './refusals.js';

/** A folder that is not there may be made first (RFC 9051 7.1, TRYCREATE). @throws ImapError */
export function tryCreate<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof StoreConflict && error.what === 'folder' ? refusals.tryCreate() : error;
  });
}
