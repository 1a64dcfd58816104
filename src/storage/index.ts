export { SMALL_BLOB } from './blobs/layout.js';
export { ChangeSet } from './change-set.js';
export type { News } from './engine.js';
export {
  BlobDamaged,
  type Conflict,
  type ConflictDetails,
  StoreConflict,
  StoreUnavailable,
  type Unavailability,
} from './errors.js';
export { DELETED, type FlagChange, type FlagSet, flagNames, flagSetOf, SEEN } from './flags.js';
export { type HeldLock, holdLock } from './lock.js';
export { inspectSchema, openStore, type StoreOptions } from './open.js';
export {
  type Appended,
  type BelievedTimes,
  type Copied,
  type FlagGroup,
  type FlagStore,
  type FlagsStored,
  type FolderChanges,
  type InspectionRule,
  inspectionRules,
  type ListedMessage,
  type OpenedFolder,
  type QueueScope,
  type StoredSummary,
  type SummaryPart,
  type Which,
} from './operations/index.js';
export type * from './quarantined.js';
export type * from './records.js';
export { ledgerEvent } from './register.js';
export { SchemaError, type SchemaState } from './sqlite/migrate.js';
export type { Blobs, Store } from './store.js';
