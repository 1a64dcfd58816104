/**
 * What a storage operation can answer instead of a result. Both kinds cross from the writer thread to the caller with
 * their fields (see `describeError` and `reviveError`).
 */

/** The rule an operation found broken. */
export type Conflict =
  | 'receipt'
  | 'reception'
  | 'domain'
  | 'holder'
  | 'mailbox'
  | 'alias'
  | 'watched-sender'
  | 'folder'
  | 'folder-exists'
  | 'folder-children'
  | 'message'
  | 'quota'
  | 'state'
  | 'fence'
  | 'queue'
  | 'outgoing'
  | 'directory-source'
  | 'content'
  | 'blob'
  | 'seal'
  | 'hold';

export type ConflictDetails = Readonly<Record<string, string | number | boolean | null>>;

/** The operation met a state it may not change. It alone is rolled back; the caller decides what to do. */
export class StoreConflict extends Error {
  override readonly name = 'StoreConflict';

  readonly what: Conflict;
  readonly details: ConflictDetails;

  constructor(what: Conflict, message: string, details: ConflictDetails = {}) {
    super(message);
    this.what = what;
    this.details = details;
  }
}

export type Unavailability =
  | 'busy'
  | 'full'
  | 'input-output'
  | 'locked'
  | 'closed'
  | 'rolled-back'
  | 'thread';

/**
 * The store cannot answer now: disk full, locked, input/output error, too much waiting, closing. Callers answer a
 * temporary error. After an input/output error the outcome may be unknown: the unique keys make a retry harmless.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  readonly reason: Unavailability;

  constructor(reason: Unavailability, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * A blob's file is not what its name says: missing, short, or with other bytes. No retry helps until an operator puts
 * the file back; until then nothing of it may be sent, since its signature would no longer hold.
 */
export class BlobDamaged extends Error {
  override readonly name = 'BlobDamaged';
  readonly hash: string;

  constructor(hash: string, fault: string, options?: { cause?: unknown }) {
    super(`blob ${hash} ${fault}`, options);
    this.hash = hash;
  }
}

/** An error as plain data. */
export interface DescribedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Errors lose their class and fields in a structured clone, so they cross a thread as plain data. */
export function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), stack: undefined, fields: {} };
  }
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error)) {
    if (key !== 'name' && isPlain(value)) fields[key] = value;
  }
  return { name: error.name, message: error.message, stack: error.stack, fields };
}

export function reviveError(described: DescribedError): Error {
  const error = rebuild(described);
  if (described.stack !== undefined) error.stack = described.stack;
  return error;
}

function rebuild({ name, message, fields }: DescribedError): Error {
  if (name === 'StoreConflict') {
    return new StoreConflict(fields.what as Conflict, message, fields.details as ConflictDetails);
  }
  if (name === 'StoreUnavailable') {
    return new StoreUnavailable(fields.reason as Unavailability, message);
  }
  return Object.assign(new Error(message), fields, { name });
}

const isPlain = (value: unknown): boolean => {
  if (value === null) return true;
  if (typeof value === 'object') return Object.values(value).every(isScalar);
  return isScalar(value);
};

const isScalar = (value: unknown): boolean =>
  value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
