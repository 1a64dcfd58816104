import { type ContentType, parseContentType, parseDisposition } from './content-type.js';
import { MimeError } from './errors.js';
import { HEADER_LIMIT, Header, headerSize } from './header.js';
import type { Part, StructureLimits } from './part.js';
import { decodeWords } from './words.js';

type Growing = { -readonly [Key in keyof Part]: Part[Key] } & { children: Growing[] };

/** A multipart whose end has not been seen. */
interface OpenMultipart {
  readonly boundary: Buffer;
  /** Its place in the path from the root. */
  readonly level: number;
}

interface Delimiter {
  /** The multipart it belongs to: index in `open`. */
  readonly of: number;
  readonly closing: boolean;
  /** Octet of the CRLF before it, in the window. */
  readonly at: number;
  /** First octet of the next line, in the window. */
  readonly after: number;
  /** False when the text ends with the delimiter. */
  readonly ended: boolean;
}

const LINE_END_DASHES = Buffer.from('\r\n--');
const LEAD = LINE_END_DASHES.length;
/** A delimiter is a line, and a line has at most 998 octets (RFC 5322 2.1.1). */
const LONGEST_LINE = 998;
const HEADERS_TOGETHER = 4;
const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;

/** What a step needs to go on: nothing, or a window that begins at this octet of the message and reaches further. */
const GO_ON = -1;

/**
 * The walk over a message's parts, fed with windows that follow each other. Its result does not depend on how the
 * message is cut into windows.
 */
export class StructureWalk {
  readonly root: Growing;
  done = false;
  private readonly path: Growing[] = [];
  /** Outermost first. */
  private readonly open: OpenMultipart[] = [];
  private inHeader = true;
  /** Octet of the message from which delimiters are looked for. */
  private from = 0;
  private parts = 0;
  private headerBudget: number;
  private readonly depthLimit: number;
  private readonly partsLimit: number;
  private readonly headerLimit: number;

  /** @param length of the whole message, in octets. */
  constructor(
    private readonly length: number,
    limits: StructureLimits,
  ) {
    this.depthLimit = limits.depth ?? 20;
    this.partsLimit = limits.parts ?? 1000;
    this.headerLimit = limits.headerBytes ?? HEADER_LIMIT;
    this.headerBudget = this.headerLimit * HEADERS_TOGETHER;
    this.root = this.begin(0);
  }

  /**
   * Reads as far as a window goes. @param base octet of the message at which the window begins.
   * @returns the octet at which the next window must begin, at most the end of this one.
   */
  scan(window: Buffer, base: number): number {
    for (;;) {
      const needed = this.inHeader ? this.readHeader(window, base) : this.readBody(window, base);
      if (this.done) return base + window.length;
      if (needed !== GO_ON) return Math.max(base, Math.min(needed, base + window.length));
    }
  }

  /** The header of the innermost part: to its blank line, or to a delimiter that comes first. */
  private readHeader(window: Buffer, base: number): number {
    const part = this.innermost();
    const start = part.start - base;
    const last = base + window.length === this.length;
    const reach = Math.min(window.length, start + this.headerLimit + LEAD);
    const size = headerSize(window.subarray(start, reach));
    const blankEnd = size < 0 ? reach : start + size;
    const delimiter = this.find(window, Math.max(0, start - 2), Math.min(blankEnd + 2, window.length), last);
    if (delimiter === 'wait') return part.start - 2;
    if (delimiter !== undefined) {
      this.endHeader(part, window, start, Math.max(start, delimiter.at));
      this.apply(delimiter, base);
      return GO_ON;
    }
    const undecided = !last && (size < 0 ? reach === window.length : blankEnd + 2 > window.length);
    if (undecided) return part.start - 2;
    this.endHeader(part, window, start, size < 0 && !last ? start + this.headerLimit + 1 : blankEnd);
    this.enterBody(part, last && size < 0);
    return GO_ON;
  }

  private endHeader(part: Growing, window: Buffer, start: number, end: number): void {
    const size = end - start;
    this.headerBudget -= size;
    if (size > this.headerLimit)
      throw new MimeError('header-too-large', `a header is over ${this.headerLimit} octets`);
    if (this.headerBudget < 0)
      throw new MimeError('header-too-large', 'the headers of the parts are too large together');
    part.header = new Header(Buffer.from(window.subarray(start, end)));
    part.bodyStart = part.start + size;
    const raw = part.header.raw('content-type');
    part.type = raw === undefined ? this.defaultType() : parseContentType(raw);
    part.fileName = fileNameOf(part.header, part.type);
  }

  private enterBody(part: Growing, noBody: boolean): void {
    const boundary = part.type.type === 'multipart' && !noBody ? boundaryOf(part.type) : undefined;
    if (boundary !== undefined) this.open.push({ boundary, level: this.path.length - 1 });
    this.inHeader = false;
    // The CRLF of the blank line stands before a delimiter on the body's first line.
    this.from = part.bodyStart - 2;
    if (this.open.length === 0) this.done = true;
  }

  private readBody(window: Buffer, base: number): number {
    const last = base + window.length === this.length;
    const from = this.from - base;
    const delimiter = this.find(window, from, window.length, last);
    if (delimiter === 'wait') return this.from;
    if (delimiter !== undefined) {
      this.apply(delimiter, base);
      return GO_ON;
    }
    if (last) this.done = true;
    // The lead of a delimiter may be cut by the window's end.
    this.from = base + Math.max(from, window.length - LEAD + 1);
    return this.from;
  }

  /** The first delimiter of an open multipart whose lead lies in [from, to), or `wait` when the window ends too early to tell. */
  private find(window: Buffer, from: number, to: number, last: boolean): Delimiter | 'wait' | undefined {
    if (this.open.length === 0) return undefined;
    const view = to === window.length ? window : window.subarray(0, to);
    let at = view.indexOf(LINE_END_DASHES, from);
    while (at >= 0) {
      if (!last && window.length - at < LEAD + LONGEST_LINE + 2) {
        if (!this.inHeader) this.from += at - from;
        return 'wait';
      }
      const found = this.match(window, at, last);
      if (found !== undefined) return found;
      at = view.indexOf(LINE_END_DASHES, at + LEAD);
    }
    return undefined;
  }

  private match(window: Buffer, at: number, last: boolean): Delimiter | undefined {
    const lineStart = at + LEAD;
    const most = Math.min(window.length, at + LEAD + LONGEST_LINE);
    for (let of = 0; of < this.open.length; of += 1) {
      const boundary = this.open[of]?.boundary;
      if (boundary === undefined || !startsWith(window, lineStart, boundary)) continue;
      const end = lineStart + boundary.length;
      const plain = lineEnd(window, end, most, last);
      if (plain !== undefined) return { of, closing: false, at, ...plain };
      const closed =
        window[end] === DASH && window[end + 1] === DASH ? lineEnd(window, end + 2, most, last) : undefined;
      if (closed !== undefined) return { of, closing: true, at, ...closed };
    }
    return undefined;
  }

  /** Ends the parts inside the delimiter's multipart, then begins the next one or leaves the multipart. */
  private apply({ of, closing, at, after, ended }: Delimiter, base: number): void {
    const level = this.open[of]?.level ?? 0;
    const end = base + at;
    // An outer delimiter right below an inner one: the CRLF between them is the outer's, and the inner's empty part lies
    // before it, where its parent ends.
    let limit = Number.POSITIVE_INFINITY;
    for (const part of this.path.splice(level + 1)) {
      part.start = Math.min(part.start, limit);
      part.bodyStart = Math.min(part.bodyStart, limit);
      part.end = Math.max(part.start, end);
      limit = part.end;
    }
    this.open.length = closing ? of : of + 1;
    this.inHeader = false;
    if (!ended || this.open.length === 0) this.done = true;
    else if (closing) this.from = base + after - 2;
    else this.begin(base + after);
  }

  private begin(start: number): Growing {
    if (this.path.length >= this.depthLimit)
      throw new MimeError('too-deep', `parts are nested over ${this.depthLimit} deep`);
    this.parts += 1;
    if (this.parts > this.partsLimit)
      throw new MimeError('too-many-parts', `there are over ${this.partsLimit} parts`);
    const part: Growing = {
      header: NO_HEADER,
      type: TEXT,
      start,
      end: this.length,
      bodyStart: start,
      children: [],
    };
    this.path.at(-1)?.children.push(part);
    this.path.push(part);
    this.inHeader = true;
    return part;
  }

  private innermost(): Growing {
    return this.path.at(-1) ?? this.root;
  }

  /** RFC 2046 5.1.5: in a digest a part without Content-Type is a message. */
  private defaultType(): ContentType {
    const parent = this.path.at(-2)?.type;
    const digest = parent?.type === 'multipart' && parent.subtype === 'digest';
    return parseContentType(digest ? 'message/rfc822' : undefined);
  }
}

const NO_HEADER = new Header(Buffer.alloc(0));
const TEXT = parseContentType(undefined);

/** RFC 2046 5.1.1: the boundary in octets; one that is empty, not printable ASCII or longer than a line divides nothing. */
function boundaryOf(type: ContentType): Buffer | undefined {
  const boundary = type.parameters.get('boundary')?.trimEnd() ?? '';
  return /^[\x20-\x7e]+$/.test(boundary) && boundary.length <= LONGEST_LINE - LEAD
    ? Buffer.from(boundary)
    : undefined;
}

function fileNameOf(header: Header, type: ContentType): string | undefined {
  const disposition = header.raw('content-disposition');
  const name =
    (disposition === undefined ? undefined : parseDisposition(disposition).parameters.get('filename')) ??
    type.parameters.get('name');
  // RFC 2047 5 forbids encoded words in parameters; senders write them.
  return name === undefined ? undefined : decodeWords(name);
}

function startsWith(window: Buffer, start: number, boundary: Buffer): boolean {
  if (start + boundary.length > window.length) return false;
  for (let at = 0; at < boundary.length; at += 1) if (window[start + at] !== boundary[at]) return false;
  return true;
}

/** RFC 2046 5.1.1: white space may pad a delimiter to its CRLF; at the end of the text the CRLF may be missing. */
function lineEnd(
  window: Buffer,
  from: number,
  most: number,
  last: boolean,
): { after: number; ended: boolean } | undefined {
  let at = from;
  while (at < most && (window[at] === 0x20 || window[at] === 0x09)) at += 1;
  if (window[at] === CR && window[at + 1] === LF) return { after: at + 2, ended: true };
  return last && at === window.length ? { after: at, ended: false } : undefined;
}
