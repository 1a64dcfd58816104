/** Time stamps (RFC 3161, with ESSCertIDv2 of RFC 5816): the question, and what an answer proves. */
import { randomBytes } from 'node:crypto';
import { type HashName, Oid, readHash } from '../read/algorithms.js';
import { children, content, type Element, encoded, inside, Members, readWhole, Tag } from '../read/asn1.js';
import { SignatureError } from '../read/attached.js';
import { type Certificate, readCertificate } from '../read/certificate.js';
import { CmsError } from '../read/cms-error.js';
import { der, derOid } from '../read/der.js';
import { readGeneralName } from '../read/names.js';
import { parseSignedData } from '../read/signed-data.js';
import {
  hex,
  readOctets,
  readOid,
  readSerial,
  readSmallInteger,
  readText,
  readTime,
  sameBytes,
} from '../read/values.js';
import { examine, type SignerInfo } from '../read/verdict.js';
import { nodeCrypto } from '../verify/node-crypto.js';
import { memoryOf, type TrustStore } from '../verify/trust.js';

const STAMP_INFO = '1.2.840.113549.1.9.16.1.4';
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
const NONCE_BYTES = 8;

/** An answer that is no time stamp of what was asked about; the message is English, for the operator. */
export class TimestampError extends Error {
  override readonly name = 'TimestampError';
}

/** A time stamp that holds. */
export interface Timestamp {
  /** Epoch milliseconds, cut to the second. */
  readonly at: number;
  /** By how much `at` may be off, milliseconds, as the authority says; 0 when it does not. */
  readonly accuracy: number;
  readonly policy: string;
  /** Hexadecimal. */
  readonly serial: string;
  readonly signer: SignerInfo;
}

const sha256Algorithm = der(Tag.sequence, derOid(Oid.sha256), der(Tag.null));

/** A positive number of eight octets, as a DER INTEGER holds it. */
export function newNonce(): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  nonce[0] = ((nonce[0] ?? 0) & 0x7f) | 0x40;
  return nonce;
}

/** A TimeStampReq over a SHA-256 digest that asks for the certificate too (RFC 3161 2.4.1). */
export const timestampRequest = (digest: Uint8Array, nonce: Uint8Array): Buffer =>
  Buffer.from(
    der(
      Tag.sequence,
      der(Tag.integer, Uint8Array.of(1)),
      der(Tag.sequence, sha256Algorithm, der(Tag.octetString, digest)),
      der(Tag.integer, nonce),
      der(Tag.boolean, Uint8Array.of(0xff)),
    ),
  );

export interface TimestampQuestion {
  /** SHA-256 of what was stamped. */
  readonly digest: Uint8Array;
  /** As it was asked; undefined when an old answer is looked at again. */
  readonly nonce?: Uint8Array | undefined;
  /** The authorities that stamps are believed on. */
  readonly trust: TrustStore;
}

/**
 * Verifies an answer of a time stamping authority (RFC 3161 2.4.2): granted, over this digest, with this nonce, signed at
 * its time by a certificate for time stamps that leads to the trust given and is named in the signature. Revocation is
 * not looked at.
 * @throws TimestampError
 */
export async function verifyTimestamp(response: Uint8Array, question: TimestampQuestion): Promise<Timestamp> {
  try {
    return await verify(response, question);
  } catch (error) {
    if (error instanceof CmsError) throw new TimestampError(`not readable: ${error.message}`);
    throw error;
  }
}

async function verify(response: Uint8Array, question: TimestampQuestion): Promise<Timestamp> {
  const token = grantedToken(response);
  const data = parseSignedData(token);
  if (data.contentType !== STAMP_INFO || data.content === undefined) {
    throw new TimestampError('the answer holds no time stamp');
  }
  const info = readInfo(data.content);
  if (info.hash !== 'sha256' || !sameBytes(info.digest, question.digest)) {
    throw new TimestampError('the stamp is over something else');
  }
  const asked = question.nonce === undefined ? undefined : hex(question.nonce);
  if (asked !== undefined && info.nonce !== asked) {
    throw new TimestampError('the stamp does not answer this question (nonce)');
  }
  const { anchors, readCertificates } = memoryOf(question.trust);
  const verdict = await examine({
    cms: token,
    chunks: [data.content],
    use: { kind: 'timestamp' },
    at: info.at,
    anchors,
    revocation: undefined,
    crypto: nodeCrypto,
    readCertificates,
  });
  if (verdict.faults.length > 0 || verdict.signer === undefined) {
    throw new TimestampError(new SignatureError(verdict.faults, false).message);
  }
  const named = namedCertificate(data.signer.attributes?.signedBytes);
  await checkNamed(named, readCertificate(verdict.signer.certificate));
  const { at, accuracy, policy, serial } = info;
  return { at, accuracy, policy, serial, signer: verdict.signer };
}

/** RFC 3161 2.4.2: 0 granted, 1 granted with changes; with any other status there is no token. */
function grantedToken(response: Uint8Array): Uint8Array {
  const members = new Members(readWhole(response), 'TimeStampResp');
  const status = new Members(members.next(Tag.sequence), 'PKIStatusInfo');
  const code = readSmallInteger(status.next(Tag.integer));
  const texts = status.optional(Tag.sequence);
  status.optional(Tag.bitString);
  status.finish();
  const token = members.optional(Tag.sequence);
  members.finish();
  if (code > 1 || token === undefined) {
    const why = texts === undefined ? [] : children(texts).map((text) => readText(text) ?? '');
    throw new TimestampError(`refused with status ${code}${why.length === 0 ? '' : `: ${why.join('; ')}`}`);
  }
  return encoded(token);
}

interface StampInfo {
  readonly policy: string;
  readonly hash: HashName;
  readonly digest: Uint8Array;
  readonly serial: string;
  readonly at: number;
  readonly accuracy: number;
  readonly nonce: string | undefined;
}

function readInfo(bytes: Uint8Array): StampInfo {
  const members = new Members(readWhole(bytes), 'TSTInfo');
  if (readSmallInteger(members.next(Tag.integer)) !== 1)
    throw new TimestampError('an unknown version of TSTInfo');
  const policy = readOid(members.next(Tag.oid));
  const imprint = new Members(members.next(Tag.sequence), 'MessageImprint');
  const hash = readHash(imprint.next(Tag.sequence));
  const digest = readOctets(imprint.next(Tag.octetString));
  imprint.finish();
  const serial = readSerial(members.next(Tag.integer));
  const at = readTime(members.next(Tag.generalizedTime));
  const accuracy = members.optional(Tag.sequence);
  members.optional(Tag.boolean);
  const nonce = members.optional(Tag.integer);
  const name = members.optional(0xa0);
  if (name !== undefined) readGeneralName(inside(name));
  const extensions = members.optional(0xa1);
  members.finish();
  if (extensions !== undefined) refuseCritical(extensions);
  return {
    policy,
    hash,
    digest,
    serial,
    at,
    accuracy: accuracy === undefined ? 0 : readAccuracy(accuracy),
    nonce: nonce === undefined ? undefined : readSerial(nonce),
  };
}

/** No extension of a time stamp is known here. */
function refuseCritical(extensions: Element): void {
  for (const extension of children(extensions)) {
    const members = new Members(extension, 'Extension');
    const oid = readOid(members.next(Tag.oid));
    const critical = members.optional(Tag.boolean);
    if (critical !== undefined && content(critical)[0] !== 0) {
      throw new TimestampError(`the stamp has the unknown critical extension ${oid}`);
    }
  }
}

/** Accuracy (RFC 3161 2.4.2): seconds, [0] milliseconds, [1] microseconds, each of which may be left out. */
function readAccuracy(element: Element): number {
  const members = new Members(element, 'Accuracy');
  const seconds = members.optional(Tag.integer);
  const millis = members.optional(0x80);
  const micros = members.optional(0x81);
  members.finish();
  const small = (part: Element | undefined): number =>
    part === undefined ? 0 : readSmallInteger({ ...part, tag: Tag.integer });
  return small(seconds) * 1000 + small(millis) + Math.ceil(small(micros) / 1000);
}

interface NamedCertificate {
  readonly hash: HashName;
  readonly digest: Uint8Array;
}

/** The first certificate named by ESSCertID (SHA-1) or ESSCertIDv2: the signer's (RFC 5816 2.2.1). */
function namedCertificate(attributes: Uint8Array | undefined): NamedCertificate[] {
  const named: NamedCertificate[] = [];
  for (const attribute of attributes === undefined ? [] : children(readWhole(attributes))) {
    const members = new Members(attribute, 'Attribute');
    const type = readOid(members.next(Tag.oid));
    if (type !== SIGNING_CERTIFICATE && type !== SIGNING_CERTIFICATE_V2) continue;
    const [value, ...others] = children(members.next(Tag.set));
    if (value === undefined || others.length > 0) throw new TimestampError('a doubled signingCertificate');
    const list = new Members(value, 'SigningCertificate').next(Tag.sequence);
    const [first] = children(list);
    if (first === undefined) throw new TimestampError('an empty signingCertificate');
    const identifier = new Members(first, 'ESSCertID');
    const algorithm = type === SIGNING_CERTIFICATE_V2 ? identifier.optional(Tag.sequence) : undefined;
    const standard: HashName = type === SIGNING_CERTIFICATE ? 'sha1' : 'sha256';
    named.push({
      hash: algorithm === undefined ? standard : readHash(algorithm),
      digest: readOctets(identifier.next(Tag.octetString)),
    });
  }
  return named;
}

/** RFC 3161 2.4.2: the stamp must name its certificate, so that another with the same key cannot take its place. */
async function checkNamed(named: readonly NamedCertificate[], signer: Certificate): Promise<void> {
  if (named.length === 0) throw new TimestampError('the stamp does not name its certificate');
  for (const { hash, digest } of named) {
    const digests = await nodeCrypto.digests([hash], [signer.raw]);
    if (!sameBytes(digests[hash], digest)) throw new TimestampError('the stamp names another certificate');
  }
}
