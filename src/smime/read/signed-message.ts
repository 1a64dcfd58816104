import {
  decodeBody,
  type Header,
  MimeError,
  type Part,
  parseContentType,
  readHeader,
  readStructure,
} from '../../mime/index.js';
import type { Rope } from '../../rope/index.js';

/** The two halves of a multipart/signed. */
export interface SignedMessage {
  /** What is signed: header and body of the first part, without the CRLF that belongs to the delimiter. */
  readonly entity: Rope;
  /** The signature, decoded; empty when it is too large to be one. */
  readonly cms: Uint8Array;
  /** As the outer Content-Type says; nothing relies on it. */
  readonly micalg: string;
}

/** A signature with a chain of certificates takes some 8 KiB. */
const CMS_LIMIT = 256 * 1024;

/** Both spellings are met: pec-format 1.2, RFC 8551 3.5.3. */
const signatureTypes = ['pkcs7-signature', 'x-pkcs7-signature'];

/**
 * The signed entity and the signature of a message whose top level is multipart/signed with two parts, the second an
 * S/MIME signature; undefined for any other message. `header` saves reading it again.
 */
export async function readSigned(message: Rope, header?: Header): Promise<SignedMessage | undefined> {
  try {
    return await split(message, header ?? (await readHeader(message)));
  } catch (error) {
    // A message too entangled to be read holds no signature anybody could rely on.
    if (error instanceof MimeError) return undefined;
    throw error;
  }
}

async function split(message: Rope, header: Header): Promise<SignedMessage | undefined> {
  const type = parseContentType(header.raw('content-type'));
  if (type.type !== 'multipart' || type.subtype !== 'signed' || header.all('content-type').length > 1)
    return undefined;
  if (!hasPlainBoundary(header.raw('content-type') ?? '')) return undefined;
  const protocol = type.parameters.get('protocol')?.toLowerCase() ?? '';
  if (
    !protocol.startsWith('application/') ||
    !signatureTypes.includes(protocol.slice('application/'.length))
  ) {
    return undefined;
  }
  const [entity, signature, ...others] = (await readStructure(message)).children;
  if (entity === undefined || signature === undefined || others.length > 0) return undefined;
  if (signature.type.type !== 'application' || !signatureTypes.includes(signature.type.subtype))
    return undefined;
  return {
    entity: message.slice(entity.start, entity.end),
    cms: await readCms(message, signature),
    micalg: type.parameters.get('micalg') ?? '',
  };
}

/**
 * One boundary, in its plain form. Said twice, or in the extended form of RFC 2231, it is read differently by different
 * programs, and what was verified here would not be what they show.
 */
function hasPlainBoundary(contentType: string): boolean {
  const said = contentType.match(/(?:^|[\s;])boundary\*?[0-9]*\*?\s*=/gi) ?? [];
  return said.length === 1 && !said[0]?.includes('*');
}

async function readCms(message: Rope, part: Part): Promise<Uint8Array> {
  const body = message.slice(part.bodyStart, part.end);
  // Base64 takes four octets for three, and line ends.
  if (body.length > CMS_LIMIT * 1.5) return new Uint8Array(0);
  return decodeBody(body, part.header.raw('content-transfer-encoding'), CMS_LIMIT * 2);
}
