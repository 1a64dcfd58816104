/** Folder names: modified UTF-7 (RFC 3501 5.1.3), or UTF-8 once a client enabled it (RFC 6855). */
import { imapString, utf8Octets } from './strings.js';

/**
 * A folder's name as the client wrote it, as text; INBOX in any case is INBOX. What is not valid becomes U+FFFD, which no folder's
 * name has: such a name can be looked for, and is not there.
 */
export function readMailboxName(bytes: Buffer, utf8: boolean): string {
  const eightBit = utf8 || bytes.some((octet) => octet >= 0x80);
  const name = eightBit ? bytes.toString('utf8').normalize('NFC') : decodeUtf7(bytes.toString('latin1'));
  return normalInbox(name);
}

const normalInbox = (name: string): string => (/^inbox(?=$|\/)/i.test(name) ? `INBOX${name.slice(5)}` : name);

/** A folder's name ready for the wire. */
export function writeMailboxName(name: string, utf8: boolean): string {
  if (/^[A-Za-z0-9._/-]+$/.test(name) && name.toUpperCase() !== 'NIL') return name;
  if (utf8 && /[^\0-\x7f]/.test(name)) return `"${utf8Octets(name).replace(/[\\"]/g, '\\$&')}"`;
  return imapString(encodeUtf7(name));
}

export function encodeUtf7(text: string): string {
  return text.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${base64Of(run)}-`));
}

function base64Of(text: string): string {
  const utf16 = Buffer.from(text, 'utf16le').swap16();
  return utf16.toString('base64').replace(/=+$/, '').replaceAll('/', ',');
}

/** What is not modified UTF-7 becomes U+FFFD. */
export function decodeUtf7(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, NO_NAME).replace(/&([^-]*)(-?)/g, (_, coded: string, end: string) => {
    if (end === '') return NO_NAME;
    return coded === '' ? '&' : decoded(coded);
  });
}

const NO_NAME = '\ufffd';

/** One form only: what could have been written plainly, or with other padding, is none. */
function decoded(coded: string): string {
  const bytes = Buffer.from(coded.replaceAll(',', '/'), 'base64');
  if (bytes.length % 2 === 0 && bytes.length > 0) {
    const text = Buffer.from(bytes).swap16().toString('utf16le');
    if (base64Of(text) === coded && !/[\x20-\x7e]/.test(text)) return text;
  }
  return NO_NAME;
}
