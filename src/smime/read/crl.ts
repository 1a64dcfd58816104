import { readScheme, type SignatureScheme, sameAlgorithm } from './algorithms.js';
import { type Element, each, encoded, inside, Members, readWhole, Tag } from './asn1.js';
import type { Certificate } from './certificate.js';
import { CmsError } from './cms-error.js';
import { type Extension, ExtensionOid, readExtensions, readPointName } from './extensions.js';
import { type Name, readName, sameName } from './names.js';
import { pemBlocks, startsLikePem } from './pem.js';
import type { CryptoPort } from './port.js';
import { readBitOctets, readBoolean, readSerial, readSmallInteger, readTime } from './values.js';

/** What part of the issuer's certificates a list covers (RFC 5280 5.2.5). */
interface Scope {
  readonly users: boolean;
  readonly authorities: boolean;
  /** URIs of the distribution point; undefined: the whole. */
  readonly points: readonly string[] | undefined;
}

/** A certificate revocation list (RFC 5280 5.1), its signature not yet checked. */
export interface Crl {
  readonly raw: Uint8Array;
  readonly tbs: Uint8Array;
  readonly issuer: Name;
  /** Epoch milliseconds. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Revocation instants in epoch milliseconds by serial. */
  readonly revoked: ReadonlyMap<string, number>;
  readonly scope: Scope;
  readonly scheme: SignatureScheme;
  readonly signature: Uint8Array;
}

/**
 * Reads one DER list. Delta, indirect and partial-reason lists are refused: alone they prove nothing.
 * @throws CmsError
 */
export function readCrl(der: Uint8Array): Crl {
  const outer = new Members(readWhole(der), 'CertificateList');
  const tbs = outer.next(Tag.sequence);
  const algorithm = outer.next(Tag.sequence);
  const signature = readBitOctets(outer.next(Tag.bitString));
  outer.finish();

  const members = new Members(tbs, 'TBSCertList');
  const version = members.optional(Tag.integer);
  // RFC 5280 5.1.2.1: v2 is written as 1, and there is no later one.
  if (version !== undefined && readSmallInteger(version) > 1)
    throw new CmsError('unsupported', 'a CRL of an unknown version');
  if (!sameAlgorithm(members.next(Tag.sequence), algorithm)) {
    throw new CmsError('bad-value', 'the two signature algorithms of a CRL differ');
  }
  const issuer = readName(members.next(Tag.sequence));
  const thisUpdate = readTime(members.next());
  const next = members.optional(Tag.utcTime, Tag.generalizedTime);
  // RFC 5280 5.1.2.5: conforming issuers always say when the next list comes.
  if (next === undefined) throw new CmsError('unsupported', 'a CRL without nextUpdate');
  const entries = members.optional(Tag.sequence);
  const list = members.optional(0xa0);
  members.finish();
  return {
    raw: der,
    tbs: encoded(tbs),
    issuer,
    thisUpdate,
    nextUpdate: readTime(next),
    revoked: entries === undefined ? new Map() : readEntries(entries),
    scope: readScope(list === undefined ? new Map() : readExtensions(inside(list))),
    scheme: readScheme(algorithm),
    signature,
  };
}

function readEntries(entries: Element): Map<string, number> {
  const revoked = new Map<string, number>();
  for (const entry of each(entries)) {
    const members = new Members(entry, 'revokedCertificate');
    const serial = readSerial(members.next(Tag.integer));
    const date = readTime(members.next());
    const list = members.optional(Tag.sequence);
    members.finish();
    const since = list === undefined ? date : Math.min(date, invalidSince(list));
    // A serial listed twice has been revoked since the earlier date, whichever comes last.
    revoked.set(serial, Math.min(since, revoked.get(serial) ?? since));
  }
  return revoked;
}

/** The date from which the key is held to be unsafe, where the issuer gives one (RFC 5280 5.3.2). */
function invalidSince(list: Element): number {
  const extensions = readExtensions(list);
  refuseUnknown(extensions, [ExtensionOid.reasonCode, ExtensionOid.invalidityDate]);
  const invalidity = extensions.get(ExtensionOid.invalidityDate);
  return invalidity === undefined ? Number.POSITIVE_INFINITY : readTime(readWhole(invalidity.value));
}

function refuseUnknown(extensions: ReadonlyMap<string, Extension>, known: readonly string[]): void {
  for (const [oid, { critical }] of extensions) {
    if (critical && !known.includes(oid)) throw new CmsError('unsupported', `critical CRL extension ${oid}`);
  }
}

function readScope(extensions: ReadonlyMap<string, Extension>): Scope {
  refuseUnknown(extensions, [
    ExtensionOid.issuingDistributionPoint,
    ExtensionOid.authorityKeyIdentifier,
    ExtensionOid.crlNumber,
    ExtensionOid.issuerAltName,
  ]);
  if (extensions.has(ExtensionOid.deltaCrlIndicator)) throw new CmsError('unsupported', 'a delta CRL');
  const extension = extensions.get(ExtensionOid.issuingDistributionPoint);
  if (extension === undefined) return { users: true, authorities: true, points: undefined };
  const members = new Members(readWhole(extension.value), 'IssuingDistributionPoint');
  const point = members.optional(0xa0);
  const flag = (tag: number): boolean => {
    const element = members.optional(tag);
    return element !== undefined && readBoolean({ ...element, tag: Tag.boolean });
  };
  const onlyUsers = flag(0x81);
  const onlyAuthorities = flag(0x82);
  const someReasons = members.optional(0x83);
  const indirect = flag(0x84);
  const onlyAttributes = flag(0x85);
  members.finish();
  if (someReasons !== undefined || indirect || onlyAttributes) {
    throw new CmsError('unsupported', 'an indirect or partial CRL');
  }
  return {
    users: !onlyAuthorities,
    authorities: !onlyUsers,
    points: point === undefined ? undefined : readPointName(point),
  };
}

/** The lists of a file: one in DER, or every `X509 CRL` block of a PEM text. @throws CmsError */
export function readCrls(file: Uint8Array): Crl[] {
  if (!startsLikePem(file)) return [readCrl(file)];
  return pemBlocks(file)
    .filter((block) => block.label === 'X509 CRL')
    .map((block) => readCrl(block.der));
}

/** Whether a list speaks about a certificate of this issuer: name, scope, right to sign lists. */
export function covers(crl: Crl, certificate: Certificate, issuer: Certificate): boolean {
  if (!sameName(crl.issuer, issuer.subject) || issuer.keyUsage?.has('cRLSign') === false) return false;
  const authority = certificate.basicConstraints?.ca === true;
  if (authority ? !crl.scope.authorities : !crl.scope.users) return false;
  const points = crl.scope.points;
  return (
    points === undefined ||
    certificate.crlPointers.length === 0 ||
    certificate.crlPointers.some((uri) => points.includes(uri))
  );
}

/** Whether a list bears its issuer's signature; SHA-1 is not taken, as on certificates. */
export const signedBy = async (crl: Crl, issuer: Certificate, crypto: CryptoPort): Promise<boolean> =>
  crl.scheme.hash !== 'sha1' && crypto.verify(issuer.publicKey, crl.scheme, crl.tbs, crl.signature);

export type CrlJudgement =
  | { readonly status: 'good' }
  | { readonly status: 'revoked'; readonly since: number }
  /** No list says anything about that instant. `staleSince`: when the last one ran out. */
  | { readonly status: 'unknown'; readonly staleSince: number | undefined };

/**
 * What lists that cover the certificate, signatures already checked, say about it at one instant. A list vouches for
 * an instant up to its nextUpdate, unless it is younger than the certificate's end: expired ones drop out of lists.
 */
export function judge(certificate: Certificate, at: number, lists: readonly Crl[]): CrlJudgement {
  const dates = lists.flatMap((crl) => crl.revoked.get(certificate.serial) ?? []);
  const since = Math.min(...dates);
  if (since <= at) return { status: 'revoked', since };
  if (lists.some((crl) => at <= crl.nextUpdate && crl.thisUpdate <= certificate.notAfter))
    return { status: 'good' };
  const ends = lists.map((crl) => crl.nextUpdate);
  return { status: 'unknown', staleSince: ends.length === 0 ? undefined : Math.max(...ends) };
}
