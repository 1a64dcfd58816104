/** IMAP's ENVELOPE (RFC 9051 7.5.2): the header's fields as they stand, encoded words and all. Text is Latin-1. */
import { type AddressToken, addressTokens, type Header } from '../../mime/index.js';
import { imapNString } from './strings.js';

/** One address as ENVELOPE gives it; a group begins with host NIL and ends with all of it NIL. */
interface EnvelopeAddress {
  readonly name: string | undefined;
  readonly route: string | undefined;
  readonly mailbox: string | undefined;
  readonly host: string | undefined;
}

/** Addresses of one field: what comes after is left out. */
const ADDRESSES = 2000;

export function imapEnvelope(header: Header): string {
  const text = (name: string): string => {
    const raw = header.raw(name);
    return imapNString(raw === undefined ? undefined : onOneLine(raw));
  };
  const list = (name: string): string => addressList(addressesOf(header, name));
  const from = addressesOf(header, 'from');
  // RFC 9051 7.5.2: Sender and Reply-To that are absent or empty are From's.
  const orFrom = (name: string): string => {
    const found = addressesOf(header, name);
    return addressList(found.length > 0 ? found : from);
  };
  const fields = [
    text('date'),
    text('subject'),
    addressList(from),
    orFrom('sender'),
    orFrom('reply-to'),
    list('to'),
    list('cc'),
    list('bcc'),
    text('in-reply-to'),
    text('message-id'),
  ];
  return `(${fields.join(' ')})`;
}

const onOneLine = (raw: string): string => raw.replace(/[\0\r\n\t]+/g, ' ');

function addressesOf(header: Header, name: string): EnvelopeAddress[] {
  const raw = header.all(name).map((field) => field.raw);
  return raw.length === 0 ? [] : envelopeAddresses(raw.join(', '));
}

function addressList(addresses: readonly EnvelopeAddress[]): string {
  if (addresses.length === 0) return 'NIL';
  const written = addresses.map(
    ({ name, route, mailbox, host }) => `(${[name, route, mailbox, host].map(imapNString).join(' ')})`,
  );
  return `(${written.join('')})`;
}

/** Never throws: what is no address is given as a mailbox without a host, as it stands. */
export function envelopeAddresses(raw: string): EnvelopeAddress[] {
  const found: EnvelopeAddress[] = [];
  let element: AddressToken[] = [];
  let inGroup = false;
  let inAngle = false;
  const end = (): void => {
    const address = addressOf(element);
    if (address !== undefined) found.push(address);
    element = [];
  };
  for (const token of addressTokens(raw).tokens) {
    if (found.length >= ADDRESSES) break;
    if (isSpecial(token, '<')) inAngle = true;
    else if (isSpecial(token, '>')) inAngle = false;
    if (inAngle || !(isSpecial(token, ',') || isSpecial(token, ':') || isSpecial(token, ';'))) {
      element.push(token);
    } else if (token.text === ':') {
      found.push({ name: undefined, route: undefined, mailbox: words(element), host: undefined });
      element = [];
      inGroup = true;
    } else {
      end();
      if (token.text === ';' && inGroup) {
        found.push({ name: undefined, route: undefined, mailbox: undefined, host: undefined });
        inGroup = false;
      }
    }
  }
  end();
  if (inGroup) found.push({ name: undefined, route: undefined, mailbox: undefined, host: undefined });
  return found;
}

const isSpecial = (token: AddressToken, text: string): boolean =>
  token.kind === 'special' && token.text === text;

function addressOf(tokens: readonly AddressToken[]): EnvelopeAddress | undefined {
  const open = tokens.findIndex((token) => isSpecial(token, '<'));
  const plain = tokens.filter((token) => token.kind !== 'comment');
  const comment = tokens.findLast((token) => token.kind === 'comment')?.text.trim();
  if (plain.length === 0) return undefined;
  if (open < 0) return { name: comment || undefined, ...addrSpec(plain) };
  const name = words(tokens.slice(0, open).filter((token) => token.kind !== 'comment'));
  const inside = tokens.slice(open + 1).filter((token) => !isSpecial(token, '>') && token.kind !== 'comment');
  return { name: name || comment || undefined, ...addrSpec(inside) };
}

/** `@route:local@host`; without an at-sign all of it is the mailbox, word by word. */
function addrSpec(tokens: readonly AddressToken[]): Omit<EnvelopeAddress, 'name'> {
  const colon = tokens.findLastIndex((token) => isSpecial(token, ':'));
  const route = colon < 0 ? undefined : joined(tokens.slice(0, colon));
  const rest = tokens.slice(colon + 1);
  const at = rest.findLastIndex((token) => isSpecial(token, '@'));
  if (at < 0) return { route, mailbox: words(rest), host: '' };
  return { route, mailbox: joined(rest.slice(0, at)), host: joined(rest.slice(at + 1)) };
}

const joined = (tokens: readonly AddressToken[]): string => tokens.map((token) => token.text).join('');

/** Words with one space where there was white space. */
function words(tokens: readonly AddressToken[]): string {
  return tokens.map((token, at) => (at > 0 && token.spaced ? ` ${token.text}` : token.text)).join('');
}
