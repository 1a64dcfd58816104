import { Oid, readScheme, type SignatureScheme, sameAlgorithm } from './algorithms.js';
import { content, type Element, encoded, inside, Members, readWhole, refuseLarge, Tag } from './asn1.js';
import { CmsError } from './cms-error.js';
import {
  type BasicConstraints,
  type Extension,
  ExtensionOid,
  type KeyUsage,
  type NameConstraints,
  readAltNames,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readCrlPointers,
  readExtensions,
  readKeyUsage,
  readNameConstraints,
  readPurposes,
  readSubjectKeyIdentifier,
} from './extensions.js';
import { type GeneralName, type Name, readName } from './names.js';
import { pemBlocks, startsLikePem } from './pem.js';
import { readBitOctets, readOid, readSerial, readSmallInteger, readTime } from './values.js';

/** An X.509 certificate (RFC 5280 4.1). Extensions that are absent are undefined. */
export interface Certificate {
  readonly raw: Uint8Array;
  /** The signed part, as it stands. */
  readonly tbs: Uint8Array;
  readonly serial: string;
  readonly issuer: Name;
  readonly subject: Name;
  /** Epoch milliseconds, both ends included. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly keyAlgorithm: string;
  /** Bits of an RSA modulus. */
  readonly rsaBits: number | undefined;
  /** Undefined: an algorithm that is not verified here. */
  readonly scheme: SignatureScheme | undefined;
  readonly signature: Uint8Array;
  readonly extensions: ReadonlyMap<string, Extension>;
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  readonly purposes: readonly string[] | undefined;
  readonly basicConstraints: BasicConstraints | undefined;
  readonly subjectKeyIdentifier: string | undefined;
  readonly authorityKeyIdentifier: string | undefined;
  readonly altNames: readonly GeneralName[];
  readonly nameConstraints: NameConstraints | undefined;
  readonly crlPointers: readonly string[];
}

/** Reads one DER certificate. @throws CmsError */
export function readCertificate(der: Uint8Array): Certificate {
  const element = readWhole(der);
  refuseLarge(element, 'a certificate');
  const outer = new Members(element, 'Certificate');
  const tbs = outer.next(Tag.sequence);
  const outerAlgorithm = outer.next(Tag.sequence);
  const signature = readBitOctets(outer.next(Tag.bitString));
  outer.finish();

  const members = new Members(tbs, 'TBSCertificate');
  const version = members.optional(0xa0);
  // RFC 5280 4.1.2.1: v3 is written as 2, and there is no later one.
  if (version !== undefined && readSmallInteger(inside(version)) > 2)
    throw new CmsError('unsupported', 'a certificate of an unknown version');
  const serial = readSerial(members.next(Tag.integer));
  const innerAlgorithm = members.next(Tag.sequence);
  if (!sameAlgorithm(innerAlgorithm, outerAlgorithm)) {
    throw new CmsError('bad-value', 'the two signature algorithms of a certificate differ');
  }
  const issuer = readName(members.next(Tag.sequence));
  const validity = new Members(members.next(Tag.sequence), 'Validity');
  const notBefore = readTime(validity.next());
  const notAfter = readTime(validity.next());
  const subject = readName(members.next(Tag.sequence));
  const publicKey = members.next(Tag.sequence);
  members.optional(0x81, 0xa1);
  members.optional(0x82, 0xa2);
  const list = members.optional(0xa3);
  members.finish();
  const extensions = list === undefined ? new Map<string, Extension>() : readExtensions(inside(list));

  return {
    raw: der,
    tbs: encoded(tbs),
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey: encoded(publicKey),
    ...readKey(publicKey),
    scheme: schemeOrNone(outerAlgorithm),
    signature,
    extensions,
    ...readKnown(extensions),
  };
}

/** A certificate signed with an algorithm unknown here is still read: it may be a root, whose signature nobody checks. */
function schemeOrNone(algorithm: Element): SignatureScheme | undefined {
  try {
    return readScheme(algorithm);
  } catch (error) {
    if (error instanceof CmsError && error.code === 'unsupported') return undefined;
    throw error;
  }
}

function readKey(publicKey: Element): Pick<Certificate, 'keyAlgorithm' | 'rsaBits'> {
  const members = new Members(publicKey, 'SubjectPublicKeyInfo');
  const keyAlgorithm = readOid(new Members(members.next(Tag.sequence), 'AlgorithmIdentifier').next(Tag.oid));
  const bits = readBitOctets(members.next(Tag.bitString));
  if (keyAlgorithm !== Oid.rsaEncryption && keyAlgorithm !== Oid.rsaPss)
    return { keyAlgorithm, rsaBits: undefined };
  const modulus = content(new Members(readWhole(bits), 'RSAPublicKey').next(Tag.integer));
  const first = modulus.findIndex((octet) => octet !== 0);
  const rsaBits = first < 0 ? 0 : (modulus.length - first) * 8 - (Math.clz32(modulus[first] ?? 0) - 24);
  return { keyAlgorithm, rsaBits };
}

function readKnown(extensions: ReadonlyMap<string, Extension>) {
  const read = <T>(oid: string, reader: (value: Uint8Array) => T): T | undefined => {
    const extension = extensions.get(oid);
    return extension === undefined ? undefined : reader(extension.value);
  };
  return {
    keyUsage: read(ExtensionOid.keyUsage, readKeyUsage),
    purposes: read(ExtensionOid.extendedKeyUsage, readPurposes),
    basicConstraints: read(ExtensionOid.basicConstraints, readBasicConstraints),
    subjectKeyIdentifier: read(ExtensionOid.subjectKeyIdentifier, readSubjectKeyIdentifier),
    authorityKeyIdentifier: read(ExtensionOid.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    altNames: read(ExtensionOid.subjectAltName, readAltNames) ?? [],
    nameConstraints: read(ExtensionOid.nameConstraints, readNameConstraints),
    crlPointers: read(ExtensionOid.crlDistributionPoints, readCrlPointers) ?? [],
  };
}

/**
 * The certificates of a file: one in DER, or every CERTIFICATE block of a PEM text.
 * @throws CmsError when one of them cannot be read
 */
export function readCertificates(file: Uint8Array): Certificate[] {
  if (!startsLikePem(file)) return [readCertificate(file)];
  return pemBlocks(file)
    .filter((block) => block.label === 'CERTIFICATE' || block.label === 'X509 CERTIFICATE')
    .map((block) => readCertificate(block.der));
}

/** The addresses in the subject alternative name. */
export const emailsOf = (certificate: Certificate): string[] =>
  certificate.altNames.flatMap((name) => (name.kind === 'email' ? [name.value] : []));

/** The serial number's content octets as they stand, for whoever quotes it. @throws CmsError */
export function serialOctets(certificate: Uint8Array): Uint8Array {
  const tbs = new Members(readWhole(certificate), 'Certificate').next(Tag.sequence);
  const members = new Members(tbs, 'TBSCertificate');
  members.optional(0xa0);
  return content(members.next(Tag.integer));
}
