/**
 * Signatures for simulations. Everything of a signature is real (CMS, digest over the exact bytes, signed attributes,
 * certificates, chain, sender) but the arithmetic of the message's own key: a keyed hash under a secret of the house stands
 * for ECDSA. It verifies exactly what that house signed, costs a hundredth, and is the same for the same seed. What it
 * cannot show are faults of cryptography itself; test/smime is there for these.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SignedMessage, Signer, TrustStore } from '../../src/smime/index.js';
import { readCertificate } from '../../src/smime/read/certificate.js';
import type { CryptoPort } from '../../src/smime/read/port.js';
import { examine, type Verdict } from '../../src/smime/read/verdict.js';
import { nodeCrypto } from '../../src/smime/verify/node-crypto.js';
import { memoryOf } from '../../src/smime/verify/trust.js';
import { createAuthority, type Identity } from '../support/pki.js';

const DAY = 86_400_000;
const YEARS = 3 * 365 * DAY;

export interface SealingKey {
  readonly identity: Identity;
  readonly signer: Signer;
}

export interface SealingKeys {
  /** PEM. */
  readonly trust: string;
  /** In the order of the names. */
  readonly keys: readonly SealingKey[];
  verify(trust: TrustStore, signed: SignedMessage, from: string, at: number): Promise<Verdict>;
}

/** Certificates valid around `start` for each house. */
export async function sealingKeys(
  houses: readonly { readonly name: string; readonly mailDomain: string }[],
  start: number,
): Promise<SealingKeys> {
  const validity = { notBefore: start - DAY, notAfter: start + YEARS };
  const authority = await createAuthority(validity);
  const secrets = new Map<string, string>();
  const keys: SealingKey[] = [];
  for (const { name, mailDomain } of houses) {
    const identity = await authority.issue({ name, email: `posta-certificata@${mailDomain}`, ...validity });
    const secret = `key of ${name}`;
    secrets.set(spkiOf(identity.certificate), secret);
    const sign = async (attributes: Buffer): Promise<Buffer> => mac(secret, attributes);
    keys.push({
      identity,
      signer: { certificate: identity.certificate, chain: [], warnings: [], sign, close: () => undefined },
    });
  }
  const crypto: CryptoPort = {
    digests: nodeCrypto.digests,
    async verify(publicKey, scheme, data, signature) {
      const secret = secrets.get(Buffer.from(publicKey).toString('base64'));
      if (secret === undefined) return nodeCrypto.verify(publicKey, scheme, data, signature);
      const expected = mac(secret, data);
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    },
  };
  return {
    trust: authority.certificatePem,
    keys,
    verify(trust, signed, from, at) {
      const { anchors, findPaths, readCertificates } = memoryOf(trust);
      const chunks = signed.entity.chunks();
      const use = { kind: 'mail', from } as const;
      return examine({
        cms: signed.cms,
        chunks,
        use,
        at,
        anchors,
        revocation: undefined,
        crypto,
        findPaths,
        readCertificates,
      });
    },
  };
}

const mac = (secret: string, data: Uint8Array): Buffer => createHmac('sha256', secret).update(data).digest();

const spkiOf = (certificate: Buffer): string =>
  Buffer.from(readCertificate(certificate).publicKey).toString('base64');
