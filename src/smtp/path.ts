/**
 * The argument of MAIL and RCPT (RFC 5321 4.1.2), kept as its owner wrote it: quoted local parts stay quoted, A-labels stay
 * A-labels, for a receipt quotes the address as it was given.
 */
export interface PathCommand {
  /** Without its brackets and source route; empty for `<>`. */
  readonly address: string;
  /** Upper-case keyword to its value as written, or true where there is none. */
  readonly parameters: ReadonlyMap<string, string | true>;
  /** A keyword given twice. */
  readonly duplicate?: string | undefined;
}

/** RFC 5321 4.5.3.1.3: 256 octets with the brackets. */
const MAX_PATH = 254;
const ATOM = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+$/u;
const QUOTED = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e\u0080-\u{10ffff}]|\\[\x20-\x7e])*"$/u;
const LABEL =
  /^[A-Za-z0-9\u0080-\u{10ffff}](?:[A-Za-z0-9\u0080-\u{10ffff}-]*[A-Za-z0-9\u0080-\u{10ffff}])?$/u;
const KEYWORD = /^[A-Za-z0-9][A-Za-z0-9-]*$/;
const VALUE = /^[\x21-\x3c\x3e-\x7e]+$/;
// Invisible characters have no business in an address; they serve to pass one off as another.
const INVISIBLE = /[\u0080-\u009f\u200b\u2060\ufeff\ufffd]/u;

/** What follows the verb, `FROM:<a@b> SIZE=10`, or undefined when the syntax is bad. */
export function parsePathCommand(line: string): PathCommand | undefined {
  const opening = line.indexOf('<');
  const closing = closingBracket(line, opening);
  if (opening < 0 || closing < 0) return undefined;
  const address = line.slice(opening + 1, closing).replace(/^@[^\s,:@]+(?:,@[^\s,:@]+)*:/, '');
  if (address !== '' && !isAddress(address) && address.toLowerCase() !== 'postmaster') return undefined;
  const rest = line.slice(closing + 1);
  if (rest !== '' && !rest.startsWith(' ')) return undefined;
  return readParameters(address, rest);
}

/** A mailbox as RFC 5321 4.1.2 writes it, at most 254 octets; UTF-8 allowed (RFC 6531). */
export function isAddress(address: string): boolean {
  if (Buffer.byteLength(address) > MAX_PATH || INVISIBLE.test(address)) return false;
  const at = address.lastIndexOf('@');
  if (at < 1) return false;
  return isLocalPart(address.slice(0, at)) && isDomain(address.slice(at + 1));
}

/** The domain of an address, ASCII lower case; empty where there is none. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}

const isLocalPart = (text: string): boolean =>
  QUOTED.test(text) || text.split('.').every((atom) => ATOM.test(atom));

function isDomain(text: string): boolean {
  const literal = /^\[(?:IPv6:)?([0-9a-f:.]+)\]$/i.exec(text);
  if (literal !== null) return true;
  return text.split('.').every((label) => label.length <= 63 && LABEL.test(label));
}

/** Offset of the `>` that ends the path: one inside a quoted local part does not. */
function closingBracket(line: string, opening: number): number {
  let quoted = false;
  for (let at = opening + 1; at > 0 && at < line.length; at++) {
    const character = line[at];
    if (quoted && character === '\\') at++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === '<') return -1;
    else if (!quoted && character === '>') return at;
  }
  return -1;
}

function readParameters(address: string, text: string): PathCommand | undefined {
  const parameters = new Map<string, string | true>();
  let duplicate: string | undefined;
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const equals = word.indexOf('=');
    const keyword = (equals < 0 ? word : word.slice(0, equals)).toUpperCase();
    const value = equals < 0 ? true : word.slice(equals + 1);
    if (!KEYWORD.test(keyword) || (value !== true && !VALUE.test(value))) return undefined;
    if (parameters.has(keyword)) duplicate = keyword;
    parameters.set(keyword, value);
  }
  return { address, parameters, duplicate };
}
