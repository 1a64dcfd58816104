import type { HashName, SignatureScheme } from './algorithms.js';

/** The cryptography the readers need, from node:crypto or WebCrypto: they themselves compute nothing. */
export interface CryptoPort {
  /** The digests of one byte stream, all in one pass. */
  digests<H extends HashName>(
    hashes: readonly H[],
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<Record<H, Uint8Array>>;
  /**
   * Whether `signature` (ECDSA: the DER form) over `data` is by the key in `publicKey` (DER SubjectPublicKeyInfo).
   * A key that does not fit the scheme, or that cannot be read, gives false.
   */
  verify(
    publicKey: Uint8Array,
    scheme: SignatureScheme,
    data: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean>;
}
