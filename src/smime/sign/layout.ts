import { Oid } from '../read/algorithms.js';
import { Tag } from '../read/asn1.js';
import { readCertificate, serialOctets } from '../read/certificate.js';
import { der, derHeader, derOid, derTime } from '../read/der.js';
import type { Signer } from './signer.js';

/** The parts of a SignedData that are the same for every message of one signer. */
interface Layout {
  readonly digestAlgorithms: Uint8Array;
  readonly certificates: Uint8Array;
  /** version, sid and digestAlgorithm of the SignerInfo. */
  readonly signerHead: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
}

const version1 = der(Tag.integer, Uint8Array.of(1));
const derNull = der(Tag.null);
// RFC 5754 2: SHA-2 identifiers leave their parameters out.
const sha256Algorithm = der(Tag.sequence, derOid(Oid.sha256));
const dataType = derOid(Oid.data);
const signedDataType = derOid(Oid.signedData);
const contentTypeAttribute = attribute(Oid.contentType, dataType);
const detachedContent = der(Tag.sequence, dataType);

function attribute(type: string, value: Uint8Array): Uint8Array {
  return der(Tag.sequence, derOid(type), der(Tag.set, value));
}

const layouts = new WeakMap<Signer, Layout>();

function layoutOf(signer: Signer): Layout {
  let layout = layouts.get(signer);
  if (layout === undefined) {
    layout = lay(signer);
    layouts.set(signer, layout);
  }
  return layout;
}

function lay(signer: Signer): Layout {
  const certificate = readCertificate(signer.certificate);
  const identifier = der(
    Tag.sequence,
    certificate.issuer.raw,
    der(Tag.integer, serialOctets(signer.certificate)),
  );
  const elliptic = certificate.keyAlgorithm === Oid.ecPublicKey;
  return {
    digestAlgorithms: der(Tag.set, sha256Algorithm),
    certificates: der(0xa0, ...sorted([signer.certificate, ...signer.chain])),
    signerHead: Buffer.concat([version1, identifier, sha256Algorithm]),
    // RFC 3370 3.2: rsaEncryption with NULL. RFC 5754 3.3: ecdsa-with-SHA256 without parameters.
    signatureAlgorithm: elliptic
      ? der(Tag.sequence, derOid(Oid.ecdsaSha256))
      : der(Tag.sequence, derOid(Oid.rsaEncryption), derNull),
  };
}

/** The certificates are a SET OF: DER wants them in the order of their octets. */
const sorted = (all: readonly Buffer[]): Buffer[] => [...all].sort(Buffer.compare);

/** The SignerInfo over content of type data. Signed attributes: contentType, signingTime, messageDigest. */
async function signerInfo(signer: Signer, digest: Uint8Array, epochMs: number): Promise<Uint8Array> {
  const layout = layoutOf(signer);
  // In the order of their octets, as DER wants a SET OF: their lengths alone decide.
  const attributes = [
    contentTypeAttribute,
    attribute(Oid.signingTime, derTime(epochMs)),
    attribute(Oid.messageDigest, der(Tag.octetString, digest)),
  ];
  const signature = await signer.sign(asBuffer(der(Tag.set, ...attributes)));
  return der(
    Tag.sequence,
    layout.signerHead,
    der(0xa0, ...attributes),
    layout.signatureAlgorithm,
    der(Tag.octetString, signature),
  );
}

/** A SignedData v1 over content of type data: `digest` is its SHA-256, `content` is put inside when it is given. */
export async function signedData(
  signer: Signer,
  digest: Uint8Array,
  epochMs: number,
  content?: Uint8Array,
): Promise<Buffer> {
  const layout = layoutOf(signer);
  const encapsulated =
    content === undefined
      ? detachedContent
      : der(Tag.sequence, dataType, der(0xa0, der(Tag.octetString, content)));
  const body = der(
    Tag.sequence,
    version1,
    layout.digestAlgorithms,
    encapsulated,
    layout.certificates,
    der(Tag.set, await signerInfo(signer, digest, epochMs)),
  );
  return asBuffer(der(Tag.sequence, signedDataType, der(0xa0, body)));
}

/** Octets that one DER length of four can hold, less what is around the content. */
const LONGEST_CONTENT = 2 ** 32 - 2 ** 20;

/**
 * The same with content that is too long for memory: what stands before and after its `length` octets.
 * @throws RangeError for content of 4 GiB
 */
export async function signedFrame(
  signer: Signer,
  digest: Uint8Array,
  epochMs: number,
  length: number,
): Promise<{ readonly head: Buffer; readonly tail: Buffer }> {
  if (length > LONGEST_CONTENT) throw new RangeError(`${length} octets are too many for one signed file`);
  const layout = layoutOf(signer);
  const tail = Buffer.concat([layout.certificates, der(Tag.set, await signerInfo(signer, digest, epochMs))]);
  // From the inside out: each header is that of all that comes after it.
  const octets = derHeader(Tag.octetString, length);
  const tagged = derHeader(0xa0, octets.length + length);
  const encapsulated = Buffer.concat([dataType, tagged, octets]);
  const sequence = derHeader(Tag.sequence, encapsulated.length + length);
  const before = Buffer.concat([version1, layout.digestAlgorithms, sequence, encapsulated]);
  const body = derHeader(Tag.sequence, before.length + length + tail.length);
  const inner = Buffer.concat([body, before]);
  const wrapper = derHeader(0xa0, inner.length + length + tail.length);
  const whole = Buffer.concat([signedDataType, wrapper, inner]);
  return {
    head: Buffer.concat([derHeader(Tag.sequence, whole.length + length + tail.length), whole]),
    tail,
  };
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
