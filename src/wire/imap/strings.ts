/** Strings on the way to a client. Texts hold one octet a character (Latin-1) unless a name says otherwise. */

/** Octets a quoted string may have: what is longer goes as a literal. */
const LONGEST_QUOTED = 1000;

/** A string: quoted where it is plain ASCII on one line, else a literal (RFC 9051 4.3). It can have no NUL: a space stands for it. */
export function imapString(octets: string): string {
  if (octets.length <= LONGEST_QUOTED && !/[\0\r\n\x80-\xff]/.test(octets)) return quoted(octets);
  return `{${octets.length}}\r\n${octets.replaceAll('\0', ' ')}`;
}

/** Text as UTF-8, quoted where it is on one line: for who enabled it (RFC 6855 3). */
export function utf8String(text: string): string {
  return /[\0\r\n]/.test(text) ? imapString(utf8Octets(text)) : quoted(utf8Octets(text));
}

const quoted = (octets: string): string => `"${octets.replace(/[\\"]/g, '\\$&')}"`;

export const imapNString = (octets: string | undefined): string =>
  octets === undefined ? 'NIL' : imapString(octets);

/** Text as the octets of its UTF-8. */
export const utf8Octets = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Octets as text: UTF-8 where they are, else Latin-1. */
export function octetsText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') && !Buffer.from(text, 'utf8').equals(bytes)
    ? bytes.toString('latin1')
    : text;
}
