import { createHash } from 'node:crypto';
import { type AttachedContent, openAttached } from './read/attached.js';
import type { RevocationSource } from './read/revocation.js';
import { signedData } from './sign/layout.js';
import type { Signer } from './sign/signer.js';
import { nodeCrypto } from './verify/node-crypto.js';
import { memoryOf, type TrustStore } from './verify/trust.js';

/** A signed file: the content inside the signature, DER (`.p7m`). `epochMs` becomes the signing time. */
export function signAttached(content: Uint8Array, signer: Signer, epochMs: number): Promise<Buffer> {
  return signedData(signer, createHash('sha256').update(content).digest(), epochMs, content);
}

export interface AttachedQuestion {
  readonly trust: TrustStore;
  readonly crls?: RevocationSource | undefined;
  /** Epoch milliseconds: the instant at which certificates must be valid and not revoked. */
  readonly at: number;
}

/**
 * Opens a signed file in DER, BER or PEM and verifies it.
 * @throws SignatureError when the signature is not valid
 */
export async function verifyAttached(
  p7m: Uint8Array,
  { trust, crls, at }: AttachedQuestion,
): Promise<AttachedContent & { readonly content: Buffer }> {
  const { anchors, findPaths, readCertificates } = memoryOf(trust);
  const opened = await openAttached(p7m, {
    at,
    anchors,
    revocation: crls,
    crypto: nodeCrypto,
    findPaths,
    readCertificates,
  });
  return { ...opened, content: Buffer.from(opened.content) };
}
