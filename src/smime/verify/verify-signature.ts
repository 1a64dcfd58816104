import type { RevocationSource } from '../read/revocation.js';
import type { SignedMessage } from '../read/signed-message.js';
import { examine, type Verdict } from '../read/verdict.js';
import { nodeCrypto } from './node-crypto.js';
import { memoryOf, type TrustStore } from './trust.js';

export interface SignatureQuestion {
  readonly signed: SignedMessage;
  /** The address in From. */
  readonly from: string;
  readonly trust: TrustStore;
  /** Undefined: revocation is not checked, and a warning says so. */
  readonly crls?: RevocationSource | undefined;
  /** Epoch milliseconds: the instant at which certificates must be valid and not revoked. */
  readonly at: number;
}

/**
 * Verifies the signature of a message (RFC 6109 3.1.3, decisions 21). Valid only when `faults` is empty; whether the
 * certificate belongs to a gestore is the directory's to say. Rejects only when the entity cannot be read.
 */
export function verifySignature({ signed, from, trust, crls, at }: SignatureQuestion): Promise<Verdict> {
  const memory = memoryOf(trust);
  return examine({
    cms: signed.cms,
    chunks: signed.entity.chunks(),
    use: { kind: 'mail', from },
    at,
    anchors: memory.anchors,
    revocation: crls,
    crypto: nodeCrypto,
    findPaths: memory.findPaths,
    readCertificates: memory.readCertificates,
  });
}
