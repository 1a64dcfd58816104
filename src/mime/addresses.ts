import { type Token, tokenize } from './address-tokens.js';
import { decodeEightBit, oneLine } from './charset.js';
import { decodeWords } from './words.js';

export interface Mailbox {
  /** The display name, decoded, on one line; '' if none. */
  readonly name: string;
  /** `local@domain` without comments or route, case as written; the local part quoted only where it must be. */
  readonly address: string;
}

export interface AddressList {
  readonly mailboxes: Mailbox[];
  /** Groups in the list, empty ones too. */
  readonly groups: number;
  /** False when something in the list is no address of RFC 5322 (obsolete forms are), or there is nothing in it. */
  readonly valid: boolean;
}

/**
 * An address list (RFC 5322 3.4 and 4.4): names, groups, comments, quoted local parts, obsolete routes, encoded words.
 * What cannot be read is left out and makes the list invalid. Never throws; linear in the length of `raw`.
 * @param raw an unfolded value, as `Header.raw` gives it.
 */
export function parseAddresses(raw: string): AddressList {
  const { tokens, complete } = tokenize(decodeEightBit(raw));
  const reader = new ListReader();
  for (const token of tokens) reader.read(token);
  reader.close();
  const found = reader.mailboxes.length > 0 || reader.groups > 0;
  return { mailboxes: reader.mailboxes, groups: reader.groups, valid: complete && found && !reader.broken };
}

/** Takes tokens one by one. What stands between two separators is an element: a phrase, an angle address, or both. */
class ListReader {
  readonly mailboxes: Mailbox[] = [];
  groups = 0;
  broken = false;
  private inGroup = false;
  private groupJustEnded = false;
  private words: Token[] = [];
  private wordsHaveAt = false;
  private comments: Token[] = [];
  /** Tokens between the angle brackets of this element. */
  private angle: Token[] | undefined;
  private inAngle = false;

  read(token: Token): void {
    if (token.kind === 'comment') this.comments.push(token);
    else if (this.inAngle) this.readInAngle(token);
    else if (token.kind === 'special') this.readSpecial(token);
    else this.readWord(token);
  }

  close(): void {
    if (this.inAngle || this.inGroup) this.broken = true;
    this.endElement();
  }

  private readInAngle(token: Token): void {
    if (token.kind === 'special' && token.text === '>') this.inAngle = false;
    else this.angle?.push(token);
  }

  private readWord(token: Token): void {
    if (this.angle !== undefined || this.groupJustEnded) this.broken = true;
    if (this.angle !== undefined) return;
    this.words.push(token);
    this.wordsHaveAt ||= isAt(token);
  }

  private readSpecial(token: Token): void {
    switch (token.text) {
      case ',':
        this.endElement();
        return;
      case '<':
        this.openAngle();
        return;
      case ':':
        this.openGroup(token);
        return;
      case ';':
        this.closeGroup();
        return;
      case '@':
        this.readWord(token);
        return;
      default:
        this.broken = true;
    }
  }

  private openAngle(): void {
    if (this.angle !== undefined || this.groupJustEnded) this.broken = true;
    this.angle = [];
    this.inAngle = true;
  }

  private openGroup(colon: Token): void {
    if (this.inGroup || this.words.length === 0 || this.wordsHaveAt || this.angle !== undefined) {
      this.broken = true;
      // It stays among the words, so that what stands around it is not glued into an address.
      this.words.push(colon);
      return;
    }
    this.groups += 1;
    this.inGroup = true;
    this.startElement();
  }

  private closeGroup(): void {
    if (!this.inGroup) this.broken = true;
    const wasGroup = this.inGroup;
    this.endElement();
    this.inGroup = false;
    this.groupJustEnded = wasGroup;
  }

  private endElement(): void {
    const { words, wordsHaveAt, angle, comments } = this;
    this.startElement();
    if (angle !== undefined) this.add(readAddress(withoutRoute(angle)), phrase(words));
    else if (words.length > 0) this.add(readAddress(words), phrase(comments.slice(0, 1)));
    // RFC 5322 3.4 wants an address before `<` to be quoted; it is read as the name it was meant to be.
    if (angle !== undefined && wordsHaveAt) this.broken = true;
  }

  private startElement(): void {
    this.words = [];
    this.wordsHaveAt = false;
    this.comments = [];
    this.angle = undefined;
    this.inAngle = false;
    this.groupJustEnded = false;
  }

  private add(read: { address: string; valid: boolean } | undefined, name: string): void {
    if (read === undefined || !read.valid) this.broken = true;
    if (read !== undefined) this.mailboxes.push({ name, address: read.address });
  }
}

const isAt = (token: Token): boolean => token.kind === 'special' && token.text === '@';

/** RFC 5322 4.4: `<@relay,@relay:local@domain>`; the route is read and left out. */
function withoutRoute(tokens: Token[]): Token[] {
  const [first] = tokens;
  if (first === undefined || !isAt(first)) return tokens;
  return tokens.slice(tokens.findIndex((token) => token.kind === 'special' && token.text === ':') + 1);
}

/**
 * `local@domain`, or undefined when one half is missing, a control character is in it or words stand side by side:
 * nothing is glued into an address nobody wrote. A misplaced dot is kept, and said.
 */
function readAddress(tokens: readonly Token[]): { address: string; valid: boolean } | undefined {
  const at = tokens.findIndex(isAt);
  const local = tokens.slice(0, at);
  const domain = tokens.slice(at + 1);
  if (at < 1 || domain.length === 0 || !isJoined(local) || !isJoined(domain)) return undefined;
  if (local.some((token) => token.kind === 'literal') || domain.some((token) => token.kind === 'quoted'))
    return undefined;
  const address = `${localPart(local)}@${domain.map((token) => token.text).join('')}`;
  if (/[\0-\x1f\x7f]/.test(address)) return undefined;
  const wholeLiteral = domain.length === 1 || !domain.some((token) => token.kind === 'literal');
  return { address, valid: wholeLiteral && isDotted(local) && isDotted(domain) };
}

/** RFC 5321 4.1.2: the form with the least quoting. */
function localPart(tokens: readonly Token[]): string {
  const text = tokens.map((token) => token.text).join('');
  const bare = isDotAtom(text);
  return bare || !tokens.some((token) => token.kind === 'quoted')
    ? text
    : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Words only, with a dot between any two; white space may stand around it (RFC 5322 4.4). */
function isJoined(tokens: readonly Token[]): boolean {
  return tokens.every((token, index) => {
    const next = tokens[index + 1];
    if (token.kind === 'special') return false;
    return next === undefined || isDotAt(token, -1) || isDotAt(next, 0);
  });
}

const isDotAt = (token: Token, place: 0 | -1): boolean =>
  token.kind === 'atom' && token.text.at(place) === '.';

/** No dot at either end, no two side by side. */
function isDotted(tokens: readonly Token[]): boolean {
  const shape = tokens.map((token) => (token.kind === 'atom' ? token.text : 'x')).join('');
  return !(shape.startsWith('.') || shape.endsWith('.') || shape.includes('..'));
}

const isDotAtom = (text: string): boolean =>
  /^[^\s()<>@,;:\\"[\].\0-\x1f\x7f]+(?:\.[^\s()<>@,;:\\"[\].\0-\x1f\x7f]+)*$/.test(text);

/** A display name: words with one space where there was white space, then RFC 2047. */
function phrase(tokens: readonly Token[]): string {
  let text = '';
  for (const token of tokens) text += (text !== '' && token.spaced ? ' ' : '') + token.text;
  return oneLine(decodeWords(text));
}
