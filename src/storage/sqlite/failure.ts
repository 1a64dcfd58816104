import { StoreUnavailable, type Unavailability } from '../errors.js';

/** What a SQLite error means for the callers; undefined when it is a matter of one operation, such as a constraint. */
export function unavailability(error: unknown): Unavailability | undefined {
  if (error instanceof StoreUnavailable) return error.reason;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'SQLITE_FULL') return 'full';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'locked';
  const broken = ['IOERR', 'CORRUPT', 'NOTADB', 'CANTOPEN', 'READONLY', 'NOMEM', 'PROTOCOL'];
  return broken.some((kind) => code.startsWith(`SQLITE_${kind}`)) ? 'input-output' : undefined;
}

const sentences: Readonly<Record<Unavailability, string>> = {
  busy: 'too many writes are waiting',
  full: 'the disk is full',
  'input-output': 'the disk failed, or the file is damaged; whether a write is there is not known',
  locked: 'another process holds the database',
  closed: 'the store is closed',
  'rolled-back': 'the write was rolled back with others',
  thread: 'the writer stopped',
};

export function unavailable(reason: Unavailability, cause?: unknown): StoreUnavailable {
  const told = cause instanceof Error ? ` (${cause.message})` : '';
  return new StoreUnavailable(reason, `${sentences[reason]}${told}`, { cause });
}
