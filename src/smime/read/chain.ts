import type { Certificate } from './certificate.js';
import { ExtensionOid, Purpose } from './extensions.js';
import { namesAllowed } from './name-constraints.js';
import { nameText, sameName } from './names.js';
import type { CryptoPort } from './port.js';
import { sameBytes } from './values.js';

/** Certificates between the signer and the anchor, both included. */
const MAX_LENGTH = 6;
/** Signatures tried in one search: a heap of certificates of the same name must not cost more. */
const MAX_CHECKS = 24;
const MAX_PATHS = 8;

/** A signer's certificates up to a trust anchor; everything but time and revocation has been checked. */
export interface ChainPath {
  /** The signer first, the anchor last. */
  readonly certificates: readonly Certificate[];
}

export interface ChainSearch {
  readonly paths: readonly ChainPath[];
  /** Why there is no path, in Italian; empty when there is one. */
  readonly reason: string;
}

/** Extensions a path may mark critical: processed here, or harmless to the question asked. */
const understood = new Set<string>([
  ExtensionOid.keyUsage,
  ExtensionOid.subjectAltName,
  ExtensionOid.issuerAltName,
  ExtensionOid.basicConstraints,
  ExtensionOid.nameConstraints,
  ExtensionOid.crlDistributionPoints,
  ExtensionOid.certificatePolicies,
  ExtensionOid.policyMappings,
  ExtensionOid.policyConstraints,
  ExtensionOid.inhibitAnyPolicy,
  ExtensionOid.extendedKeyUsage,
]);

/**
 * Every path from `signer` to one of `anchors` through `others` (RFC 5280 6, without policies). An anchor need not
 * be a root: AgID CA1, itself issued by Actalis, is one. Its own constraints hold as well. Time is left to the caller.
 * Authorities that name what they may issue for must name `purpose`.
 */
export async function findPaths(
  signer: Certificate,
  others: readonly Certificate[],
  anchors: readonly Certificate[],
  crypto: CryptoPort,
  purpose: string = Purpose.emailProtection,
): Promise<ChainSearch> {
  const paths: ChainPath[] = [];
  let checks = 0;
  let reason =
    anchors.length === 0
      ? 'nessuna autorità di certificazione attendibile è configurata'
      : `l'autorità emittente (${nameText(signer.issuer)}) non è tra quelle attendibili`;

  const issued = async (child: Certificate, issuer: Certificate): Promise<boolean> => {
    if (child.scheme === undefined || ++checks > MAX_CHECKS) return false;
    return crypto.verify(issuer.publicKey, child.scheme, child.tbs, child.signature);
  };
  const walk = async (chain: readonly Certificate[]): Promise<void> => {
    const child = chain.at(-1);
    if (child === undefined || paths.length >= MAX_PATHS || chain.length >= MAX_LENGTH) return;
    for (const anchor of anchors.filter((candidate) => mayIssue(candidate, child))) {
      if (sameBytes(anchor.raw, child.raw) || !(await issued(child, anchor))) continue;
      const certificates = [...chain, anchor];
      const broken = brokenRule(certificates, purpose);
      if (broken === undefined) paths.push({ certificates });
      else reason = broken;
    }
    for (const other of others) {
      const seen = [...chain, ...anchors].some((known) => sameBytes(known.raw, other.raw));
      if (seen || !mayIssue(other, child) || !(await issued(child, other))) continue;
      await walk([...chain, other]);
    }
  };

  await walk([signer]);
  return { paths, reason: paths.length > 0 ? '' : reason };
}

function mayIssue(issuer: Certificate, child: Certificate): boolean {
  if (!sameName(issuer.subject, child.issuer)) return false;
  const wanted = child.authorityKeyIdentifier;
  return (
    wanted === undefined ||
    issuer.subjectKeyIdentifier === undefined ||
    issuer.subjectKeyIdentifier === wanted
  );
}

/** The first rule a complete chain breaks, in Italian. */
function brokenRule(chain: readonly Certificate[], purpose: string): string | undefined {
  let below = 0;
  for (const [depth, certificate] of chain.entries()) {
    const name = nameText(certificate.subject);
    if (isWeak(certificate, depth === chain.length - 1))
      return `la firma o la chiave del certificato ${name} è troppo debole`;
    for (const [oid, { critical }] of certificate.extensions) {
      if (critical && !understood.has(oid))
        return `il certificato ${name} ha l'estensione critica sconosciuta ${oid}`;
    }
    if (depth === 0) continue;
    if (certificate.basicConstraints?.ca !== true) return `${name} non è un'autorità di certificazione`;
    // RFC 5280 4.2.1.3: a CA that states its key usage must state this one.
    if (certificate.keyUsage?.has('keyCertSign') === false) return `${name} non può firmare certificati`;
    if (!serves(certificate, purpose)) return `${name} non può emettere certificati per questo uso`;
    const allowed = certificate.basicConstraints.pathLength;
    if (allowed !== undefined && below > allowed) return `${name} non ammette altre autorità sotto di sé`;
    if (!constraintsHold(certificate, chain.slice(0, depth)))
      return `i nomi del certificato sono fuori dai vincoli di ${name}`;
    if (!sameName(certificate.subject, certificate.issuer)) below++;
  }
  return undefined;
}

/** RFC 5280 6.1.3 (b): constraints bind what is below, self-issued intermediates excepted. */
function constraintsHold(issuer: Certificate, below: readonly Certificate[]): boolean {
  const constraints = issuer.nameConstraints;
  if (constraints === undefined) return true;
  return below.every(
    (certificate, depth) =>
      (depth > 0 && sameName(certificate.subject, certificate.issuer)) ||
      namesAllowed(certificate, constraints),
  );
}

/** SHA-1 is taken on messages, which providers still sign so, never on certificates: there a collision forges an identity. */
function isWeak(certificate: Certificate, isAnchor: boolean): boolean {
  if (certificate.rsaBits !== undefined && certificate.rsaBits < 2048) return true;
  return !isAnchor && (certificate.scheme === undefined || certificate.scheme.hash === 'sha1');
}

/** Decisions 21: the extended key usage counts only if present. */
export const servesMail = (certificate: Certificate): boolean => serves(certificate, Purpose.emailProtection);

const serves = (certificate: Certificate, purpose: string): boolean =>
  certificate.purposes === undefined ||
  certificate.purposes.some((one) => one === purpose || one === Purpose.any);
