import { type HashName, Oid, readHash, readScheme, type SignatureScheme } from './algorithms.js';
import {
  children,
  content,
  type Element,
  encoded,
  inside,
  Members,
  readWhole,
  refuseLarge,
  Tag,
} from './asn1.js';
import { CmsError } from './cms-error.js';
import { hasDerLengths, retagged, toDer } from './der.js';
import { type Name, readName } from './names.js';
import { hex, readOctets, readOid, readSerial, readSmallInteger, readTime } from './values.js';

/** The signed attributes of the one signer. */
export interface SignedAttributes {
  /** What the signature is over: the attributes as an explicit SET (RFC 5652 5.4). */
  readonly signedBytes: Uint8Array;
  readonly contentType: string | undefined;
  readonly messageDigest: Uint8Array | undefined;
  /** Epoch milliseconds. */
  readonly signingTime: number | undefined;
}

export type SignerIdentifier =
  | { readonly kind: 'serial'; readonly issuer: Name; readonly serial: string }
  | { readonly kind: 'key'; readonly identifier: string };

/** A SignedData with exactly one signer (RFC 5652 5.1). */
export interface SignedData {
  /** The eContentType. */
  readonly contentType: string;
  /** The content inside; undefined when the signature is detached. */
  readonly content: Uint8Array | undefined;
  /** DER of every certificate inside, in order. */
  readonly certificates: readonly Uint8Array[];
  readonly signer: {
    readonly identifier: SignerIdentifier;
    readonly digestAlgorithm: HashName;
    readonly scheme: SignatureScheme;
    readonly signature: Uint8Array;
    /** Undefined when the signature is over the content itself. */
    readonly attributes: SignedAttributes | undefined;
  };
}

/**
 * Reads a CMS SignedData in DER or BER (indefinite lengths, strings in pieces): one signer, nothing after it.
 * @throws CmsError and nothing else, whatever the bytes
 */
export function parseSignedData(cms: Uint8Array): SignedData {
  const outer = new Members(readWhole(cms), 'ContentInfo');
  const type = readOid(outer.next(Tag.oid));
  if (type !== Oid.signedData) throw new CmsError('unsupported', `a CMS of type ${type}, not SignedData`);
  const wrapper = outer.next(0xa0);
  outer.finish();

  const members = new Members(inside(wrapper), 'SignedData');
  readSmallInteger(members.next(Tag.integer));
  members.next(Tag.set);
  const encapsulated = new Members(members.next(Tag.sequence), 'EncapsulatedContentInfo');
  const contentType = readOid(encapsulated.next(Tag.oid));
  const inner = encapsulated.optional(0xa0);
  encapsulated.finish();
  const certificates = members.optional(0xa0);
  members.optional(0xa1);
  const signers = children(members.next(Tag.set));
  members.finish();
  const [signer, ...others] = signers;
  if (signer === undefined || others.length > 0) {
    throw new CmsError('signers', `${signers.length} signers, not one`);
  }
  return {
    contentType,
    content: inner === undefined ? undefined : readContent(inside(inner)),
    // Other certificate formats bear context tags and are passed over.
    certificates: certificates === undefined ? [] : certificatesIn(certificates),
    signer: readSigner(signer),
  };
}

function readContent(element: Element): Uint8Array {
  if (element.tag !== Tag.octetString && element.tag !== (Tag.octetString | 0x20)) {
    throw new CmsError('unsupported', 'a content that is no octet string');
  }
  return readOctets(element);
}

const certificatesIn = (set: Element): Uint8Array[] =>
  children(set)
    .filter((element) => element.tag === Tag.sequence)
    .map(encoded);

function readSigner(signer: Element): SignedData['signer'] {
  const members = new Members(signer, 'SignerInfo');
  readSmallInteger(members.next(Tag.integer));
  const identifier = readIdentifier(members.next(Tag.sequence, 0x80));
  const digestAlgorithm = readHash(members.next(Tag.sequence));
  const attributes = members.optional(0xa0);
  const scheme = readScheme(members.next(Tag.sequence), digestAlgorithm);
  const signature = readOctets(members.next(Tag.octetString, Tag.octetString | 0x20));
  members.optional(0xa1);
  members.finish();
  return {
    identifier,
    digestAlgorithm,
    scheme,
    signature,
    attributes: attributes === undefined ? undefined : readAttributes(attributes),
  };
}

function readIdentifier(element: Element): SignerIdentifier {
  if (element.tag === 0x80) return { kind: 'key', identifier: hex(content(element)) };
  const members = new Members(element, 'IssuerAndSerialNumber');
  const issuer = readName(members.next(Tag.sequence));
  const serial = readSerial(members.next(Tag.integer));
  members.finish();
  return { kind: 'serial', issuer, serial };
}

function readAttributes(wrapper: Element): SignedAttributes {
  refuseLarge(wrapper, 'signed attributes');
  const values = new Map<string, Element>();
  for (const attribute of children(wrapper)) {
    const members = new Members(attribute, 'Attribute');
    const type = readOid(members.next(Tag.oid));
    const set = children(members.next(Tag.set));
    members.finish();
    // RFC 5652 11: these three come once and with one value.
    if (!singleValued.has(type)) continue;
    const [value] = set;
    if (value === undefined || set.length > 1 || values.has(type)) {
      throw new CmsError('bad-value', `signed attribute ${type} without exactly one value`);
    }
    values.set(type, value);
  }
  const read = <T>(type: string, reader: (element: Element) => T): T | undefined => {
    const value = values.get(type);
    return value === undefined ? undefined : reader(value);
  };
  return {
    // RFC 5652 5.4: a separate DER encoding. What is DER already is taken as it stands, so that a set its signer
    // did not sort verifies as openssl verifies it.
    signedBytes: hasDerLengths(wrapper) ? retagged(wrapper, Tag.set) : derSet(wrapper),
    contentType: read(Oid.contentType, readOid),
    messageDigest: read(Oid.messageDigest, readOctets),
    signingTime: read(Oid.signingTime, readTime),
  };
}

const singleValued = new Set<string>([Oid.contentType, Oid.messageDigest, Oid.signingTime]);

/** The DER of an attribute set that came in BER. */
function derSet(wrapper: Element): Uint8Array {
  return toDer({ ...wrapper, tag: Tag.set });
}
