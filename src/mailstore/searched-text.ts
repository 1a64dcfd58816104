/** The text of a message that SEARCH looks into, folded so that it compares without case (RFC 5051's spirit: no accent is lost). */
import {
  decodeBody,
  decodeCharset,
  decodeEightBit,
  decodeWords,
  type Header,
  MimeError,
} from '../mime/index.js';
import type { Rope } from '../rope/index.js';
import type { LaidEntity } from './entity-tree.js';

/** Octets of decoded text that are looked into; what is longer is not kept in the index but looked at when it is searched. */
export const TEXT_LIMIT = 2 * 1024 * 1024;

/** Octets of one decoded part that a search looks into: what is larger is no text anybody wrote. */
const LARGEST_PART = 64 * 1024 * 1024;

/** One case, one spelling of each accent, one space for each run of white space. */
export const folded = (text: string): string => text.normalize('NFC').toLowerCase().replace(/\s+/g, ' ');

/** A header's fields, decoded, one a line. */
export const headerText = (header: Header): string =>
  header.fields.map((field) => `${field.name}: ${decodeWords(decodeEightBit(field.raw))}`).join('\n');

export interface SearchedText {
  /** Folded. */
  readonly header: string;
  readonly body: string;
  /** The body as it is written, not folded. */
  readonly shown: string;
  /** False when the body is longer than what was read of it. */
  readonly whole: boolean;
}

/** @param limit octets of decoded body that are read */
export async function searchedText(rope: Rope, root: LaidEntity, limit = TEXT_LIMIT): Promise<SearchedText> {
  const parts: string[] = [];
  const whole = await gather(rope, root, parts, { left: limit });
  const shown = parts.join('\n');
  return { header: folded(headerText(root.header)), body: folded(shown), shown, whole };
}

async function gather(
  rope: Rope,
  entity: LaidEntity,
  parts: string[],
  budget: { left: number },
): Promise<boolean> {
  let whole = true;
  for (const child of entity.children) {
    parts.push(headerText(child.header));
    if (!(await gather(rope, child, parts, budget))) whole = false;
  }
  if (entity.message !== undefined) {
    parts.push(headerText(entity.message.header));
    return (await gather(rope, entity.message, parts, budget)) && whole;
  }
  if (entity.children.length > 0 || (entity.type !== 'text' && entity.type !== 'message')) return whole;
  const text = await textOf(rope, entity, budget.left);
  if (text === undefined) return false;
  budget.left -= text.length;
  parts.push(text);
  return whole;
}

async function textOf(rope: Rope, entity: LaidEntity, limit: number): Promise<string | undefined> {
  const encoding = entity.header.raw('content-transfer-encoding');
  try {
    const most = Math.min(limit, LARGEST_PART);
    const body = await decodeBody(rope.slice(entity.bodyStart, entity.end), encoding, most);
    return decodeCharset(body, entity.parameters.get('charset') ?? 'utf-8');
  } catch (error) {
    if (error instanceof MimeError) return undefined;
    throw error;
  }
}
