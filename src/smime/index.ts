export { type AttachedQuestion, signAttached, verifyAttached } from './attached.js';
export {
  createDevelopmentPki,
  type DevelopmentPki,
  type DevelopmentPkiRequest,
  type PemPair,
} from './development-pki.js';
export { type GuardedSigner, guardSigner, SignerUnavailable } from './keys/guarded-signer.js';
export { type KeyFiles, openSigner, SignerError, signerFrom } from './keys/open-signer.js';
export { certificateProfileFaults } from './profile.js';
export * from './read/index.js';
export { chunksOf, type OpenedFile, openSignedFile, signFile } from './sign/large-file.js';
export { seal } from './sign/seal.js';
export type { Signer } from './sign/signer.js';
export { askTimestamp, type Stamped, type TimestampAuthority } from './timestamp/authority.js';
export {
  type Timestamp,
  TimestampError,
  type TimestampQuestion,
  verifyTimestamp,
} from './timestamp/timestamp.js';
export type { CrlLocation } from './verify/crl-source.js';
export { type CrlOptions, CrlStore } from './verify/crl-store.js';
export { nodeCrypto } from './verify/node-crypto.js';
export { createTrustStore, type TrustStore } from './verify/trust.js';
export { type SignatureQuestion, verifySignature } from './verify/verify-signature.js';
