import { children, content, type Element, encoded, Tag } from './asn1.js';
import { CmsError } from './cms-error.js';
import { concat, readOctets } from './values.js';

/** The DER identifier and length octets for `length` octets of content. */
export function derHeader(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length);
  if (length < 0x100) return Uint8Array.of(tag, 0x81, length);
  if (length < 0x10000) return Uint8Array.of(tag, 0x82, length >> 8, length & 0xff);
  if (length < 0x1000000) return Uint8Array.of(tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
  return Uint8Array.of(tag, 0x84, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff);
}

/** One DER element around already encoded pieces. */
export function der(tag: number, ...pieces: readonly Uint8Array[]): Uint8Array {
  return derOf(tag, pieces);
}

/** As `der`, for any number of pieces: how many a stranger sends must not be how many arguments a call has. */
function derOf(tag: number, pieces: readonly Uint8Array[]): Uint8Array {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return concat([derHeader(tag, length), ...pieces]);
}

/** DER of an object identifier in dotted form. */
export function derOid(dotted: string): Uint8Array {
  const [root = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [root * 40 + second, ...rest]) {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift((left % 128) | 0x80);
    octets.push(...digits);
  }
  return der(Tag.oid, Uint8Array.from(octets));
}

/** Whether an element and all inside it have shortest definite lengths. SET order is not looked at. */
export function hasDerLengths(element: Element): boolean {
  if (!element.shortest) return false;
  return (element.tag & 0x20) === 0 || children(element).every(hasDerLengths);
}

/**
 * The element in DER: definite shortest lengths, strings in one piece, SET OF members in order (X.690 10, 11.6).
 * @throws CmsError
 */
export function toDer(element: Element): Uint8Array {
  if ((element.tag & 0x20) === 0) return der(element.tag, content(element));
  if (element.tag === (Tag.octetString | 0x20)) return der(Tag.octetString, readOctets(element));
  if ((element.tag & 0xc0) === 0 && element.tag !== Tag.sequence && element.tag !== Tag.set) {
    throw new CmsError('unsupported', 'a character string cut in pieces');
  }
  const members = children(element).map(toDer);
  if (element.tag === Tag.set) members.sort(byOctets);
  return derOf(element.tag, members);
}

function byOctets(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The element with another identifier octet, its length and content as they stand (RFC 5652 5.4: `[0]` becomes SET). */
export function retagged(element: Element, tag: number): Uint8Array {
  const copy = Uint8Array.from(encoded(element));
  copy[0] = tag;
  return copy;
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const pad = (value: number, digits = 2): string => String(value).padStart(digits, '0');

/** RFC 5652 11.3: UTCTime through 2049, GeneralizedTime from 2050; the second in which `epochMs` is. */
export function derTime(epochMs: number): Uint8Array {
  const at = new Date(epochMs);
  const year = at.getUTCFullYear();
  const fields = [
    at.getUTCMonth() + 1,
    at.getUTCDate(),
    at.getUTCHours(),
    at.getUTCMinutes(),
    at.getUTCSeconds(),
  ];
  const rest = `${fields.map((field) => pad(field)).join('')}Z`;
  if (year >= 1950 && year < 2050) return der(Tag.utcTime, ascii(pad(year % 100) + rest));
  return der(Tag.generalizedTime, ascii(pad(year, 4) + rest));
}
