import { decodeBody, MimeError, type Part, readStructure } from '../mime/index.js';
import type { Daticert, ReceiptType } from '../pec/index.js';
import type { Rope } from '../rope/index.js';
import type { CryptoPort } from '../smime/read/index.js';
import type { CarriedOriginal, ContentPart } from './report.js';
import { hexOf } from './words.js';

/** Octets of a decoded part; what a message of 110 MB can hold. */
const PART_LIMIT = 128 * 1024 * 1024;

/** What a delivery notification really is (RFC 6109 3.3.2.1 - 3.3.2.3): without the original, concise. */
export function receiptFormOf({ tipo, ricevuta }: Daticert, postacert: Rope | undefined): ReceiptType | null {
  if (tipo !== 'avvenuta-consegna') return null;
  if (postacert === undefined) return 'sintetica';
  return ricevuta === 'breve' ? 'breve' : 'completa';
}

/** Digests of the carried original and of its named parts. */
export async function describeOriginal(
  postacert: Rope,
  form: ReceiptType | null,
  crypto: CryptoPort,
): Promise<CarriedOriginal> {
  const { sha256 } = await crypto.digests(['sha256'], postacert.chunks());
  const parts: ContentPart[] = [];
  for (const part of await leavesOf(postacert)) {
    if (part.fileName === undefined) continue;
    parts.push(await describePart(postacert, part, part.fileName, form, crypto));
  }
  return { octets: postacert.length, sha256: hexOf(sha256), parts };
}

/** Every part that holds no other, in order; none when the structure cannot be read. */
export async function leavesOf(message: Rope): Promise<readonly Part[]> {
  try {
    return leaves(await readStructure(message));
  } catch (error) {
    if (error instanceof MimeError) return [];
    throw error;
  }
}

const leaves = (part: Part): Part[] => (part.children.length === 0 ? [part] : part.children.flatMap(leaves));

async function describePart(
  message: Rope,
  part: Part,
  name: string,
  form: ReceiptType | null,
  crypto: CryptoPort,
): Promise<ContentPart> {
  const hash = form === 'breve' ? await hashIn(message, part) : undefined;
  if (hash !== undefined)
    return { name: name.slice(0, -'.hash'.length), octets: null, sha256: null, sha1: hash };
  const decoded = await contentOf(message, part);
  if (decoded === undefined) return { name, octets: null, sha256: null, sha1: null };
  const { sha256 } = await crypto.digests(['sha256'], [decoded]);
  return { name, octets: decoded.length, sha256: hexOf(sha256), sha1: null };
}

/** The hash a brief receipt has in the place of a part (RFC 6109 3.3.2.2); undefined for a part of another sort. */
export async function hashIn(message: Rope, part: Part): Promise<string | undefined> {
  if (part.type.type !== 'text' || !(part.fileName ?? '').toLowerCase().endsWith('.hash')) return undefined;
  const body = message.slice(part.bodyStart, part.end);
  if (body.length > 256) return undefined;
  const text = (await decodeBody(body, part.header.raw('Content-Transfer-Encoding'), 256)).toString('latin1');
  return /^\s*([0-9A-Fa-f]{40})\s*$/.exec(text)?.[1]?.toLowerCase();
}

async function contentOf(message: Rope, part: Part): Promise<Buffer | undefined> {
  try {
    const body = message.slice(part.bodyStart, part.end);
    return await decodeBody(body, part.header.raw('Content-Transfer-Encoding'), PART_LIMIT);
  } catch (error) {
    if (error instanceof MimeError) return undefined;
    throw error;
  }
}
