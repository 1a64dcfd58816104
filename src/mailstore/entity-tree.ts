import {
  Header,
  MimeError,
  type Part,
  parseContentType,
  readHeader,
  readStructure,
  transferEncoding,
} from '../mime/index.js';
import type { Rope } from '../rope/index.js';
import type { Entity } from '../wire/imap/index.js';

/** An entity and where it lies; offsets are octets in the whole message. */
export interface LaidEntity extends Entity {
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
  readonly children: readonly LaidEntity[];
  readonly message: LaidEntity | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Messages inside one another that are looked into; what lies deeper is a leaf. */
const DEEPEST = 10;

/**
 * The tree of a message, with the messages it carries. What mime refuses to divide (too deep, too many parts, a header too large)
 * is one leaf, so that every message can be listed.
 */
export function entityTree(rope: Rope): Promise<LaidEntity> {
  return treeOf(rope, 0, 0);
}

async function treeOf(rope: Rope, base: number, depth: number): Promise<LaidEntity> {
  try {
    return await entityOf(await readStructure(rope), rope, base, depth);
  } catch (error) {
    if (!(error instanceof MimeError)) throw error;
    return undivided(rope, base);
  }
}

async function entityOf(part: Part, rope: Rope, base: number, depth: number): Promise<LaidEntity> {
  const { header, type, start, bodyStart, end } = part;
  const isMessage = type.type === 'message' && (type.subtype === 'rfc822' || type.subtype === 'global');
  const carried =
    isMessage && depth < DEEPEST && isPlain(header)
      ? await treeOf(rope.slice(bodyStart, end), base + bodyStart, depth + 1)
      : undefined;
  const children: LaidEntity[] = [];
  for (const child of part.children) children.push(await entityOf(child, rope, base, depth));
  const listed = listedType(part, isMessage && carried === undefined);
  return {
    header,
    ...listed,
    parameters: type.parameters,
    start: base + start,
    bodyStart: base + bodyStart,
    end: base + end,
    size: end - bodyStart,
    lines: listed.type === 'text' || isMessage ? await linesOf(rope.slice(bodyStart, end)) : 0,
    children,
    message: carried,
  };
}

/** A message that is not looked into is an octet stream to a client, a multipart that nothing divides is text. */
function listedType({ type, children }: Part, closed: boolean): { type: string; subtype: string } {
  if (closed) return { type: 'application', subtype: 'octet-stream' };
  const undivided = type.type === 'multipart' && children.length === 0 && !type.parameters.has('boundary');
  return undivided ? { type: 'text', subtype: 'plain' } : { type: type.type, subtype: type.subtype };
}

/** RFC 2046 5.2.1: an encoded message is not to be looked into. */
const isPlain = (header: Header): boolean =>
  !['base64', 'quoted-printable'].includes(transferEncoding(header.raw('content-transfer-encoding')));

async function undivided(rope: Rope, base: number): Promise<LaidEntity> {
  const header = await readHeader(rope).catch((error: unknown) => {
    if (error instanceof MimeError) return new Header(Buffer.alloc(0));
    throw error;
  });
  const bodyStart = header.bodyOffset;
  return {
    header,
    type: 'text',
    subtype: 'plain',
    parameters: parseContentType(undefined).parameters,
    start: base,
    bodyStart: base + bodyStart,
    end: base + rope.length,
    size: rope.length - bodyStart,
    lines: await linesOf(rope.slice(bodyStart)),
    children: [],
    message: undefined,
  };
}

async function linesOf(rope: Rope): Promise<number> {
  let lines = 0;
  for await (const chunk of rope.chunks()) {
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) lines += 1;
  }
  return lines;
}

/** Where a part lies, as it is kept: [start, bodyStart, end, parts, message]. */
export type Layout = readonly [
  start: number,
  bodyStart: number,
  end: number,
  parts: readonly Layout[],
  message: Layout | null,
];

export const layoutOf = (entity: LaidEntity): Layout => [
  entity.start,
  entity.bodyStart,
  entity.end,
  entity.children.map(layoutOf),
  entity.message === undefined ? null : layoutOf(entity.message),
];
