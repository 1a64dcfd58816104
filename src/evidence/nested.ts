import { decodeBody, MimeError, type Part } from '../mime/index.js';
import { Rope } from '../rope/index.js';
import { leavesOf } from './carried-original.js';
import { canonicalLines } from './line-ends.js';

/** A receipt saved and sent on is some ten KB; an envelope in base64 is taken too. */
const ENCODED_LIMIT = 64 * 1024 * 1024;
const MOST = 20;

/** A message found inside another. */
export interface InnerMessage {
  readonly name: string;
  readonly message: Rope;
}

/** The messages attached to one: message/rfc822 parts, and `.eml` files sent as plain attachments. */
export async function messagesIn(message: Rope): Promise<readonly InnerMessage[]> {
  const found: InnerMessage[] = [];
  for (const [index, part] of (await leavesOf(message)).entries()) {
    if (found.length >= MOST) break;
    if (!isMessage(part)) continue;
    const inner = await contentOf(message, part);
    if (inner !== undefined) found.push({ name: part.fileName ?? `parte ${index + 1}`, message: inner });
  }
  return found;
}

const isMessage = ({ type, fileName }: Part): boolean =>
  (type.type === 'message' && type.subtype === 'rfc822') ||
  (type.type === 'application' && (fileName ?? '').toLowerCase().endsWith('.eml'));

async function contentOf(message: Rope, part: Part): Promise<Rope | undefined> {
  const body = message.slice(part.bodyStart, part.end);
  const encoding = part.header.raw('Content-Transfer-Encoding')?.trim().toLowerCase() ?? '7bit';
  if (['7bit', '8bit', 'binary'].includes(encoding)) return body;
  try {
    return Rope.of(canonicalLines(await decodeBody(body, encoding, ENCODED_LIMIT)).bytes);
  } catch (error) {
    if (error instanceof MimeError) return undefined;
    throw error;
  }
}
