import { children, content, type Element, Tag } from './asn1.js';
import { CmsError } from './cms-error.js';

/** Lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += (byte < 16 ? '0' : '') + byte.toString(16);
  return text;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function expect(element: Element, ...tags: number[]): void {
  if (!tags.includes(element.tag)) {
    throw new CmsError(
      'bad-tag',
      `tag ${element.tag.toString(16)} where ${tags.map((t) => t.toString(16)).join('/')} belongs`,
    );
  }
}

/** An OBJECT IDENTIFIER in dotted form. @throws CmsError */
export function readOid(element: Element): string {
  expect(element, Tag.oid);
  return oidText(content(element));
}

/** The dotted form of an OBJECT IDENTIFIER's content octets. @throws CmsError */
export function oidText(octets: Uint8Array): string {
  if (octets.length === 0 || octets.length > 64 || ((octets.at(-1) ?? 0) & 0x80) !== 0) {
    throw new CmsError('bad-value', 'a malformed object identifier');
  }
  const arcs: number[] = [];
  let arc = 0;
  let first = true;
  for (const octet of octets) {
    // X.690 8.19.2: no padding, so that an identifier has one form and passes for no other.
    if (first && octet === 0x80) throw new CmsError('bad-value', 'a padded object identifier');
    first = (octet & 0x80) === 0;
    arc = arc * 128 + (octet & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128)
      throw new CmsError('bad-value', 'an arc of an object identifier is too big');
    if ((octet & 0x80) !== 0) continue;
    if (arcs.length === 0) {
      const root = Math.min(2, Math.floor(arc / 40));
      arcs.push(root, arc - root * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

/** A small INTEGER or ENUMERATED, 0 to 2^31-1. @throws CmsError */
export function readSmallInteger(element: Element): number {
  expect(element, Tag.integer, Tag.enumerated);
  const octets = content(element);
  if (octets.length === 0 || octets.length > 4 || ((octets[0] ?? 0) & 0x80) !== 0) {
    throw new CmsError('bad-value', 'an integer out of range');
  }
  // X.690 8.3.2, in BER too.
  if (octets.length > 1 && octets[0] === 0 && ((octets[1] ?? 0) & 0x80) === 0)
    throw new CmsError('bad-value', 'a padded integer');
  return octets.reduce((value, octet) => value * 256 + octet, 0);
}

/** An INTEGER of any size as hexadecimal of its content octets, padding octets dropped: the key by which serials compare. */
export function readSerial(element: Element): string {
  expect(element, Tag.integer);
  const octets = content(element);
  if (octets.length === 0 || octets.length > 64)
    throw new CmsError('bad-value', 'a serial number out of range');
  let from = 0;
  while (from < octets.length - 1 && octets[from] === 0 && ((octets[from + 1] ?? 0) & 0x80) === 0) from++;
  return hex(octets.subarray(from));
}

/** @throws CmsError */
export function readBoolean(element: Element): boolean {
  expect(element, Tag.boolean);
  if (element.contentEnd - element.contentStart !== 1) throw new CmsError('bad-value', 'a malformed boolean');
  return element.source[element.contentStart] !== 0;
}

/** The octets of a BIT STRING and how many of its last bits are padding. @throws CmsError */
export function readBits(element: Element): { bytes: Uint8Array; unused: number } {
  const octets = content(element);
  const unused = octets[0];
  if (unused === undefined || unused > 7 || (octets.length === 1 && unused > 0)) {
    throw new CmsError('bad-value', 'a malformed bit string');
  }
  return { bytes: octets.subarray(1), unused };
}

/** The octets of a BIT STRING that holds whole octets (a key, a signature). @throws CmsError */
export function readBitOctets(element: Element): Uint8Array {
  expect(element, Tag.bitString);
  const { bytes, unused } = readBits(element);
  if (unused !== 0) throw new CmsError('bad-value', 'a bit string that ends inside an octet');
  return bytes;
}

/**
 * The octets of an OCTET STRING, primitive or cut in pieces (X.690 8.7.3).
 * @throws CmsError
 */
export function readOctets(element: Element): Uint8Array {
  expect(element, Tag.octetString, Tag.octetString | 0x20);
  return element.tag === Tag.octetString ? content(element) : concat(children(element).map(readOctets));
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const latin1 = (octets: Uint8Array): string => {
  let text = '';
  for (const octet of octets) text += String.fromCharCode(octet);
  return text;
};

/** A NUL ends a text for some programs and not for others: nobody has one in his name. @throws CmsError */
function withoutNul(text: string): string {
  if (text.includes('\0')) throw new CmsError('bad-value', 'a text with a NUL');
  return text;
}

/** Undefined for what is no UTF-8: were it mended, two texts could become one. */
function utf8Text(octets: Uint8Array): string | undefined {
  try {
    return utf8.decode(octets);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * The text of a character string of any of the ASN.1 kinds that names use; undefined for anything else.
 * @throws CmsError
 */
export function readText(element: Element): string | undefined {
  const text = textOf(element);
  return text === undefined ? undefined : withoutNul(text);
}

function textOf(element: Element): string | undefined {
  const octets = content(element);
  switch (element.tag) {
    case 0x0c:
      return utf8Text(octets);
    case 0x12:
    case 0x13:
    case 0x14:
    case 0x16:
    case 0x1a:
      return latin1(octets);
    case 0x1e: {
      let text = '';
      for (let i = 0; i + 1 < octets.length; i += 2) {
        text += String.fromCharCode(((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0));
      }
      return text;
    }
    default:
      return undefined;
  }
}

/** Latin-1 text of an IA5String that bears an implicit tag. @throws CmsError */
export const readIa5 = (element: Element): string => withoutNul(latin1(content(element)));

const timeForm = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?(?:\.\d+)?(Z|[+-]\d{4})$/;

/** UTCTime or GeneralizedTime in epoch milliseconds, cut to the second. @throws CmsError */
export function readTime(element: Element): number {
  expect(element, Tag.utcTime, Tag.generalizedTime);
  const text = element.contentEnd - element.contentStart > 32 ? '' : latin1(content(element));
  const match = timeForm.exec(text);
  const yearText = match?.[1] ?? '';
  if (match === null || yearText.length !== (element.tag === Tag.utcTime ? 2 : 4)) {
    throw new CmsError('bad-value', 'a malformed time');
  }
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(2, 7)
    .map((digits) => Number(digits ?? 0));
  // RFC 5280 4.1.2.5.1: two digits from 50 on are of the last century.
  const year = Number(yearText) + (yearText.length === 4 ? 0 : Number(yearText) >= 50 ? 1900 : 2000);
  const local = new Date(0);
  local.setUTCFullYear(year, month - 1, day);
  local.setUTCHours(hour, minute, second);
  if (local.getUTCMonth() !== month - 1 || hour > 23 || minute > 59 || second > 59) {
    throw new CmsError('bad-value', 'a time that does not exist');
  }
  return local.getTime() - offsetOf(match[7] ?? 'Z');
}

function offsetOf(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
