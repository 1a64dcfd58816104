/** The offline verifier: what a saved message proves, what not, and how sure that is. */
export { type ArchiveLimits, archiveLimits } from './archive/limits.js';
export { oddReport } from './archive/odd-report.js';
export { type Item, type Oddity, type Opened, open as openFile } from './archive/open.js';
export type { SuppliedOriginal } from './compare-original.js';
export { reportsHtml } from './render/html.js';
export { reportText } from './render/text.js';
export type {
  CarriedOriginal,
  CertifiedFacts,
  ContentPart,
  DirectoryFacts,
  EvidenceReport,
  Finding,
  FindingCode,
  Kind,
  Sentence,
  SignatureFacts,
  Verdict,
  Weight,
} from './report.js';
export { type FileMatch, type HashedFile, hashFile, matchFiles } from './supplied-files.js';
export {
  noTrust,
  readTrust,
  type Snapshot,
  type TrustFile,
  type TrustMaterial,
  type TrustPorts,
} from './trust-material.js';
export { type EvidenceQuestion, verifyEvidence } from './verify-evidence.js';
