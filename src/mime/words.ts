import { decodeCharset } from './charset.js';
import { COLUMNS, foldAscii, isPlain } from './fold.js';

/** Octets of an encoded word (RFC 2047 2) and of what stands around its text in ours: `=?UTF-8?Q?` and `?=`. */
const LONGEST_WORD = 75;
const WORD_FRAME = 12;
/** Room left on a line below which a word begins on the next one. */
const LEAST_ROOM = 30;
const SUBJECT_COLUMN = 'Subject: '.length;

interface Word {
  readonly charset: string;
  readonly bytes: Buffer;
  /** Index after the closing `?=`. */
  readonly end: number;
}

/**
 * RFC 2047: encoded words become text, everything else stays. Adjacent words are joined, those of one charset octet
 * by octet, because senders cut multi-byte characters; a word stands anywhere, because senders quote them.
 * @param raw an unfolded value. Linear in its length.
 */
export function decodeWords(raw: string): string {
  let found = raw.indexOf('=?');
  if (found < 0) return raw;
  let text = '';
  let plainFrom = 0;
  let run: Word[] = [];
  while (found >= 0) {
    const word = readWord(raw, found);
    if (word === undefined) {
      found = raw.indexOf('=?', found + 1);
      continue;
    }
    const between = raw.slice(plainFrom, found);
    // RFC 2047 6.2: white space between two encoded words is not shown.
    if (run.length === 0 || !isWhite(between)) {
      text += joinRun(run) + between;
      run = [];
    }
    run.push(word);
    plainFrom = word.end;
    found = raw.indexOf('=?', word.end);
  }
  return text + joinRun(run) + raw.slice(plainFrom);
}

/**
 * A Subject's value, folded: the prefix, a space and the original, which stays as it stands if it is ASCII and
 * becomes UTF-8 encoded words otherwise (decisions 18).
 * @param original the decoded original subject. @returns ASCII only, lines of at most 76 columns where words allow it.
 */
export function encodeSubject(prefixAscii: string, original: string): string {
  if (original === '') return prefixAscii;
  const lead = prefixAscii === '' ? '' : `${prefixAscii} `;
  if (isPlain(original)) {
    const folded = foldAscii(lead + original, SUBJECT_COLUMN);
    if (folded !== undefined) return folded;
  }
  const room = COLUMNS - SUBJECT_COLUMN - lead.length;
  if (room >= LEAST_ROOM || lead === '') return lead + encodeWords(original, room);
  return `${prefixAscii}\r\n ${encodeWords(original, LONGEST_WORD)}`;
}

/** A display name as a quoted-string, or as encoded words when it is not printable ASCII. May be folded. */
export function encodePhrase(text: string): string {
  const column = 'Reply-To: '.length;
  if (isPlain(text)) {
    const folded = foldAscii(`"${text.replace(/["\\]/g, '\\$&')}"`, column);
    if (folded !== undefined) return folded;
  }
  return encodeWords(text, COLUMNS - column);
}

/** Encoded words, one a line; no code point is cut (RFC 2047 5). A lone surrogate is written as U+FFFD. */
function encodeWords(text: string, firstRoom: number): string {
  const encoding = cheaper(Buffer.from(text, 'utf8'));
  const words: string[] = [];
  let held = '';
  let heldCost = 0;
  let room = Math.min(firstRoom, LONGEST_WORD) - WORD_FRAME;
  for (const character of text) {
    const cost = encoding.cost(Buffer.from(character, 'utf8'));
    if (held !== '' && encoding.length(heldCost + cost) > room) {
      words.push(encoding.write(Buffer.from(held, 'utf8')));
      held = '';
      heldCost = 0;
      room = LONGEST_WORD - WORD_FRAME;
    }
    held += character;
    heldCost += cost;
  }
  words.push(encoding.write(Buffer.from(held, 'utf8')));
  return words.join('\r\n ');
}

interface WordEncoding {
  /** What some octets weigh; weights add up. */
  cost(bytes: Buffer): number;
  /** Columns that a total weight takes. */
  length(cost: number): number;
  write(bytes: Buffer): string;
}

const Q: WordEncoding = {
  cost: (bytes) => bytes.reduce((sum, octet) => sum + (qText(octet).length === 1 ? 1 : 3), 0),
  length: (cost) => cost,
  write: (bytes) => `=?UTF-8?Q?${Array.from(bytes, qText).join('')}?=`,
};

const B: WordEncoding = {
  cost: (bytes) => bytes.length,
  length: (cost) => Math.ceil(cost / 3) * 4,
  write: (bytes) => `=?UTF-8?B?${bytes.toString('base64')}?=`,
};

const cheaper = (bytes: Buffer): WordEncoding => (Q.cost(bytes) <= B.length(bytes.length) ? Q : B);

/** RFC 2047 5 (3): the letters allowed in a phrase, so that one form serves everywhere. */
function qText(octet: number): string {
  if (octet === 0x20) return '_';
  const character = String.fromCharCode(octet);
  return /[A-Za-z0-9!*+\-/]/.test(character) ? character : `=${hex(octet)}`;
}

const hex = (octet: number): string => octet.toString(16).toUpperCase().padStart(2, '0');

/** The encoded word that begins at `start`. Every scan stops at the next `?`, so a string of false starts stays linear. */
function readWord(raw: string, start: number): Word | undefined {
  const charsetEnd = raw.indexOf('?', start + 2);
  const encoding = raw[charsetEnd + 1];
  if (charsetEnd < 0 || raw[charsetEnd + 2] !== '?' || encoding === undefined || !/[bq]/i.test(encoding))
    return undefined;
  // RFC 2231 5: a language may follow the charset after an asterisk.
  const charset = raw.slice(start + 2, charsetEnd).split('*', 1)[0] ?? '';
  if (!/^[\x21-\x7e]+$/.test(charset)) return undefined;
  const textEnd = raw.indexOf('?', charsetEnd + 3);
  if (textEnd < 0 || raw[textEnd + 1] !== '=') return undefined;
  const encoded = raw.slice(charsetEnd + 3, textEnd);
  if (!/^[\x20-\x7e]*$/.test(encoded)) return undefined;
  const bytes = /b/i.test(encoding) ? Buffer.from(encoded, 'base64') : decodeQ(encoded);
  return { charset: charset.toLowerCase(), bytes, end: textEnd + 2 };
}

function decodeQ(encoded: string): Buffer {
  const bytes = Buffer.allocUnsafe(encoded.length);
  let length = 0;
  for (let at = 0; at < encoded.length; at += 1) {
    const code = encoded.charCodeAt(at);
    const pair = code === 0x3d ? encoded.slice(at + 1, at + 3) : '';
    if (/^[0-9a-f]{2}$/i.test(pair)) {
      bytes[length] = Number.parseInt(pair, 16);
      at += 2;
    } else {
      bytes[length] = code === 0x5f ? 0x20 : code;
    }
    length += 1;
  }
  return bytes.subarray(0, length);
}

function joinRun(run: readonly Word[]): string {
  let text = '';
  for (let at = 0; at < run.length; ) {
    const charset = run[at]?.charset ?? '';
    const bytes: Buffer[] = [];
    for (let word = run[at]; word?.charset === charset; word = run[at]) {
      bytes.push(word.bytes);
      at += 1;
    }
    text += decodeCharset(Buffer.concat(bytes), charset);
  }
  return text;
}

const isWhite = (text: string): boolean => /^[ \t\r\n]*$/.test(text);
