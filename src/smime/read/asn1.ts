import { CmsError } from './cms-error.js';

/** Elements may nest this deep: a CMS with its certificates needs about twelve levels. */
const MAX_DEPTH = 32;
/** What is read from two octets takes sixty times their size: a list of 64 MiB in pieces of a kilobyte is the longest there is. */
const MAX_CHILDREN = 65_536;
/** A TBSCertificate has ten. */
const MAX_MEMBERS = 16;
/** Octets of a certificate, a name, a list of extensions or of attributes: real ones have a few thousand. */
const LARGEST = 64 * 1024;

/** Identifier octets used by CMS, certificates and CRLs; `C0`... are context tags, `80` primitive, `A0` constructed. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One BER element by its offsets in `source`; nothing is copied. */
export interface Element {
  readonly source: Uint8Array;
  /** Identifier octet: class, constructed bit and low tag number. */
  readonly tag: number;
  readonly start: number;
  readonly contentStart: number;
  readonly contentEnd: number;
  /** After the last octet, the end-of-contents octets of an indefinite form included. */
  readonly end: number;
  readonly depth: number;
  /** Whether its own length is in the shortest definite form, as DER wants. */
  readonly shortest: boolean;
}

/**
 * Reads the element that starts at `at`. Definite and indefinite lengths (X.690 8.1.3).
 * @throws CmsError
 */
export function readElement(source: Uint8Array, at = 0, limit = source.length, depth = 0): Element {
  if (depth > MAX_DEPTH) throw new CmsError('too-deep', `elements nest deeper than ${MAX_DEPTH}`);
  const { tag, contentStart, length, shortest } = readHeader(source, at, limit);
  if (length !== undefined) {
    const contentEnd = contentStart + length;
    return { source, tag, start: at, contentStart, contentEnd, end: contentEnd, depth, shortest };
  }
  const end = endOfIndefinite(source, contentStart, limit, depth);
  return { source, tag, start: at, contentStart, contentEnd: end - 2, end, depth, shortest: false };
}

/** Reads the one element that `source` is. @throws CmsError 'trailing-bytes' when something follows it. */
export function readWhole(source: Uint8Array, depth = 0): Element {
  const element = readElement(source, 0, source.length, depth);
  if (element.end !== source.length) throw new CmsError('trailing-bytes', 'bytes follow the outer structure');
  return element;
}

interface ElementHeader {
  tag: number;
  contentStart: number;
  /** Undefined: the indefinite form. */
  length: number | undefined;
  shortest: boolean;
}

function readHeader(source: Uint8Array, at: number, limit: number): ElementHeader {
  if (at + 2 > limit) throw new CmsError('truncated', 'an element is cut off');
  const tag = source[at] ?? 0;
  // None of the structures read here has a tag number over 30.
  if ((tag & 0x1f) === 0x1f) throw new CmsError('bad-tag', 'tag numbers over 30 are not used here');
  const first = source[at + 1] ?? 0;
  if (first === 0x80) {
    if ((tag & 0x20) === 0)
      throw new CmsError('bad-length', 'a primitive element cannot have an indefinite length');
    return { tag, contentStart: at + 2, length: undefined, shortest: false };
  }
  const octets = first < 0x80 ? 0 : first & 0x7f;
  if (octets > 4) throw new CmsError('bad-length', 'a length of more than four octets');
  const contentStart = at + 2 + octets;
  if (contentStart > limit) throw new CmsError('truncated', 'a length is cut off');
  let length = octets === 0 ? first : 0;
  for (let i = at + 2; i < contentStart; i++) length = length * 256 + (source[i] ?? 0);
  if (length > limit - contentStart)
    throw new CmsError('truncated', 'an element is longer than what holds it');
  const least = octets === 0 ? 0 : octets === 1 ? 0x80 : 256 ** (octets - 1);
  return { tag, contentStart, length, shortest: length >= least };
}

/** Finds the end of an indefinite form in one pass: definite elements are skipped whole. */
function endOfIndefinite(source: Uint8Array, from: number, limit: number, depth: number): number {
  let open = 1;
  let at = from;
  while (open > 0) {
    if (at + 2 <= limit && source[at] === 0 && source[at + 1] === 0) {
      open--;
      at += 2;
      continue;
    }
    const { contentStart, length } = readHeader(source, at, limit);
    if (length === undefined && ++open + depth > MAX_DEPTH) {
      throw new CmsError('too-deep', `elements nest deeper than ${MAX_DEPTH}`);
    }
    at = contentStart + (length ?? 0);
  }
  return at;
}

/** The elements inside a constructed one, in order. @throws CmsError */
export function* each(parent: Element): Generator<Element, void, undefined> {
  if ((parent.tag & 0x20) === 0) throw new CmsError('bad-tag', 'a constructed element was expected');
  let at = parent.contentStart;
  while (at < parent.contentEnd) {
    const child = readElement(parent.source, at, parent.contentEnd, parent.depth + 1);
    yield child;
    at = child.end;
  }
}

/** The elements inside a constructed one. @throws CmsError */
export const children = (parent: Element): Element[] => atMost(MAX_CHILDREN, parent);

function atMost(most: number, parent: Element): Element[] {
  const found: Element[] = [];
  for (const child of each(parent)) {
    if (found.length === most) throw new CmsError('too-large', `more than ${most} elements in one`);
    found.push(child);
  }
  return found;
}

/** The one element inside an explicit tag. @throws CmsError 'trailing-bytes' when another follows: who reads it differs. */
export function inside(wrapper: Element): Element {
  const inner = readElement(wrapper.source, wrapper.contentStart, wrapper.contentEnd, wrapper.depth + 1);
  if (inner.end !== wrapper.contentEnd)
    throw new CmsError('trailing-bytes', 'bytes follow an inner structure');
  return inner;
}

/** @throws CmsError 'too-large' for a structure whose members all go into memory, and that no honest one is as large as */
export function refuseLarge({ start, end }: Pick<Element, 'start' | 'end'>, what: string): void {
  if (end - start > LARGEST) throw new CmsError('too-large', `${what} of more than ${LARGEST} octets`);
}

/** The octets inside an element. */
export const content = (element: Element): Uint8Array =>
  element.source.subarray(element.contentStart, element.contentEnd);

/** The element with its identifier and length, exactly as it stands. */
export const encoded = (element: Element): Uint8Array => element.source.subarray(element.start, element.end);

/** The members of a SEQUENCE taken one after another, as its ASN.1 type lists them. */
export class Members {
  private readonly members: Element[];
  private readonly what: string;
  private at = 0;

  /** @throws CmsError when `parent` does not bear `tag`. */
  constructor(parent: Element, what: string, tag: number = Tag.sequence) {
    if (parent.tag !== tag)
      throw new CmsError('bad-tag', `${what}: tag ${hexByte(parent.tag)}, not ${hexByte(tag)}`);
    this.members = atMost(MAX_MEMBERS, parent);
    this.what = what;
  }

  /** The next member, of one of these tags. @throws CmsError */
  next(...tags: number[]): Element {
    const member = this.members[this.at];
    if (member === undefined) throw new CmsError('truncated', `${this.what}: a member is missing`);
    if (tags.length > 0 && !tags.includes(member.tag)) {
      throw new CmsError('bad-tag', `${this.what}: unexpected tag ${hexByte(member.tag)}`);
    }
    this.at++;
    return member;
  }

  /** The next member if it bears one of these tags. */
  optional(...tags: number[]): Element | undefined {
    const member = this.members[this.at];
    if (member === undefined || !tags.includes(member.tag)) return undefined;
    this.at++;
    return member;
  }

  /** @throws CmsError when a member is left over. */
  finish(): void {
    if (this.at < this.members.length) throw new CmsError('bad-value', `${this.what}: one member too many`);
  }
}

const hexByte = (value: number): string => value.toString(16).padStart(2, '0');
