import type { Certificate } from './certificate.js';
import { type Crl, covers, judge, signedBy } from './crl.js';
import type { CryptoPort } from './port.js';

/** What is known about the revocation of one certificate at one instant. */
export type Revocation =
  | { readonly status: 'good' }
  | { readonly status: 'revoked'; readonly since: number }
  /** A list should be there and is not. `temporary`: still inside the grace time (decisions 21). */
  | { readonly status: 'unavailable'; readonly temporary: boolean; readonly reason: string }
  /** The certificate names no list and none is configured for its issuer: skipped with a warning. */
  | { readonly status: 'no-pointer' };

/** Whoever answers for revocation: a store that fetches lists, or lists at hand. */
export interface RevocationSource {
  check(certificate: Certificate, issuer: Certificate, at: number): Promise<Revocation>;
}

/** Answers from lists at hand alone, as an offline verifier does. */
export function revocationFrom(crls: readonly Crl[], crypto: CryptoPort): RevocationSource {
  return {
    async check(certificate, issuer, at) {
      const own: Crl[] = [];
      for (const crl of crls) {
        if (covers(crl, certificate, issuer) && (await signedBy(crl, issuer, crypto))) own.push(crl);
      }
      const verdict = judge(certificate, at, own);
      if (verdict.status !== 'unknown') return verdict;
      if (own.length === 0 && certificate.crlPointers.length === 0) return { status: 'no-pointer' };
      const reason = own.length === 0 ? 'la lista di revoca manca' : 'la lista di revoca è scaduta';
      return { status: 'unavailable', temporary: false, reason };
    },
  };
}
