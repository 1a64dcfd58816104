import {
  children,
  content,
  type Element,
  each,
  inside,
  Members,
  readWhole,
  refuseLarge,
  Tag,
} from './asn1.js';
import { CmsError } from './cms-error.js';
import { type GeneralName, readGeneralName, readGeneralNames } from './names.js';
import { hex, readBits, readBoolean, readOctets, readOid, readSmallInteger } from './values.js';

export const ExtensionOid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  invalidityDate: '2.5.29.24',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  freshestCrl: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1',
} as const;

export const Purpose = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
} as const;

export interface Extension {
  readonly critical: boolean;
  /** The DER inside the OCTET STRING. */
  readonly value: Uint8Array;
}

/** The bits of keyUsage in their order (RFC 5280 4.2.1.3). */
const usages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof usages)[number];

/** The number of a key usage's bit. */
export const usageBit = (usage: KeyUsage): number => usages.indexOf(usage);

/** A list of extensions by identifier. @throws CmsError, also when one comes twice */
export function readExtensions(list: Element): Map<string, Extension> {
  if (list.tag !== Tag.sequence) throw new CmsError('bad-tag', 'extensions that are no sequence');
  refuseLarge(list, 'extensions');
  const extensions = new Map<string, Extension>();
  for (const element of each(list)) {
    const members = new Members(element, 'Extension');
    const oid = readOid(members.next(Tag.oid));
    const critical = members.optional(Tag.boolean);
    const value = readOctets(members.next(Tag.octetString));
    members.finish();
    // RFC 5280 4.2: no extension appears twice.
    if (extensions.has(oid)) throw new CmsError('bad-value', `extension ${oid} comes twice`);
    extensions.set(oid, { critical: critical !== undefined && readBoolean(critical), value });
  }
  return extensions;
}

/** @throws CmsError */
export function readKeyUsage(value: Uint8Array): Set<KeyUsage> {
  const element = readWhole(value);
  if (element.tag !== Tag.bitString) throw new CmsError('bad-tag', 'a key usage that is no bit string');
  const { bytes, unused } = readBits(element);
  // The padding of the last octet says nothing, whatever stands there.
  const isSet = (bit: number): boolean =>
    bit < bytes.length * 8 - unused && ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
  return new Set(usages.filter((_, bit) => isSet(bit)));
}

/** @throws CmsError */
export const readPurposes = (value: Uint8Array): string[] => children(readWhole(value)).map(readOid);

export interface BasicConstraints {
  readonly ca: boolean;
  readonly pathLength: number | undefined;
}

/** @throws CmsError */
export function readBasicConstraints(value: Uint8Array): BasicConstraints {
  const members = new Members(readWhole(value), 'BasicConstraints');
  const ca = members.optional(Tag.boolean);
  const pathLength = members.optional(Tag.integer);
  members.finish();
  return {
    ca: ca !== undefined && readBoolean(ca),
    pathLength: pathLength === undefined ? undefined : readSmallInteger(pathLength),
  };
}

/** The key identifier in hexadecimal. @throws CmsError */
export function readSubjectKeyIdentifier(value: Uint8Array): string {
  const element = readWhole(value);
  if (element.tag !== Tag.octetString)
    throw new CmsError('bad-tag', 'a key identifier that is no octet string');
  return hex(content(element));
}

/** The keyIdentifier in hexadecimal, if the extension has one. @throws CmsError */
export function readAuthorityKeyIdentifier(value: Uint8Array): string | undefined {
  const identifier = new Members(readWhole(value), 'AuthorityKeyIdentifier').optional(0x80);
  return identifier === undefined ? undefined : hex(content(identifier));
}

/** @throws CmsError */
export const readAltNames = (value: Uint8Array): GeneralName[] => readGeneralNames(readWhole(value));

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** RFC 5280 4.2.1.10: minimum is 0 and maximum absent, always. @throws CmsError */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const members = new Members(readWhole(value), 'NameConstraints');
  const permitted = members.optional(0xa0);
  const excluded = members.optional(0xa1);
  members.finish();
  return { permitted: readSubtrees(permitted), excluded: readSubtrees(excluded) };
}

function readSubtrees(list: Element | undefined): GeneralName[] {
  if (list === undefined) return [];
  return children(list).map((subtree) => {
    const [base, ...bounds] = children(subtree);
    if (base === undefined) throw new CmsError('truncated', 'an empty name constraint');
    if (bounds.length > 0) throw new CmsError('unsupported', 'a name constraint with a depth');
    return readGeneralName(base);
  });
}

/** Every URI of every distribution point. @throws CmsError */
export function readCrlPointers(value: Uint8Array): string[] {
  return children(readWhole(value)).flatMap((point) => {
    const name = new Members(point, 'DistributionPoint').optional(0xa0);
    return name === undefined ? [] : readPointName(name);
  });
}

/** The URIs of a DistributionPointName inside its `[0]`. @throws CmsError */
export function readPointName(wrapper: Element): string[] {
  const name = inside(wrapper);
  if (name.tag !== 0xa0) return [];
  return readGeneralNames(name).flatMap((general) => (general.kind === 'uri' ? [general.value] : []));
}
