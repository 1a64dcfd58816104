import type { Rope } from '../rope/index.js';
import { decodeEightBit, oneLine } from './charset.js';
import { MimeError } from './errors.js';
import { decodeWords } from './words.js';

/** One field of a header block. Offsets are octets from the first octet of its block. */
export interface Field {
  /** As written. */
  readonly name: string;
  readonly start: number;
  /** After its last CRLF. */
  readonly end: number;
  /** The value unfolded, one character an octet (Latin-1), without white space at either end. */
  readonly raw: string;
}

/** What a header block may weigh when nobody says otherwise, in octets. */
export const HEADER_LIMIT = 256 * 1024;
/** Most headers fit in this; only a larger one costs a second read. */
const FIRST_READ = 16 * 1024;

const BLANK_LINE = Buffer.from('\r\n\r\n');
const TAB = 0x09;
const SPACE = 0x20;
const COLON = 0x3a;

/** A header block (RFC 5322 2.2), byte by byte as it came: lines end with CRLF and with nothing else. */
export class Header {
  readonly fields: readonly Field[];
  /** Lines (unfolded, Latin-1) that are no field. */
  readonly malformed: readonly string[];
  /** The longest line in octets, CRLF not counted. */
  readonly longestLine: number;

  /** @param bytes the whole block, with the blank line that ends it if there is one. */
  constructor(readonly bytes: Buffer) {
    const lines = new FieldReader(bytes.toString('latin1'));
    this.fields = lines.fields;
    this.malformed = lines.malformed;
    this.longestLine = lines.longestLine;
  }

  /** Where the body begins, in octets from the first octet of the block. */
  get bodyOffset(): number {
    return this.bytes.length;
  }

  /** Every field of that name (compared without case), in order. */
  all(name: string): Field[] {
    const wanted = name.toLowerCase();
    return this.fields.filter((field) => isNamed(field, wanted));
  }

  first(name: string): Field | undefined {
    const wanted = name.toLowerCase();
    return this.fields.find((field) => isNamed(field, wanted));
  }

  /** The first field's value: unfolded, Latin-1, trimmed. */
  raw(name: string): string | undefined {
    return this.first(name)?.raw;
  }

  /** The first field's value as people read it: RFC 2047 decoded, 8-bit octets as UTF-8 or Latin-1, on one line. */
  text(name: string): string | undefined {
    const raw = this.raw(name);
    return raw === undefined ? undefined : oneLine(decodeWords(decodeEightBit(raw)));
  }
}

/** The fields of a header block given as Latin-1. */
export const readFields = (block: string): readonly Field[] => new FieldReader(block).fields;

/**
 * The header block at the start of a rope: up to the first blank line, or the whole rope if it has none.
 * @param limits.bytes octets the block may have (default 256 KiB). @throws MimeError header-too-large.
 */
export async function readHeader(rope: Rope, limits: { bytes?: number } = {}): Promise<Header> {
  const limit = limits.bytes ?? HEADER_LIMIT;
  const most = limit + BLANK_LINE.length;
  for (const reach of [Math.min(FIRST_READ, most), most]) {
    const window = await rope.slice(0, reach).bytes(reach);
    const size = headerSize(window);
    const whole = window.length === rope.length;
    if (size < 0 && !whole && reach < most) continue;
    const length = size < 0 ? window.length : size;
    if (length > limit) break;
    return new Header(Buffer.from(window.subarray(0, length)));
  }
  throw new MimeError('header-too-large', `the header is over ${limit} octets`);
}

/** Octets of the block at the start of a window, blank line included, or -1 if no blank line is in sight. */
export function headerSize(window: Buffer): number {
  if (window[0] === 0x0d && window[1] === 0x0a) return 2;
  const blank = window.indexOf(BLANK_LINE);
  return blank < 0 ? -1 : blank + BLANK_LINE.length;
}

const isNamed = (field: Field, lowerCase: string): boolean =>
  field.name.length === lowerCase.length && field.name.toLowerCase() === lowerCase;

/** Its value is unfolded when somebody asks: most fields are only counted and copied. */
class LazyField implements Field {
  private value: string | undefined;

  constructor(
    readonly name: string,
    readonly start: number,
    readonly end: number,
    private readonly block: string,
    private readonly valueStart: number,
  ) {}

  get raw(): string {
    this.value ??= unfold(this.block, this.valueStart, this.end);
    return this.value;
  }
}

/** Cuts a block into fields in one pass. */
class FieldReader {
  readonly fields: Field[] = [];
  readonly malformed: string[] = [];
  longestLine = 0;

  constructor(private readonly block: string) {
    let start = 0;
    let at = 0;
    while (at < block.length) {
      const found = block.indexOf('\r\n', at);
      const lineEnd = found < 0 ? block.length : found;
      if (lineEnd - at > this.longestLine) this.longestLine = lineEnd - at;
      if (at > start && !isBlank(block.charCodeAt(at))) {
        this.close(start, at);
        start = at;
      }
      if (lineEnd === at) break;
      at = Math.min(lineEnd + 2, block.length);
    }
    if (at > start) this.close(start, at);
  }

  /** [start, end) is one logical line: a field with its continuations, or something else. */
  private close(start: number, end: number): void {
    let nameEnd = start;
    while (isNameOctet(this.block.charCodeAt(nameEnd))) nameEnd += 1;
    let colon = nameEnd;
    // RFC 5322 4.5: white space before the colon is obsolete, and is read.
    while (isBlank(this.block.charCodeAt(colon))) colon += 1;
    if (nameEnd === start || this.block.charCodeAt(colon) !== COLON) {
      this.malformed.push(unfold(this.block, start, end));
      return;
    }
    const name = this.block.slice(start, nameEnd);
    this.fields.push(new LazyField(name, start, end, this.block, colon + 1));
  }
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB;

const isNameOctet = (code: number): boolean => code > 0x20 && code < 0x7f && code !== COLON;

/** RFC 5322 2.2.3: the CRLFs go, the white space after them stays. Not trim(): 0xA0 may be half of a UTF-8 letter. */
function unfold(block: string, start: number, end: number): string {
  let first = start;
  let last = end;
  while (first < last && isEdge(block.charCodeAt(first))) first += 1;
  while (last > first && isEdge(block.charCodeAt(last - 1))) last -= 1;
  const value = block.slice(first, last);
  return value.includes('\r\n') ? value.replaceAll('\r\n', '') : value;
}

const isEdge = (code: number): boolean => isBlank(code) || code === 0x0d || code === 0x0a;
