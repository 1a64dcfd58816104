import { createHash } from 'node:crypto';
import { formatParameter, MimeError, type Part, parseDisposition, readStructure } from '../mime/index.js';
import { Rope, type RopePart } from '../rope/index.js';
import { oneLine, without } from './header-lines.js';

/** RFC 6109 3.3.2.2: SHA-1, 40 hexadecimal characters. The one place that holds the choice. */
const HASH = 'sha1';
/** Name of an attached message that has none (decisions 27). */
const UNNAMED_MESSAGE = 'messaggio.eml';
const UNNAMED_PART = 'allegato';
/** Fields of the part that speak of the bytes taken out. */
const CONTENT_FIELDS: ReadonlySet<string> = new Set([
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
  'content-md5',
  'content-length',
]);

/**
 * postacert.eml of a brief delivery notification (RFC 6109 3.3.2.2, decisions 27): each named part, and each attached
 * message, gives way to a text part `<name>.hash` with the SHA-1 of its body as it stands encoded. Everything between
 * stays byte for byte, as slices. An S/MIME original keeps its signature part; an opaque one is left whole.
 * @returns `postacert` itself where there is nothing to replace, and where its structure cannot be read: more proof
 *   than asked for is no loss
 */
export async function briefForm(postacert: Rope): Promise<Rope> {
  let root: Part;
  try {
    root = await readStructure(postacert);
  } catch (error) {
    if (error instanceof MimeError) return postacert;
    throw error;
  }
  const pieces: RopePart[] = [];
  let kept = 0;
  for (const part of replaceable(root)) {
    pieces.push(postacert.slice(kept, part.start), await replacement(postacert, part, part === root));
    kept = part.end;
  }
  return kept === 0 ? postacert : Rope.of(...pieces, postacert.slice(kept));
}

/** The parts to be replaced, in order, none inside another. */
function replaceable(root: Part): Part[] {
  const whole = `${root.type.type}/${root.type.subtype}`;
  if (whole === 'application/pkcs7-mime' || whole === 'application/x-pkcs7-mime') return [];
  // Only the top-level signature is kept: an inner multipart/signed is an attachment like any other.
  if (whole === 'multipart/signed') return root.children.filter((_, index) => index !== 1).flatMap(within);
  return root.type.type === 'multipart' ? root.children.flatMap(within) : within(root);
}

function within(part: Part): Part[] {
  if (part.fileName !== undefined || isMessage(part)) return [part];
  return part.children.flatMap(within);
}

const isMessage = (part: Part): boolean => part.type.type === 'message' && part.type.subtype === 'rfc822';

async function replacement(postacert: Rope, part: Part, top: boolean): Promise<string> {
  const name = `${hashName(part)}.hash`;
  const disposition = part.header.raw('Content-Disposition');
  const kind =
    disposition !== undefined && parseDisposition(disposition).kind === 'inline' ? 'inline' : 'attachment';
  return (
    without(part.header, CONTENT_FIELDS) +
    `Content-Type: text/plain${formatParameter('name', name)}\r\n` +
    `Content-Disposition: ${kind}${formatParameter('filename', name)}\r\n` +
    'Content-Transfer-Encoding: 7bit\r\n\r\n' +
    `${await hashOf(postacert.slice(part.bodyStart, part.end))}${top ? '\r\n' : ''}`
  );
}

function hashName(part: Part): string {
  if (part.fileName === undefined) return UNNAMED_MESSAGE;
  return oneLine(part.fileName) || UNNAMED_PART;
}

async function hashOf(body: Rope): Promise<string> {
  const hash = createHash(HASH);
  for await (const chunk of body.chunks()) hash.update(chunk);
  return hash.digest('hex');
}
