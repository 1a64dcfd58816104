/** A signing key with its certificate: a file here, a token elsewhere. */
export interface Signer {
  /** DER. */
  readonly certificate: Buffer;
  /** DER of the certificates above it, the root left out; sent along with every signature. */
  readonly chain: readonly Buffer[];
  /** Things an operator should know, in Italian: a key file others can read. */
  readonly warnings: readonly string[];
  /**
   * Signs DER signed attributes with SHA-256: RSA PKCS #1 v1.5, or ECDSA in its DER form, as the certificate's key is.
   * Rejects when the key cannot be used: the caller then certifies nothing.
   */
  sign(signedAttributes: Buffer): Promise<Buffer>;
  close(): void | Promise<void>;
}
