import { decodeCharset, decodeEightBit } from './charset.js';
import { COLUMNS, isPlain } from './fold.js';

/** An ASCII value up to here stays one quoted string: old readers know no continuations. */
const LONGEST_QUOTED = 240;

const SEMICOLON = 0x3b;
const QUOTE = 0x22;
const EQUALS = 0x3d;

/** A value cut and marked as RFC 2231 3 and 4 say: pieces by number, each percent-encoded or not. */
interface Pieces {
  readonly byNumber: Map<number, { readonly text: string; readonly encoded: boolean }>;
}

/**
 * The parameters of a structured field from `from` on: quoted strings, comments, RFC 2231 charsets and continuations.
 * Of two with one name the first counts, and an extended one counts before a plain one.
 * Reads whatever it is given; linear in its length.
 */
export function readParameters(raw: string, from: number): Map<string, string> {
  const plain = new Map<string, string>();
  const extended = new Map<string, Pieces>();
  const scanner = new ParameterScanner(raw, from);
  for (let next = scanner.next(); next !== undefined; next = scanner.next()) {
    const star = next.name.indexOf('*');
    if (star < 0) {
      if (!plain.has(next.name)) plain.set(next.name, decodeEightBit(next.value));
    } else {
      addPiece(extended, next.name.slice(0, star), next.name.slice(star + 1), next.value);
    }
  }
  for (const [name, pieces] of extended) {
    const value = joinPieces(pieces);
    if (value !== undefined) plain.set(name, value);
  }
  return plain;
}

/**
 * The parameters of a whole field as they stand: each in its place, with its stars and percents, names in lower case. No more than
 * a hundred: a field with more has no reader.
 */
export function rawParameters(raw: string | undefined): (readonly [name: string, value: string])[] {
  const found: (readonly [string, string])[] = [];
  if (raw === undefined) return found;
  const scanner = new ParameterScanner(raw, 0);
  for (let next = scanner.next(); next !== undefined && found.length < 100; next = scanner.next())
    found.push([next.name, next.value]);
  return found;
}

/**
 * `; name="value"` for a structured field, on a folded line of its own where it is long; RFC 2231 with UTF-8, in
 * numbered pieces if need be, where the value is not printable ASCII.
 */
export function formatParameter(name: string, value: string): string {
  if (isPlain(value) && value.length <= LONGEST_QUOTED) {
    const quoted = `${name}="${value.replace(/["\\]/g, '\\$&')}"`;
    return quoted.length <= COLUMNS / 2 ? `; ${quoted}` : `;\r\n ${quoted}`;
  }
  const room = COLUMNS - name.length - 8;
  const pieces = percentPieces(value, room);
  if (pieces.length === 1) return `;\r\n ${name}*=${pieces[0]}`;
  return pieces.map((piece, number) => `;\r\n ${name}*${number}*=${piece}`).join('');
}

/** Walks over `; name=value` pairs, tolerating what is none. */
class ParameterScanner {
  constructor(
    private readonly raw: string,
    private at: number,
  ) {}

  next(): { name: string; value: string } | undefined {
    for (;;) {
      // A comment may hold a semicolon: what it hides is no parameter.
      const semicolon = this.raw.indexOf(';', skipComments(this.raw, this.at));
      if (semicolon < 0) return undefined;
      this.at = skipComments(this.raw, semicolon + 1);
      const start = this.at;
      while (this.at < this.raw.length && !this.stands(EQUALS) && !this.stands(SEMICOLON)) this.at += 1;
      if (!this.stands(EQUALS)) continue;
      const name = this.raw.slice(start, this.at).trim().toLowerCase();
      this.at = skipComments(this.raw, this.at + 1);
      const value = this.stands(QUOTE) ? this.quoted() : this.bare();
      if (name !== '') return { name, value };
    }
  }

  private stands(code: number): boolean {
    return this.raw.charCodeAt(this.at) === code;
  }

  /** An unfinished quoted string reaches to the end. */
  private quoted(): string {
    const { text, end } = readQuoted(this.raw, this.at);
    this.at = end;
    return text;
  }

  /** One token and a comment; else everything up to the next semicolon, because senders forget quotes. */
  private bare(): string {
    const start = this.at;
    while (this.at < this.raw.length && !this.stands(SEMICOLON) && !isWhite(this.raw.charCodeAt(this.at)))
      this.at += 1;
    const token = this.raw.slice(start, this.at);
    this.at = skipComments(this.raw, this.at);
    if (this.at >= this.raw.length || this.stands(SEMICOLON)) return token;
    const semicolon = this.raw.indexOf(';', this.at);
    this.at = semicolon < 0 ? this.raw.length : semicolon;
    return trimEnd(this.raw.slice(start, this.at));
  }
}

/** The quoted string that opens at `at` (RFC 5322 3.2.4), unescaped; `closed` is false when the text ends first. */
export function readQuoted(raw: string, at: number): { text: string; end: number; closed: boolean } {
  let text = '';
  let from = at + 1;
  for (let index = from; index < raw.length; index += 1) {
    const character = raw[index];
    if (character === '"') return { text: text + raw.slice(from, index), end: index + 1, closed: true };
    if (character === '\\' && index + 1 < raw.length) {
      text += raw.slice(from, index);
      from = index + 1;
      index += 1;
    }
  }
  return { text: text + raw.slice(from), end: raw.length, closed: false };
}

/** Past white space and comments, nested ones too (RFC 5322 3.2.2); an unfinished comment reaches to the end. */
export function skipComments(raw: string, from: number): number {
  let depth = 0;
  let at = from;
  for (; at < raw.length; at += 1) {
    const code = raw.charCodeAt(at);
    if (code === 0x28) depth += 1;
    else if (depth > 0 && code === 0x5c) at += 1;
    else if (depth > 0 && code === 0x29) depth -= 1;
    else if (depth === 0 && !isWhite(code)) return at;
  }
  return raw.length;
}

function addPiece(extended: Map<string, Pieces>, base: string, mark: string, text: string): void {
  const encoded = mark === '' || mark.endsWith('*');
  const digits = encoded ? mark.slice(0, -1) : mark;
  // RFC 2231 3: numbers begin at 0 and have no leading zeros. `name*` alone is a piece 0 that stands alone.
  if (!/^(?:0|[1-9][0-9]{0,4})?$/.test(digits)) return;
  const number = Number(digits);
  const pieces = extended.get(base) ?? { byNumber: new Map() };
  if (!pieces.byNumber.has(number)) pieces.byNumber.set(number, { text, encoded });
  extended.set(base, pieces);
}

/** RFC 2231 4.1: octets first, characters after, because a character may be cut between two pieces. */
function joinPieces({ byNumber }: Pieces): string | undefined {
  const first = byNumber.get(0);
  if (first === undefined) return undefined;
  const [charset, start] = first.encoded ? charsetOf(first.text) : ['', first.text];
  const octets = [first.encoded ? percentDecode(start) : Buffer.from(start, 'latin1')];
  for (
    let number = 1, piece = byNumber.get(1);
    piece !== undefined;
    number += 1, piece = byNumber.get(number)
  ) {
    octets.push(piece.encoded ? percentDecode(piece.text) : Buffer.from(piece.text, 'latin1'));
  }
  return decodeCharset(Buffer.concat(octets), charset);
}

/** `charset'language'text`; a value without both quotes names no charset. */
function charsetOf(text: string): [charset: string, text: string] {
  const charsetEnd = text.indexOf("'");
  const languageEnd = text.indexOf("'", charsetEnd + 1);
  if (charsetEnd < 0 || languageEnd < 0) return ['', text];
  return [text.slice(0, charsetEnd), text.slice(languageEnd + 1)];
}

function percentDecode(text: string): Buffer {
  return Buffer.from(
    text.replace(/%([0-9a-f]{2})/gi, (_, pair: string) => String.fromCharCode(Number.parseInt(pair, 16))),
    'latin1',
  );
}

/** RFC 2231 7 in UTF-8, cut between code points. The first piece names the charset. */
function percentPieces(value: string, room: number): string[] {
  const pieces: string[] = [];
  let held = "UTF-8''";
  for (const character of value) {
    const octets = Array.from(Buffer.from(character, 'utf8'), percentEncode).join('');
    if (held.length + octets.length > room) {
      pieces.push(held);
      held = '';
    }
    held += octets;
  }
  pieces.push(held);
  return pieces;
}

function percentEncode(octet: number): string {
  const character = String.fromCharCode(octet);
  if (/[A-Za-z0-9!#$&+\-.^_`{|}~]/.test(character)) return character;
  return `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
}

const isWhite = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isWhite(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
