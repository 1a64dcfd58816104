import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { Oid } from '../read/algorithms.js';
import { Members, readWhole, Tag } from '../read/asn1.js';
import { der, derOid, derTime } from '../read/der.js';
import { ExtensionOid, type KeyUsage, usageBit } from '../read/extensions.js';
import { readBitOctets } from '../read/values.js';

/** Attribute types a certificate of ours may name its holder by. */
const nameTypes = { C: '2.5.4.6', O: '2.5.4.10', OU: '2.5.4.11', CN: '2.5.4.3' } as const;

/** A distinguished name, most general part first. */
export type NameParts = readonly (readonly [keyof typeof nameTypes, string])[];

export interface ExtensionValue {
  readonly oid: string;
  readonly critical: boolean;
  /** DER that goes inside the OCTET STRING. */
  readonly value: Uint8Array;
}

export interface CertificateRequest {
  readonly subject: NameParts;
  readonly issuer: NameParts;
  readonly publicKey: KeyObject;
  readonly issuerKey: KeyObject;
  /** Epoch milliseconds, cut to the second. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly ExtensionValue[];
  /** Big-endian; a random one of 16 octets when left out. */
  readonly serial?: Uint8Array;
}

/** Issues a version 3 certificate (RFC 5280 4.1), signed with SHA-256 by an RSA or EC key. @returns DER */
export function issueCertificate(request: CertificateRequest): Buffer {
  const algorithm = signatureAlgorithm(request.issuerKey);
  const extensions = request.extensions.map(({ oid, critical, value }) =>
    der(Tag.sequence, derOid(oid), ...(critical ? [derTrue] : []), der(Tag.octetString, value)),
  );
  const tbs = der(
    Tag.sequence,
    der(0xa0, der(Tag.integer, Uint8Array.of(2))),
    der(Tag.integer, request.serial ?? randomSerial()),
    algorithm,
    derName(request.issuer),
    der(Tag.sequence, derTime(request.notBefore), derTime(request.notAfter)),
    derName(request.subject),
    publicKeyInfo(request.publicKey),
    der(0xa3, der(Tag.sequence, ...extensions)),
  );
  return signedStructure(tbs, algorithm, request.issuerKey);
}

/** A to-be-signed structure with its signature: a certificate or a CRL. */
export function signedStructure(tbs: Uint8Array, algorithm: Uint8Array, key: KeyObject): Buffer {
  const signature = sign('sha256', tbs, key);
  return Buffer.from(der(Tag.sequence, tbs, algorithm, der(Tag.bitString, Uint8Array.of(0), signature)));
}

/** The AlgorithmIdentifier of SHA-256 with the kind of key this is. */
export function signatureAlgorithm(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType === 'ec') return der(Tag.sequence, derOid(Oid.ecdsaSha256));
  return der(Tag.sequence, derOid('1.2.840.113549.1.1.11'), der(Tag.null));
}

const derTrue = der(Tag.boolean, Uint8Array.of(0xff));

/** RFC 5280 4.1.2.2: positive, at most 20 octets. 126 random bits. */
function randomSerial(): Uint8Array {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** RFC 5280 4.1.2.4: the country in PrintableString, the rest in UTF-8. */
export function derName(parts: NameParts): Uint8Array {
  const relative = parts.map(([type, text]) => {
    const value = der(type === 'C' ? 0x13 : 0x0c, Buffer.from(text, 'utf8'));
    return der(Tag.set, der(Tag.sequence, derOid(nameTypes[type]), value));
  });
  return der(Tag.sequence, ...relative);
}

const publicKeyInfo = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' });

/** RFC 5280 4.2.1.2 (1): SHA-1 of the key's bits. */
export function keyIdentifier(key: KeyObject): Buffer {
  const members = new Members(readWhole(publicKeyInfo(key)), 'SubjectPublicKeyInfo');
  members.next(Tag.sequence);
  return createHash('sha1')
    .update(readBitOctets(members.next(Tag.bitString)))
    .digest();
}

export const subjectKeyIdentifier = (key: KeyObject): ExtensionValue => ({
  oid: ExtensionOid.subjectKeyIdentifier,
  critical: false,
  value: der(Tag.octetString, keyIdentifier(key)),
});

export const authorityKeyIdentifier = (issuerKey: KeyObject): ExtensionValue => ({
  oid: ExtensionOid.authorityKeyIdentifier,
  critical: false,
  value: der(Tag.sequence, der(0x80, keyIdentifier(issuerKey))),
});

/** Always critical. */
export function keyUsage(...usages: readonly KeyUsage[]): ExtensionValue {
  const bits = usages.map(usageBit);
  const last = Math.max(...bits);
  const octets = new Uint8Array((last >> 3) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  // X.690 11.2.2: no trailing zero bits.
  const value = der(Tag.bitString, Uint8Array.of(7 - (last & 7)), octets);
  return { oid: ExtensionOid.keyUsage, critical: true, value };
}

/** Always critical. `pathLength` counts the authorities that may follow. */
export function basicConstraints(ca: boolean, pathLength?: number): ExtensionValue {
  const depth = pathLength === undefined ? [] : [der(Tag.integer, Uint8Array.of(pathLength))];
  const value = der(Tag.sequence, ...(ca ? [derTrue] : []), ...depth);
  return { oid: ExtensionOid.basicConstraints, critical: true, value };
}

export const extendedKeyUsage = (...purposes: readonly string[]): ExtensionValue => ({
  oid: ExtensionOid.extendedKeyUsage,
  critical: false,
  value: der(Tag.sequence, ...purposes.map(derOid)),
});

export interface AltNameParts {
  readonly emails?: readonly string[];
  readonly hosts?: readonly string[];
  /** IPv4 or IPv6 in text. */
  readonly addresses?: readonly string[];
}

export const subjectAltName = ({
  emails = [],
  hosts = [],
  addresses = [],
}: AltNameParts): ExtensionValue => ({
  oid: ExtensionOid.subjectAltName,
  critical: false,
  value: der(
    Tag.sequence,
    ...emails.map((email) => der(0x81, Buffer.from(email, 'latin1'))),
    ...hosts.map((host) => der(0x82, Buffer.from(host, 'latin1'))),
    ...addresses.map((address) => der(0x87, addressOctets(address))),
  ),
});

function addressOctets(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  // The URL parser writes an IPv6 address in one canonical way, without dotted quads or zones.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [left = '', right] = canonical.split('::');
  const groups = (text: string | undefined): number[] =>
    text === undefined || text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const head = groups(left);
  const tail = groups(right);
  const zeros = new Array<number>(8 - head.length - tail.length).fill(0);
  return Uint8Array.from([...head, ...zeros, ...tail].flatMap((group) => [group >> 8, group & 0xff]));
}

/** Pointers at revocation lists. */
export const crlDistributionPoints = (...uris: readonly string[]): ExtensionValue => ({
  oid: ExtensionOid.crlDistributionPoints,
  critical: false,
  value: der(
    Tag.sequence,
    ...uris.map((uri) => der(Tag.sequence, der(0xa0, der(0xa0, der(0x86, Buffer.from(uri, 'latin1')))))),
  ),
});
