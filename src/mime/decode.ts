import type { Rope } from '../rope/index.js';
import { MimeError } from './errors.js';
import { skipComments } from './parameters.js';

/** Decodes a body piece by piece into one buffer of at most `limit` octets. */
interface Decoder {
  push(chunk: Buffer): void;
  end(): Buffer;
}

/** The encoding that a Content-Transfer-Encoding names (RFC 2045 6.1), lower case, comments apart; '' when it names none. */
export function transferEncoding(raw: string | undefined): string {
  const value = raw ?? '';
  return /^[\w-]*/.exec(value.slice(skipComments(value, 0)))?.[0]?.toLowerCase() ?? '';
}

/**
 * A body without its Content-Transfer-Encoding (RFC 2045 6). Tolerant: base64 ignores what is not of its alphabet and
 * goes on after padding, quoted-printable leaves a wrong `=` as it stands, an unknown encoding is taken as binary.
 * @param limit octets the decoded body may have. @throws MimeError body-too-large.
 */
export async function decodeBody(rope: Rope, encoding: string | undefined, limit: number): Promise<Buffer> {
  const decoder = decoderOf(encoding, rope.length, limit);
  if (decoder === undefined) {
    if (rope.length > limit) throw tooLarge(limit);
    return rope.bytes(limit);
  }
  for await (const chunk of rope.chunks()) decoder.push(chunk);
  return decoder.end();
}

function decoderOf(encoding: string | undefined, length: number, limit: number): Decoder | undefined {
  const name = transferEncoding(encoding);
  if (name === 'base64') return new Base64Decoder(length, limit);
  if (name === 'quoted-printable') return new QuotedPrintableDecoder(length, limit);
  return undefined;
}

const tooLarge = (limit: number): MimeError =>
  new MimeError('body-too-large', `the decoded body is over ${limit} octets`);

/** Octets of base64 text taken at a time: a multiple of four, so that strings stay short. */
const BASE64_STEP = 64 * 1024;

class Base64Decoder implements Decoder {
  private readonly out: Buffer;
  private length = 0;
  /** Up to three characters that wait for their group of four. */
  private held = '';

  /** @param encodedLength octets that will be pushed, at most. */
  constructor(
    encodedLength: number,
    private readonly limit: number,
  ) {
    this.out = Buffer.allocUnsafe(Math.min(Math.ceil(encodedLength * 0.75), limit));
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += BASE64_STEP) {
      const text = chunk.toString('latin1', at, Math.min(at + BASE64_STEP, chunk.length));
      this.take(text.replace(/[^A-Za-z0-9+/=]+/g, ''));
    }
  }

  end(): Buffer {
    this.decode(this.held);
    return this.out.subarray(0, this.length);
  }

  /** Padding ends a group early; whatever comes after it is a new one. */
  private take(text: string): void {
    const runs = (this.held + text).split(/=+/);
    const open = runs.pop() ?? '';
    for (const run of runs) this.decode(run);
    const whole = open.length - (open.length % 4);
    this.decode(open.slice(0, whole));
    this.held = open.slice(whole);
  }

  private decode(text: string): void {
    const size = Math.floor(text.length * 0.75);
    if (this.length + size > this.limit) throw tooLarge(this.limit);
    if (size > 0) this.length += this.out.write(text, this.length, 'base64');
  }
}

const CR = 0x0d;
const LF = 0x0a;
const EQUALS = 0x3d;
const SPACE = 0x20;
const TAB = 0x09;
/** No line has more (RFC 5322 2.1.1). */
const LONGEST_ESCAPE = 998;

/**
 * RFC 2045 6.7. Its state between octets: what follows an `=`, and how much of the line is not trailing white space,
 * which goes (rule 3) once the line end shows that it trails.
 */
class QuotedPrintableDecoder implements Decoder {
  private readonly out: Buffer;
  private length = 0;
  /** Length of `out` without the white space that may turn out to trail. */
  private solid = 0;
  /** Octets after an unresolved `=`, that one included. */
  private readonly escape: number[] = [];

  constructor(
    encodedLength: number,
    private readonly limit: number,
  ) {
    this.out = Buffer.allocUnsafe(Math.min(encodedLength, limit));
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += 1) {
      const octet = chunk[at] ?? 0;
      if (this.escape.length > 0) this.inEscape(octet);
      else if (octet === EQUALS) this.escape.push(octet);
      else this.literal(octet);
    }
  }

  end(): Buffer {
    // A soft break with nothing after it (RFC 2045 6.7 rule 5) is nothing; a cut escape stands as it is.
    if (isHex(this.escape[1] ?? 0)) this.flushEscape();
    else if (this.escape.length > 0) this.solid = this.length;
    this.trim();
    return this.out.subarray(0, this.length);
  }

  private inEscape(octet: number): void {
    const second = this.escape[1];
    const inPair = second !== undefined && isHex(second);
    if (inPair && isHex(octet)) {
      this.escape.length = 0;
      this.put(Number.parseInt(String.fromCharCode(second, octet), 16));
      this.solid = this.length;
    } else if (octet === LF && !inPair) {
      // White space before a soft break does not trail.
      this.escape.length = 0;
      this.solid = this.length;
    } else if (this.mayFollow(octet)) {
      this.escape.push(octet);
    } else {
      this.giveUp(octet);
    }
  }

  /** White space between a soft break's `=` and its line end was added on the way: it is held until one comes. */
  private mayFollow(octet: number): boolean {
    const held = this.escape.at(-1);
    if (held === EQUALS && isHex(octet)) return true;
    const open = held === EQUALS || held === SPACE || held === TAB;
    return open && this.escape.length < LONGEST_ESCAPE && (octet === SPACE || octet === TAB || octet === CR);
  }

  /** It was no escape: what was held stands as it is. */
  private giveUp(octet: number): void {
    this.flushEscape();
    if (octet === EQUALS) this.escape.push(octet);
    else this.literal(octet);
  }

  private flushEscape(): void {
    const held = this.escape.splice(0);
    for (const octet of held) this.literal(octet);
  }

  private literal(octet: number): void {
    if (octet === CR || octet === LF) this.trim();
    this.put(octet);
    if (octet !== SPACE && octet !== TAB) this.solid = this.length;
  }

  private trim(): void {
    this.length = this.solid;
  }

  private put(octet: number): void {
    if (this.length >= this.limit) throw tooLarge(this.limit);
    this.out[this.length] = octet;
    this.length += 1;
  }
}

const isHex = (octet: number): boolean =>
  (octet >= 0x30 && octet <= 0x39) || (octet >= 0x41 && octet <= 0x46) || (octet >= 0x61 && octet <= 0x66);
