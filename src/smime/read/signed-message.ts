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

/** A signature with a chain of certificates takes some 8 KiB. What a stranger can put into one is read before anything is believed. */
const CMS_LIMIT = 64 * 1024;

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
  if (type.type !== 'multipart' || type.subtype !== 'signed' || !isReadAlike(header)) return undefined;
  const protocol = type.parameters.get('protocol')?.toLowerCase() ?? '';
  if (
    !protocol.startsWith('application/') ||
    !signatureTypes.includes(protocol.slice('application/'.length))
  ) {
    return undefined;
  }
  const [part, signature, ...others] = (await readStructure(message)).children;
  if (part === undefined || signature === undefined || others.length > 0) return undefined;
  if (signature.type.type !== 'application' || !signatureTypes.includes(signature.type.subtype))
    return undefined;
  const ends = [part.end, signature.end];
  if (
    !(await dividesOnce(message, header.bodyOffset, type.parameters.get('boundary') ?? '', part.start, ends))
  )
    return undefined;
  return {
    entity: message.slice(part.start, part.end),
    cms: await readCms(message, signature),
    micalg: type.parameters.get('micalg') ?? '',
  };
}

/** `multipart/signed` and parameters: no comment, no quoted pair, no extended form of RFC 2231, no space around `=`. */
const PLAIN_TYPE =
  /^multipart\/signed(?:[ \t]*;[ \t]*[a-z-]+=(?:"[^"\\]*"|[^\s";()\\]+))+(?:[ \t]*;)?[ \t]*$/i;
const PARAMETER = /;[ \t]*([a-z-]+)=(?:"[^"\\]*"|[^\s";()\\]+)/gi;
/** RFC 2046 5.1.1. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/**
 * Whether every program divides the message as it is divided here. The outer header is not signed: with a boundary said
 * twice, hidden in a comment or escaped, with a second Content-Type or an encoding of the whole (RFC 2045 6.4 forbids
 * it), what was verified here would not be what others show.
 */
function isReadAlike(header: Header): boolean {
  const types = header.all('content-type');
  const raw = types[0]?.raw ?? '';
  if (types.length !== 1 || !PLAIN_TYPE.test(raw)) return false;
  // Where a line is no field, some programs take the body to begin. The first line of an mbox is none, and does no harm.
  if (header.malformed.some((line) => !line.startsWith('From '))) return false;
  const names = [...raw.matchAll(PARAMETER)].map(([, name = '']) => name.toLowerCase());
  if (new Set(names).size < names.length) return false;
  if (!BOUNDARY.test(parseContentType(raw).parameters.get('boundary') ?? '')) return false;
  const encodings = header.all('content-transfer-encoding').map((field) => field.raw.toLowerCase());
  return encodings.length <= 1 && encodings.every((name) => ['7bit', '8bit', 'binary'].includes(name));
}

/**
 * Whether the body has three delimiters, at the edges of its two parts, and no line besides that begins like one. RFC 2046
 * 5.1.1: it appears "on a line by itself or as the prefix of any line" nowhere else. Whole lines divide here; a program
 * that looks at beginnings alone would find parts of its own, before the signed one too.
 */
async function dividesOnce(
  message: Rope,
  bodyOffset: number,
  boundary: string,
  entityStart: number,
  ends: readonly number[],
): Promise<boolean> {
  const delimiter = octets(`\r\n--${boundary}`);
  // The CRLF of the blank line stands before a delimiter on the body's first line.
  const first = await message.indexOf(delimiter, bodyOffset - 2);
  if ((await message.indexOf(octets('\r\n'), first + 2)) + 2 !== entityStart) return false;
  let at = first;
  for (const end of ends) {
    at = await message.indexOf(delimiter, at + delimiter.length);
    if (at !== end) return false;
  }
  return (await message.indexOf(delimiter, at + delimiter.length)) < 0;
}

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

async function readCms(message: Rope, part: Part): Promise<Uint8Array> {
  const body = message.slice(part.bodyStart, part.end);
  // Base64 takes four octets for three, and line ends.
  if (body.length > CMS_LIMIT * 1.5) return new Uint8Array(0);
  return decodeBody(body, part.header.raw('content-transfer-encoding'), CMS_LIMIT * 1.5);
}
