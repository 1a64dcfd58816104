/** What FETCH asks for (RFC 9051 6.4.5; RFC 3516 BINARY; RFC 8970 PREVIEW; RFC 8474 OBJECTID; RFC 8514 SAVEDATE). */
import { ImapSyntaxError } from './errors.js';
import type { Scanner } from './scanner.js';
import { imapString, octetsText, utf8Octets } from './strings.js';

/** A part of a message: `2.1` is [2, 1]; none is the message itself. */
export type PartPath = readonly number[];

export type SectionText =
  | { readonly kind: 'all' }
  | { readonly kind: 'header' }
  | { readonly kind: 'header-fields'; readonly not: boolean; readonly names: readonly string[] }
  | { readonly kind: 'text' }
  | { readonly kind: 'mime' };

export interface BodySection {
  readonly part: PartPath;
  readonly text: SectionText;
}

/** Octets of a section: from, and at most how many (RFC 9051 6.4.5.1). */
export interface Partial {
  readonly from: number;
  readonly length: number;
}

export type FetchItem =
  | { readonly kind: SimpleItem }
  | {
      readonly kind: 'BODY[]';
      readonly section: BodySection;
      readonly partial: Partial | undefined;
      readonly peek: boolean;
      /** As the client named it, for the answer. */
      readonly name: string;
    }
  | {
      readonly kind: 'BINARY[]';
      readonly part: PartPath;
      readonly partial: Partial | undefined;
      readonly peek: boolean;
    }
  | { readonly kind: 'BINARY.SIZE[]'; readonly part: PartPath };

const SIMPLE = [
  'UID',
  'FLAGS',
  'INTERNALDATE',
  'ENVELOPE',
  'BODY',
  'BODYSTRUCTURE',
  'RFC822.SIZE',
  'MODSEQ',
  'EMAILID',
  'THREADID',
  'SAVEDATE',
  'PREVIEW',
] as const;
export type SimpleItem = (typeof SIMPLE)[number];
const simpleItems = new Map<string, SimpleItem>(SIMPLE.map((item) => [item, item]));

const MACROS: Readonly<Record<string, readonly SimpleItem[]>> = {
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FULL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'],
};

/** RFC 3501 6.4.5: the old names, each a section. */
const OLD: Readonly<Record<string, { readonly text: SectionText; readonly peek: boolean }>> = {
  RFC822: { text: { kind: 'all' }, peek: false },
  'RFC822.HEADER': { text: { kind: 'header' }, peek: true },
  'RFC822.TEXT': { text: { kind: 'text' }, peek: false },
};

/** Items of one FETCH, and names of one HEADER.FIELDS. */
const MANY = 200;
const DEEPEST = 100;

/** A macro, one item, or a list of items. */
export function readFetchItems(scanner: Scanner): FetchItem[] {
  if (scanner.sees('(')) {
    const items = scanner.list(() => readItem(scanner));
    if (items.length > MANY) throw new ImapSyntaxError('Too many items');
    return items;
  }
  const name = itemName(scanner);
  const macro = MACROS[name];
  return macro?.map((kind) => ({ kind })) ?? [itemOf(name, scanner)];
}

const readItem = (scanner: Scanner): FetchItem => itemOf(itemName(scanner), scanner);

/** Up to the bracket of a section. */
function itemName(scanner: Scanner): string {
  let name = '';
  // `[` may be in an atom: BODY[ has to be cut there.
  while (
    !scanner.atEnd &&
    !scanner.sees('[') &&
    !scanner.sees(' ') &&
    !scanner.sees('(') &&
    !scanner.sees(')')
  ) {
    const next = scanner.letter();
    if (next === '') break;
    name += next;
  }
  return name.toUpperCase();
}

function itemOf(name: string, scanner: Scanner): FetchItem {
  const simple = simpleItems.get(name);
  if (simple !== undefined && !(simple === 'BODY' && scanner.sees('['))) {
    if (simple === 'PREVIEW') readLazy(scanner);
    return { kind: simple };
  }
  const old = OLD[name];
  if (old !== undefined)
    return {
      kind: 'BODY[]',
      section: { part: [], text: old.text },
      partial: undefined,
      peek: old.peek,
      name,
    };
  if (name === 'BODY' || name === 'BODY.PEEK') return readBody(scanner, name === 'BODY.PEEK');
  if (name === 'BINARY' || name === 'BINARY.PEEK') {
    const part = readPartInBrackets(scanner);
    return { kind: 'BINARY[]', part, partial: readPartial(scanner), peek: name === 'BINARY.PEEK' };
  }
  if (name === 'BINARY.SIZE') return { kind: 'BINARY.SIZE[]', part: readPartInBrackets(scanner) };
  throw new ImapSyntaxError(`Unknown item ${name.slice(0, 40)}`);
}

/** RFC 8970 3.1: `PREVIEW (LAZY)`; ours are stored, so there is nothing to be lazy about. */
function readLazy(scanner: Scanner): void {
  if (!scanner.takesWord(' (LAZY')) return;
  scanner.close();
}

function readBody(scanner: Scanner, peek: boolean): FetchItem {
  if (!scanner.takes('[')) throw new ImapSyntaxError('A section is missing');
  const section = readSection(scanner);
  if (!scanner.takes(']')) throw new ImapSyntaxError('The section does not end');
  const partial = readPartial(scanner);
  return { kind: 'BODY[]', section, partial, peek, name: sectionName(section, partial) };
}

function readSection(scanner: Scanner): BodySection {
  const part = readPart(scanner);
  if (part.length > 0 && !scanner.takes('.')) return { part, text: { kind: 'all' } };
  const text = readSectionText(scanner, part.length > 0);
  return { part, text };
}

function readSectionText(scanner: Scanner, inPart: boolean): SectionText {
  const word = sectionWord(scanner);
  if (word === '' && !inPart) return { kind: 'all' };
  if (word === 'HEADER') return { kind: 'header' };
  if (word === 'TEXT') return { kind: 'text' };
  if (word === 'MIME' && inPart) return { kind: 'mime' };
  if (word === 'HEADER.FIELDS' || word === 'HEADER.FIELDS.NOT') {
    scanner.space();
    const names = scanner.list(() => octetsText(scanner.astring()));
    if (names.length > MANY) throw new ImapSyntaxError('Too many fields');
    return { kind: 'header-fields', not: word.endsWith('NOT'), names };
  }
  throw new ImapSyntaxError('Unknown section');
}

/** Letters and dots: the bracket that ends a section may be in an atom as well. */
function sectionWord(scanner: Scanner): string {
  let word = '';
  for (let next = scanner.letter(); next !== ''; next = scanner.letter()) word += next;
  return word.toUpperCase();
}

/** Numbers with dots between; a dot that no number follows is left. */
function readPart(scanner: Scanner): number[] {
  const part: number[] = [];
  while (scanner.seesDigit(part.length > 0 ? 1 : 0)) {
    if (part.length > 0) scanner.takes('.');
    const number = scanner.number();
    if (number < 1 || part.length >= DEEPEST) throw new ImapSyntaxError('There is no such part');
    part.push(number);
    if (!scanner.sees('.')) break;
  }
  return part;
}

function readPartInBrackets(scanner: Scanner): number[] {
  if (!scanner.takes('[')) throw new ImapSyntaxError('A section is missing');
  const part = readPart(scanner);
  if (!scanner.takes(']')) throw new ImapSyntaxError('The section does not end');
  return part;
}

function readPartial(scanner: Scanner): Partial | undefined {
  if (!scanner.takes('<')) return undefined;
  const from = scanner.number();
  if (!scanner.takes('.')) throw new ImapSyntaxError('The length of a partial is missing');
  const length = scanner.number();
  if (!scanner.takes('>')) throw new ImapSyntaxError('A partial does not end');
  if (length === 0) throw new ImapSyntaxError('A partial has at least one octet');
  return { from, length };
}

function sectionName({ part, text }: BodySection, partial: Partial | undefined): string {
  const path = part.join('.');
  const dot = path !== '' && text.kind !== 'all' ? '.' : '';
  return `BODY[${path}${dot}${textName(text)}]${partial === undefined ? '' : `<${partial.from}>`}`;
}

function textName(text: SectionText): string {
  if (text.kind === 'all') return '';
  if (text.kind !== 'header-fields') return text.kind.toUpperCase();
  return `HEADER.FIELDS${text.not ? '.NOT' : ''} (${text.names.map(fieldName).join(' ')})`;
}

const fieldName = (name: string): string =>
  /^[A-Za-z0-9_.-]+$/.test(name) && name.toUpperCase() !== 'NIL'
    ? name.toUpperCase()
    : imapString(utf8Octets(name));
