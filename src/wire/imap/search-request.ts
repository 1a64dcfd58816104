/** What SEARCH, SORT and THREAD look for (RFC 9051 6.4.4; RFC 5032 WITHIN; RFC 7162 MODSEQ; RFC 8474; RFC 8514). */
import { readDate } from './dates.js';
import { ImapSyntaxError } from './errors.js';
import type { Scanner } from './scanner.js';
import { readSequenceSet, type SequenceSet } from './sequence-set.js';
import { octetsText } from './strings.js';

/** Fields whose addresses or text a key looks into. */
export type SearchedField = 'FROM' | 'TO' | 'CC' | 'BCC' | 'SUBJECT';

export type SearchKey =
  | { readonly kind: 'all' }
  | { readonly kind: 'and'; readonly keys: readonly SearchKey[] }
  | { readonly kind: 'or'; readonly keys: readonly [SearchKey, SearchKey] }
  | { readonly kind: 'not'; readonly key: SearchKey }
  | { readonly kind: 'sequence'; readonly set: SequenceSet; readonly uid: boolean }
  /** System flags have their backslash. */
  | { readonly kind: 'flag'; readonly flag: string; readonly set: boolean }
  | { readonly kind: 'recent'; readonly set: boolean }
  | { readonly kind: 'field'; readonly field: SearchedField; readonly text: string }
  | { readonly kind: 'header'; readonly name: string; readonly text: string }
  /** BODY looks into the body, TEXT into the header too. */
  | { readonly kind: 'text'; readonly header: boolean; readonly text: string }
  /** Days since 1970, by the internal date, the Date field, or when it was saved; [from, to). */
  | {
      readonly kind: 'day';
      readonly of: 'internal' | 'sent' | 'saved';
      readonly from: number;
      readonly to: number;
    }
  /** RFC 5032: at most so many seconds old, or at least. */
  | { readonly kind: 'younger'; readonly seconds: number }
  | { readonly kind: 'older'; readonly seconds: number }
  | { readonly kind: 'size'; readonly larger: boolean; readonly octets: number }
  | { readonly kind: 'modseq'; readonly least: number }
  | { readonly kind: 'email-id'; readonly id: string }
  | { readonly kind: 'thread-id'; readonly id: string }
  | { readonly kind: 'save-date-supported' };

/** What an extended SEARCH answers (RFC 4731, RFC 5182). */
export type SearchReturn = 'MIN' | 'MAX' | 'ALL' | 'COUNT' | 'SAVE';
const RETURNS = new Set<string>(['MIN', 'MAX', 'ALL', 'COUNT', 'SAVE']);

/** Keys inside one another, and in one command. */
const DEEPEST = 50;
const MOST = 1000;

type Read = (scanner: Scanner, depth: Depth) => SearchKey;

/** How deep a key stands, and how many there were so far. */
interface Depth {
  readonly level: number;
  readonly budget: { left: number };
}

const flag =
  (name: string, set = true): Read =>
  () => ({ kind: 'flag', flag: name, set });
const field =
  (name: SearchedField): Read =>
  (scanner) => ({ kind: 'field', field: name, text: readText(scanner) });
const keyword =
  (set: boolean): Read =>
  (scanner) => {
    scanner.space();
    return { kind: 'flag', flag: scanner.atom(), set };
  };
const day =
  (of: 'internal' | 'sent' | 'saved', span: (day: number) => readonly [number, number]): Read =>
  (scanner) => {
    scanner.space();
    const [from, to] = span(readDate(scanner));
    return { kind: 'day', of, from, to };
  };
const before = (at: number): [number, number] => [Number.NEGATIVE_INFINITY, at];
const on = (at: number): [number, number] => [at, at + 1];
const since = (at: number): [number, number] => [at, Number.POSITIVE_INFINITY];

const keys: Readonly<Record<string, Read>> = {
  ALL: () => ({ kind: 'all' }),
  ANSWERED: flag('\\Answered'),
  DELETED: flag('\\Deleted'),
  DRAFT: flag('\\Draft'),
  FLAGGED: flag('\\Flagged'),
  SEEN: flag('\\Seen'),
  UNANSWERED: flag('\\Answered', false),
  UNDELETED: flag('\\Deleted', false),
  UNDRAFT: flag('\\Draft', false),
  UNFLAGGED: flag('\\Flagged', false),
  UNSEEN: flag('\\Seen', false),
  RECENT: () => ({ kind: 'recent', set: true }),
  OLD: () => ({ kind: 'recent', set: false }),
  NEW: () => ({
    kind: 'and',
    keys: [
      { kind: 'recent', set: true },
      { kind: 'flag', flag: '\\Seen', set: false },
    ],
  }),
  KEYWORD: keyword(true),
  UNKEYWORD: keyword(false),
  FROM: field('FROM'),
  TO: field('TO'),
  CC: field('CC'),
  BCC: field('BCC'),
  SUBJECT: field('SUBJECT'),
  BODY: (scanner) => ({ kind: 'text', header: false, text: readText(scanner) }),
  TEXT: (scanner) => ({ kind: 'text', header: true, text: readText(scanner) }),
  HEADER: (scanner) => {
    scanner.space();
    const name = octetsText(scanner.astring());
    return { kind: 'header', name, text: readText(scanner) };
  },
  BEFORE: day('internal', before),
  ON: day('internal', on),
  SINCE: day('internal', since),
  SENTBEFORE: day('sent', before),
  SENTON: day('sent', on),
  SENTSINCE: day('sent', since),
  SAVEDBEFORE: day('saved', before),
  SAVEDON: day('saved', on),
  SAVEDSINCE: day('saved', since),
  SAVEDATESUPPORTED: () => ({ kind: 'save-date-supported' }),
  LARGER: (scanner) => ({ kind: 'size', larger: true, octets: readNumber(scanner) }),
  SMALLER: (scanner) => ({ kind: 'size', larger: false, octets: readNumber(scanner) }),
  YOUNGER: (scanner) => ({ kind: 'younger', seconds: readNumber(scanner) }),
  OLDER: (scanner) => ({ kind: 'older', seconds: readNumber(scanner) }),
  MODSEQ: readModseq,
  EMAILID: (scanner) => ({ kind: 'email-id', id: readId(scanner) }),
  THREADID: (scanner) => ({ kind: 'thread-id', id: readId(scanner) }),
  UID: (scanner) => {
    scanner.space();
    return { kind: 'sequence', set: readSequenceSet(scanner), uid: true };
  },
  NOT: (scanner, depth) => {
    scanner.space();
    return { kind: 'not', key: readKey(scanner, deeper(depth)) };
  },
  OR: (scanner, depth) => {
    scanner.space();
    const first = readKey(scanner, deeper(depth));
    scanner.space();
    return { kind: 'or', keys: [first, readKey(scanner, deeper(depth))] };
  },
};

/** One key or more, to the end of the command: all of them must hold. */
export function readSearchKeys(scanner: Scanner): SearchKey {
  const depth = { level: 0, budget: { left: MOST } };
  const found = [readKey(scanner, depth)];
  while (!scanner.atEnd) {
    scanner.space();
    if (scanner.atEnd) break;
    found.push(readKey(scanner, depth));
  }
  return together(found);
}

const together = (found: readonly SearchKey[]): SearchKey => {
  const [first] = found;
  return found.length === 1 && first !== undefined ? first : { kind: 'and', keys: found };
};

function readKey(scanner: Scanner, depth: Depth): SearchKey {
  if (depth.level > DEEPEST) throw new ImapSyntaxError('The keys are nested too deep');
  if (depth.budget.left-- <= 0) throw new ImapSyntaxError('There are too many keys');
  if (scanner.sees('(')) return together(scanner.list(() => readKey(scanner, deeper(depth))));
  if (scanner.sees('*') || scanner.sees('$') || scanner.seesDigit(0))
    return { kind: 'sequence', set: readSequenceSet(scanner), uid: false };
  const name = scanner.word();
  const read = Object.hasOwn(keys, name) ? keys[name] : undefined;
  if (read === undefined) throw new ImapSyntaxError(`Unknown search key ${name.slice(0, 40)}`);
  return read(scanner, depth);
}

const deeper = ({ level, budget }: Depth): Depth => ({ level: level + 1, budget });

function readText(scanner: Scanner): string {
  scanner.space();
  return octetsText(scanner.astring());
}

function readNumber(scanner: Scanner): number {
  scanner.space();
  return scanner.number();
}

function readId(scanner: Scanner): string {
  scanner.space();
  return scanner.atom();
}

/** RFC 7162 3.1.5: an entry may be named; a message has one modseq for all its flags. */
function readModseq(scanner: Scanner): SearchKey {
  scanner.space();
  if (scanner.sees('"')) {
    scanner.string();
    scanner.space();
    scanner.keyword();
    scanner.space();
  }
  return { kind: 'modseq', least: scanner.number() };
}

/** `RETURN (...)` before the keys, if it is there; an empty list means ALL (RFC 4731 3.1). */
export function readReturn(scanner: Scanner): ReadonlySet<SearchReturn> | undefined {
  if (!scanner.takesWord('RETURN')) return undefined;
  scanner.space();
  const options = scanner.list(() => scanner.keyword(), { empty: true });
  scanner.space();
  const unknown = options.find((option) => !RETURNS.has(option));
  if (unknown !== undefined) throw new ImapSyntaxError(`Unknown result option ${unknown.slice(0, 40)}`);
  return new Set((options.length === 0 ? ['ALL'] : options) as SearchReturn[]);
}

/** `CHARSET name` before the keys, if it is there; upper case. */
export function readCharset(scanner: Scanner): string | undefined {
  if (!scanner.takesWord('CHARSET')) return undefined;
  scanner.space();
  const charset = scanner.astring().toString('latin1').toUpperCase();
  scanner.space();
  return charset;
}
