import type { Header } from '../mime/index.js';

/** RFC 5322 2.1.1: octets of a line, CRLF excluded. */
const LINE_LIMIT = 998;

/**
 * One header line of our own. Whatever a user, a peer or a scanner put into `value`, it stays one field of printable
 * ASCII: line ends and control characters become spaces, anything beyond ASCII `?`.
 */
export function line(name: string, value: string): string {
  // What fits no line (a peer's monstrous identifier) is cut: the limit is absolute.
  const safe = oneLine(value)
    .replace(/[^\x20-\x7e]/gu, '?')
    .slice(0, LINE_LIMIT - 1);
  // An overlong word may still fit on a line of its own.
  return name.length + 2 + safe.length > LINE_LIMIT ? `${name}:\r\n ${safe}\r\n` : `${name}: ${safe}\r\n`;
}

/** Text without control characters: runs of them and of line ends become one space. */
export function oneLine(text: string): string {
  return /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(text)
    ? text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').trim()
    : text;
}

/** `"Per conto di: user@dom" <posta-certificata@dom>`, RFC 6109 3.1.5 and 3.2.2. */
export function onBehalfOf(sender: string, service: string): string {
  return `"Per conto di: ${oneLine(sender).replace(/[\\"]/g, '\\$&')}" <${service}>`;
}

/** All fields of that name, byte for byte as received, folds included, in Latin-1. */
export function copied(header: Header, name: string): string {
  let text = '';
  for (const field of header.all(name))
    text += closed(header.bytes.toString('latin1', field.start, field.end));
  return text;
}

/** The original's Reply-To as it stands, or one that names the sender (RFC 6109 3.1.5 and 3.2.2). */
export function replyTo(header: Header, sender: string): string {
  const present = header.all('Reply-To').some((field) => field.raw.trim() !== '');
  return present ? copied(header, 'Reply-To') : line('Reply-To', sender);
}

/**
 * The header block without the named fields, every other byte in place, in Latin-1; ends in CRLF and lacks the blank
 * line.
 * @param names lower-case
 */
export function without(header: Header, names: ReadonlySet<string>): string {
  let text = '';
  let from = 0;
  for (const field of header.fields) {
    if (!names.has(field.name.toLowerCase())) continue;
    text += header.bytes.toString('latin1', from, field.start);
    from = field.end;
  }
  text += header.bytes.toString('latin1', from);
  if (text === '\r\n') return '';
  if (text.endsWith('\r\n\r\n')) return text.slice(0, -2);
  return text === '' ? '' : closed(text);
}

const closed = (text: string): string => (text.endsWith('\r\n') ? text : `${text}\r\n`);
