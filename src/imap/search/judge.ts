/**
 * Whether messages fit a search. What is cheap is judged first; the full text index only ever says that a text cannot be there,
 * so the answers are those of a plain scan.
 */
import { folded, readText, type SearchedText, type SortKeys } from '../../mailstore/index.js';
import { decodeEightBit, decodeWords, Header, parseAddresses } from '../../mime/index.js';
import { flagSetOf, type ListedMessage } from '../../storage/index.js';
import type { SearchKey } from '../../wire/imap/index.js';
import type { MessageData } from '../fetch/message.js';
import type { Selected } from '../selected.js';
import { after, type Soon } from '../soon.js';

const DAY = 86_400_000;

export interface Judging {
  readonly selected: Selected;
  /** Epoch milliseconds. */
  readonly now: number;
  /** UIDs that each set in the search names. */
  readonly sets: ReadonlyMap<SearchKey, ReadonlySet<number>>;
  /** Contents whose text cannot fit a key, by key: of those that are being judged. */
  excluded: ReadonlyMap<SearchKey, ReadonlySet<number>>;
}

/** Whether a message fits: said at once where nothing has to be read for it. */
export type Fits = (judged: Judged) => Soon<boolean>;

/** A message with what was read of it to judge it. */
export class Judged {
  readonly #message: MessageData;
  #header: Header | undefined;
  #text: Promise<SearchedText> | undefined;

  constructor(message: MessageData) {
    this.#message = message;
  }

  get row(): ListedMessage {
    return this.#message.row;
  }

  header(): Soon<Header> {
    if (this.#header !== undefined) return this.#header;
    return after(this.#message.header(), (block) => {
      this.#header = new Header(Buffer.from(block, 'latin1'));
      return this.#header;
    });
  }

  keys(): Soon<SortKeys> {
    return after(this.#message.summary('sort'), (sort) => JSON.parse(sort) as SortKeys);
  }

  text(): Promise<SearchedText> {
    this.#text ??= this.#message.rope().then(readText);
    return this.#text;
  }
}

/** What is the same for every message is worked out once. */
export function judge(key: SearchKey, judging: Judging): Fits {
  switch (key.kind) {
    case 'and':
      return until(false, judges(key.keys, judging));
    case 'or':
      return until(true, judges(key.keys, judging));
    case 'not': {
      const fits = judge(key.key, judging);
      return (judged) => after(fits(judged), (does) => !does);
    }
    case 'field':
      return unlessExcluded(key, judging, fieldJudge(key.field, key.text, key.field !== 'SUBJECT'));
    case 'header':
      return unlessExcluded(key, judging, fieldJudge(key.name, key.text, false));
    case 'text':
      return unlessExcluded(key, judging, textJudge(key));
    case 'day':
      return dayJudge(key);
    default: {
      const fits = rowJudge(key, judging);
      return ({ row }) => fits(row);
    }
  }
}

const judges = (keys: readonly SearchKey[], judging: Judging): readonly Fits[] =>
  [...keys]
    .sort((one, other) => (COST[one.kind] ?? 0) - (COST[other.kind] ?? 0))
    .map((key) => judge(key, judging));

const COST: Partial<Record<SearchKey['kind'], number>> = {
  field: 1,
  header: 1,
  and: 2,
  or: 2,
  not: 2,
  text: 3,
};

/** Asks one after the other, until one says this. */
function until(enough: boolean, all: readonly Fits[]): Fits {
  const from = (judged: Judged, first: number): Soon<boolean> => {
    for (let at = first; at < all.length; at += 1) {
      const fits = all[at]?.(judged);
      if (fits instanceof Promise)
        return fits.then((does) => (does === enough ? enough : from(judged, at + 1)));
      if (fits === enough) return enough;
    }
    return !enough;
  };
  return (judged) => from(judged, 0);
}

function rowJudge(key: SearchKey, { selected, now, sets }: Judging): (row: ListedMessage) => boolean {
  switch (key.kind) {
    case 'sequence': {
      const set = sets.get(key);
      return ({ uid }) => set?.has(uid) ?? false;
    }
    case 'flag':
      return flagJudge(key.flag, key.set);
    case 'recent':
      return ({ uid }) => selected.recent.has(uid) === key.set;
    case 'younger':
      return ({ internalDate }) => internalDate >= now - key.seconds * 1000;
    case 'older':
      return ({ internalDate }) => internalDate <= now - key.seconds * 1000;
    case 'size':
      return ({ size }) => (key.larger ? size > key.octets : size < key.octets);
    case 'modseq':
      return ({ modseq }) => modseq >= key.least;
    case 'email-id':
      return ({ contentId }) => key.id === `M${contentId}`;
    case 'thread-id':
      return () => false;
    default:
      return () => true;
  }
}

function flagJudge(flag: string, set: boolean): (row: ListedMessage) => boolean {
  const wanted = flagSetOf([flag]);
  if (wanted.keywords.length === 0) return ({ system }) => ((system & wanted.system) !== 0) === set;
  const name = flag.toLowerCase();
  return ({ keywords }) => {
    const has =
      keywords !== '[]' &&
      (JSON.parse(keywords) as string[]).some((keyword) => keyword.toLowerCase() === name);
    return has === set;
  };
}

type DayKey = Extract<SearchKey, { kind: 'day' }>;

function dayJudge(key: DayKey): Fits {
  if (key.of === 'sent')
    return (judged) => after(judged.keys(), ({ sentDay }) => sentDay !== null && within(key, sentDay));
  const fits = rowDayJudge(key);
  return ({ row }) => fits(row);
}

const within = ({ from, to }: DayKey, day: number): boolean => day >= from && day < to;

const rowDayJudge =
  (key: DayKey) =>
  ({ savedAt, internalDate }: ListedMessage): boolean =>
    within(key, Math.floor((key.of === 'saved' ? savedAt : internalDate) / DAY));

/** @param addresses its addresses are looked at as well, as a reader writes them: without comments and white space */
function fieldJudge(name: string, text: string, addresses: boolean): Fits {
  const needle = folded(text);
  const holds = (header: Header): boolean =>
    header
      .all(name)
      .some(({ raw }) => needle === '' || folded(decodeWords(decodeEightBit(raw))).includes(needle)) ||
    (addresses && hasAddress(header, name, needle));
  return (judged) => after(judged.header(), holds);
}

const hasAddress = (header: Header, name: string, needle: string): boolean =>
  header
    .all(name)
    .flatMap(({ raw }) => parseAddresses(raw).mailboxes)
    .some((mailbox) => folded(`${mailbox.name} <${mailbox.address}>`).includes(needle));

const textJudge = ({ text, header: inHeader }: Extract<SearchKey, { kind: 'text' }>): Fits => {
  const needle = folded(text);
  return (judged) =>
    judged.text().then(({ body, header }) => body.includes(needle) || (inHeader && header.includes(needle)));
};

const isExcluded = (key: SearchKey, { excluded }: Judging, { contentId }: ListedMessage): boolean =>
  excluded.get(key)?.has(contentId) ?? false;

const unlessExcluded =
  (key: SearchKey, judging: Judging, fits: Fits): Fits =>
  (judged) =>
    !isExcluded(key, judging, judged.row) && fits(judged);

/** What its row and the text index alone say of a message; undefined where more has to be read. */
export type Guess = (row: ListedMessage) => boolean | undefined;

export function guess(key: SearchKey, judging: Judging): Guess {
  switch (key.kind) {
    case 'and':
    case 'or': {
      const enough = key.kind === 'or';
      const all = key.keys.map((each) => guess(each, judging));
      return (row) => {
        let sure = true;
        for (const each of all) {
          const fits = each(row);
          if (fits === enough) return enough;
          if (fits === undefined) sure = false;
        }
        return sure ? !enough : undefined;
      };
    }
    case 'not': {
      const fits = guess(key.key, judging);
      return (row) => {
        const does = fits(row);
        return does === undefined ? undefined : !does;
      };
    }
    case 'field':
    case 'header':
    case 'text':
      return (row) => (isExcluded(key, judging, row) ? false : undefined);
    case 'day':
      if (key.of === 'sent') return () => undefined;
      return rowDayJudge(key);
    default:
      return rowJudge(key, judging);
  }
}
