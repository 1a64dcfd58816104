export { SMALL_BLOB } from './blobs/layout.js';
export { ChangeSet } from './change-set.js';
export type { News } from './engine.js';
export {
  type Conflict,
  type ConflictDetails,
  StoreConflict,
  StoreUnavailable,
  type Unavailability,
} from './errors.js';
export { type FlagChange, type FlagSet, flagNames, flagSetOf } from './flags.js';
export { type HeldLock, holdLock } from './lock.js';
export { inspectSchema, openStore, type StoreOptions } from './open.js';
export type {
  Appended,
  BelievedTimes,
  Copied,
  FlagState,
  FlagStore,
  FolderChanges,
  ListedMessage,
  OpenedFolder,
  QueueScope,
  SummarisedMessage,
  Which,
} from './operations/index.js';
export type * from './records.js';
export { ledgerEvent } from './register.js';
export { SchemaError, type SchemaState } from './sqlite/migrate.js';
export type { Blobs, Store } from './store.js';
