export { Directory, type DirectoryOptions, type OwnRecord } from './directory.js';
export { LdifError, readLdif } from './ldif.js';
export {
  certificateHash,
  DirectoryError,
  type ProviderRecord,
  type ProviderRecords,
  readProviderRecords,
  writeProviderRecord,
} from './provider-record.js';
export { type BelievedFile, readSource, type SourceLocation } from './source-file.js';
