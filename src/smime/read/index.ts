export type { HashName, SignatureScheme } from './algorithms.js';
export { type AttachedContent, openAttached, SignatureError } from './attached.js';
export { type Certificate, emailsOf, readCertificate, readCertificates } from './certificate.js';
export { type ChainPath, type ChainSearch, findPaths } from './chain.js';
export { CmsError, type CmsErrorCode } from './cms-error.js';
export { type Crl, readCrls } from './crl.js';
export { NameType, nameText, valuesOf } from './names.js';
export type { CryptoPort } from './port.js';
export { type Revocation, type RevocationSource, revocationFrom } from './revocation.js';
export { parseSignedData, type SignedData } from './signed-data.js';
export { readSigned, type SignedMessage } from './signed-message.js';
export {
  type Examination,
  examine,
  type Fault,
  type FaultCode,
  type SignerInfo,
  type Verdict,
  type Warning,
} from './verdict.js';
