/** Reads the parts of a command from its pieces (RFC 9051 9). Every method throws ImapSyntaxError for what is not there. */
import { ImapSyntaxError } from './errors.js';
import type { Piece } from './piece.js';

const EMPTY: Buffer = Buffer.alloc(0);
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x28;
const CLOSE = 0x29;

/** atom-specials are what an atom has not: `(){%*"\]`, controls and space (RFC 9051 9, ATOM-CHAR). */
const ATOM = classOf(
  (code) => code > 0x20 && code < 0x7f && !'(){%*"\\]'.includes(String.fromCharCode(code)),
);
/** ASTRING-CHAR has `]` too; 8-bit octets are taken where UTF-8 was enabled, and from clients that never asked. */
const ASTRING = classOf((code) => ATOM[code] === 1 || code === 0x5d || code >= 0x80);
const LIST = classOf((code) => ASTRING[code] === 1 || code === 0x25 || code === 0x2a);
/** A tag is an astring without `+`. */
const TAG = classOf((code) => ASTRING[code] === 1 && code !== 0x2b && code < 0x80);
const DIGIT = classOf((code) => code >= 0x30 && code <= 0x39);

function classOf(belongs: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (belongs(code) ? 1 : 0));
}

export class Scanner {
  readonly #pieces: readonly Piece[];
  #index = 0;
  #at = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** Nothing follows. */
  get atEnd(): boolean {
    this.#settle();
    return this.#index >= this.#pieces.length;
  }

  /** Nothing may follow. */
  end(): void {
    if (!this.atEnd) throw new ImapSyntaxError('Unexpected argument');
  }

  space(): void {
    if (!this.takes(SPACE)) throw new ImapSyntaxError('A space is missing');
    // One is right; clients write more (RFC 9051 2.2.1 says they must not).
    while (this.takes(SPACE));
  }

  open(): void {
    if (!this.takes(OPEN)) throw new ImapSyntaxError('An opening parenthesis is missing');
  }

  close(): void {
    if (!this.takes(CLOSE)) throw new ImapSyntaxError('A closing parenthesis is missing');
  }

  /** Takes an octet if it comes next. */
  takes(octet: number | string): boolean {
    const wanted = typeof octet === 'string' ? octet.charCodeAt(0) : octet;
    if (this.#peek() !== wanted) return false;
    this.#at += 1;
    return true;
  }

  /** Whether an octet comes next. */
  sees(octet: string): boolean {
    return this.#peek() === octet.charCodeAt(0);
  }

  /** A letter, digit, dot, dash or underscore, or nothing: names of items and sections end at a bracket, which atoms do not. */
  letter(): string {
    const next = this.#peek();
    const letter = next === undefined ? '' : String.fromCharCode(next);
    if (!/^[A-Za-z0-9._-]$/.test(letter)) return '';
    this.#at += 1;
    return letter;
  }

  /** Whether a digit stands so many octets ahead. */
  seesDigit(ahead: number): boolean {
    return DIGIT[this.#text()[this.#at + ahead] ?? 0] === 1;
  }

  tag(): string {
    return this.#run(TAG, 'A tag is missing');
  }

  /** An atom, in upper case. */
  keyword(): string {
    return this.#run(ATOM, 'A keyword is missing').toUpperCase();
  }

  atom(): string {
    return this.#run(ATOM, 'An atom is missing');
  }

  /** The characters an atom could have that come next, none included; in upper case. */
  word(): string {
    return this.#take(ATOM).toString('latin1').toUpperCase();
  }

  /** A word if it comes next, whatever its case; what follows it must not belong to it. */
  takesWord(word: string): boolean {
    const bytes = this.#text();
    const end = this.#at + word.length;
    if (bytes.toString('latin1', this.#at, end).toUpperCase() !== word) return false;
    if (ATOM[bytes[end] ?? 0] === 1 && ATOM[word.charCodeAt(word.length - 1)] === 1) return false;
    this.#at = end;
    return true;
  }

  /** An atom, a quoted string or a literal. */
  astring(): Buffer {
    return this.#stringAhead() ? this.string() : this.#bytes(ASTRING, 'A string is missing');
  }

  /** A pattern of LIST: an astring that may have wildcards. */
  pattern(): Buffer {
    return this.#stringAhead() ? this.string() : this.#bytes(LIST, 'A pattern is missing');
  }

  /** A quoted string or a literal. No string has NUL in it (RFC 9051 9, CHAR8): only what is streamed may. */
  string(): Buffer {
    const string = this.#literal() ?? this.#quoted();
    if (string.includes(0)) throw new ImapSyntaxError('A string has NUL in it');
    return string;
  }

  /** A string, or NIL. */
  nstring(): Buffer | null {
    return !this.#stringAhead() && this.takesWord('NIL') ? null : this.string();
  }

  /** The literal that was streamed while the command came in. */
  streamed(): { readonly size: number; readonly binary: boolean } {
    this.#settle();
    const piece = this.#pieces[this.#index];
    if (piece?.kind !== 'streamed') throw new ImapSyntaxError('A literal is missing');
    this.#index += 1;
    this.#at = 0;
    return piece;
  }

  /** A whole number of at most 15 digits: exact, and enough for 63-bit modseqs that we give out. */
  number(): number {
    const digits = this.#run(DIGIT, 'A number is missing');
    if (digits.length > 15) throw new ImapSyntaxError('The number is too large');
    return Number(digits);
  }

  /** `(item item ...)`: at least one item unless `empty`. */
  list<T>(item: () => T, { empty = false } = {}): T[] {
    this.open();
    const items: T[] = [];
    if (empty && this.takes(CLOSE)) return items;
    for (;;) {
      items.push(item());
      if (this.takes(CLOSE)) return items;
      this.space();
      // Some write a space before the parenthesis.
      if (this.takes(CLOSE)) return items;
    }
  }

  /** The rest of the line as it stands: SASL responses and what only has to be shown. */
  rest(): Buffer {
    const bytes = this.#text().subarray(this.#at);
    this.#at += bytes.length;
    return bytes;
  }

  #literal(): Buffer | undefined {
    this.#settle();
    const piece = this.#pieces[this.#index];
    if (piece?.kind !== 'literal') return undefined;
    this.#index += 1;
    this.#at = 0;
    return piece.bytes;
  }

  #quoted(): Buffer {
    if (!this.takes(QUOTE)) throw new ImapSyntaxError('A string is missing');
    const bytes = this.#text();
    const parts: Buffer[] = [];
    let from = this.#at;
    for (let at = from; at < bytes.length; at += 1) {
      const octet = bytes[at];
      if (octet === QUOTE) {
        parts.push(bytes.subarray(from, at));
        this.#at = at + 1;
        return parts.length === 1 ? (parts[0] ?? EMPTY) : Buffer.concat(parts);
      }
      if (octet === BACKSLASH) {
        parts.push(bytes.subarray(from, at));
        at += 1;
        from = at;
      }
    }
    throw new ImapSyntaxError('A quoted string does not end');
  }

  #stringAhead(): boolean {
    const next = this.#peek();
    return next === QUOTE || next === undefined;
  }

  #run(set: Uint8Array, missing: string): string {
    return this.#bytes(set, missing).toString('latin1');
  }

  #bytes(set: Uint8Array, missing: string): Buffer {
    const taken = this.#take(set);
    if (taken.length === 0) throw new ImapSyntaxError(missing);
    return taken;
  }

  #take(set: Uint8Array): Buffer {
    const bytes = this.#text();
    let end = this.#at;
    while (end < bytes.length && set[bytes[end] ?? 0] === 1) end += 1;
    const taken = bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** The next octet of text; undefined at a literal and at the end. */
  #peek(): number | undefined {
    return this.#text()[this.#at];
  }

  #text(): Buffer {
    this.#settle();
    const piece = this.#pieces[this.#index];
    return piece?.kind === 'text' ? piece.bytes : EMPTY;
  }

  /** Leaves a piece of text that is read to its end. */
  #settle(): void {
    for (;;) {
      const piece = this.#pieces[this.#index];
      if (piece?.kind !== 'text' || this.#at < piece.bytes.length) return;
      this.#index += 1;
      this.#at = 0;
    }
  }
}
