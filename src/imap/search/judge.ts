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
      this.#header = new Header(block);
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
      return fieldJudge(key.field, key.text, key.field !== 'SUBJECT');
    case 'header':
      return fieldJudge(key.name, key.text, false);
    case 'text':
      return textJudge(key, judging);
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

function dayJudge({ of, from, to }: Extract<SearchKey, { kind: 'day' }>): Fits {
  const within = (day: number | null): boolean => day !== null && day >= from && day < to;
  if (of === 'sent') return (judged) => after(judged.keys(), ({ sentDay }) => within(sentDay));
  return ({ row }) => within(Math.floor((of === 'saved' ? row.savedAt : row.internalDate) / DAY));
}

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

function textJudge(key: Extract<SearchKey, { kind: 'text' }>, judging: Judging): Fits {
  const needle = folded(key.text);
  return (judged) => {
    if (judging.excluded.get(key)?.has(judged.row.contentId)) return false;
    return judged
      .text()
      .then(({ body, header }) => body.includes(needle) || (key.header && header.includes(needle)));
  };
}
