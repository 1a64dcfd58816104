import { StoreConflict } from '../storage/index.js';
import { AccountError, type AccountErrorCode } from './errors.js';

/** The store's conflicts in the terms of this room. */
export async function explained<T>(
  operation: Promise<T>,
  codes: Readonly<Partial<Record<StoreConflict['what'], AccountErrorCode>>>,
): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error;
    const code = codes[error.what];
    if (code === undefined) throw error;
    throw new AccountError(code, error.message, { cause: error });
  }
}
