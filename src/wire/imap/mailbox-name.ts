/** Folder names: modified UTF-7 (RFC 3501 5.1.3), or UTF-8 once a client enabled it (RFC 6855). */
import { ImapSyntaxError } from './errors.js';
import { imapString, utf8Octets } from './strings.js';

/** A folder's name as the client wrote it, as text. INBOX in any case is INBOX. @throws ImapSyntaxError */
export function readMailboxName(bytes: Buffer, utf8: boolean): string {
  const name =
    utf8 || bytes.some((octet) => octet >= 0x80) ? utf8Text(bytes) : decodeUtf7(bytes.toString('latin1'));
  return normalInbox(name);
}

const normalInbox = (name: string): string => (/^inbox(?=$|\/)/i.test(name) ? `INBOX${name.slice(5)}` : name);

function utf8Text(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).normalize('NFC');
  } catch (error) {
    if (error instanceof TypeError) throw new ImapSyntaxError('The name is not valid UTF-8');
    throw error;
  }
}

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

/** @throws ImapSyntaxError for what is not modified UTF-7 */
export function decodeUtf7(text: string): string {
  if (/[^\x20-\x7e]/.test(text)) throw new ImapSyntaxError('The name has characters that no name may have');
  return text.replace(/&([^-]*)(-?)/g, (_, coded: string, end: string) => {
    if (end === '') throw new ImapSyntaxError('The name is not valid modified UTF-7');
    return coded === '' ? '&' : decoded(coded);
  });
}

/** One form only: what could have been written plainly, or with other padding, is refused. */
function decoded(coded: string): string {
  const bytes = Buffer.from(coded.replaceAll(',', '/'), 'base64');
  if (bytes.length % 2 === 0 && bytes.length > 0) {
    const text = Buffer.from(bytes).swap16().toString('utf16le');
    if (base64Of(text) === coded && !/[\x20-\x7e]/.test(text)) return text;
  }
  throw new ImapSyntaxError('The name is not valid modified UTF-7');
}
