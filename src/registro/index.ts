export { clockEntry, readClockEntry } from './clock-entry.js';
export { type Day, dayNamed, dayOf, legalInstant } from './day.js';
export {
  type Extract,
  ExtractError,
  type ExtractFiles,
  type ExtractQuestion,
  writeExtract,
} from './extract/write.js';
export { PackageError, writeConservationPackage } from './package/write.js';
export { type PurgeParts, purgeDays } from './purge.js';
export { findReceipt } from './receipts.js';
export { DayFileTaken } from './seal/day-file.js';
export { sealOf } from './seal/find.js';
export { type DayPaths, pathsOf } from './seal/paths.js';
export { RegisterTouched } from './seal/run.js';
export { Sealer, type SealerParts, type SealRun } from './seal/sealer.js';
export { authoritiesOf, ownTrust } from './seal/settings.js';
export { type RegisterFault, type RegisterVerdict, verifyRegister } from './verify.js';
export { type SealFault, type SealQuestion, type SealVerdict, verifySeals } from './verify-seals.js';
export { verifyWhole, type WholeVerdict } from './verify-whole.js';
