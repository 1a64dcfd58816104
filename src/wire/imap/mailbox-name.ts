/** Folder names: modified UTF-7 (RFC 3501 5.1.3), or UTF-8 once a client enabled it (RFC 6855). */
import { imapString, utf8String } from './strings.js';

const NO_NAME = '\ufffd';

/**
 * A folder's name as the client wrote it, as text in one spelling (NFC), so that it is one folder for every client; INBOX in any
 * case is INBOX. What is not valid, control characters among it, becomes U+FFFD, which no folder's name has: such a name can be
 * looked for, and is not there.
 */
export function readMailboxName(bytes: Buffer, utf8: boolean): string {
  const eightBit = utf8 || bytes.some((octet) => octet >= 0x80);
  const name = eightBit ? bytes.toString('utf8') : decodeUtf7(bytes.toString('latin1'));
  return /\p{Cc}/u.test(name) ? NO_NAME : normalInbox(name.normalize('NFC'));
}

const normalInbox = (name: string): string => (/^inbox(?=$|\/)/i.test(name) ? `INBOX${name.slice(5)}` : name);

/** A folder's name ready for the wire. */
export function writeMailboxName(name: string, utf8: boolean): string {
  if (/^[A-Za-z0-9._/-]+$/.test(name) && name.toUpperCase() !== 'NIL') return name;
  return utf8 ? utf8String(name) : imapString(encodeUtf7(name));
}

export function encodeUtf7(text: string): string {
  return text.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${base64Of(run)}-`));
}

function base64Of(text: string): string {
  const utf16 = Buffer.from(text, 'utf16le').swap16();
  return utf16.toString('base64').replaceAll('=', '').replaceAll('/', ',');
}

/**
 * Text written in modified UTF-7. It has one form only: what could have been written plainly, or with other padding, or is half of
 * a character, is no name.
 */
export function decodeUtf7(text: string): string {
  const decoded = text.replace(/&([^&-]*)-/g, (_, coded: string) => (coded === '' ? '&' : utf16Of(coded)));
  return encodeUtf7(decoded) === text && !/\p{Surrogate}/u.test(decoded) ? decoded : NO_NAME;
}

function utf16Of(coded: string): string {
  const bytes = Buffer.from(coded.replaceAll(',', '/'), 'base64');
  return bytes.length % 2 === 0 ? bytes.swap16().toString('utf16le') : NO_NAME;
}
