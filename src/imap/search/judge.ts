/**
 * Whether messages fit a search. What is cheap is judged first; the full text index only ever says that a text cannot be there,
 * so the answers are those of a plain scan.
 */
import { folded, readText, type SearchedText, type SortKeys } from '../../mailstore/index.js';
import { decodeEightBit, decodeWords, Header, parseAddresses } from '../../mime/index.js';
import { flagSetOf } from '../../storage/index.js';
import type { SearchKey } from '../../wire/imap/index.js';
import type { MessageData } from '../fetch/message.js';
import type { Selected } from '../selected.js';

const DAY = 86_400_000;

export interface Judging {
  readonly selected: Selected;
  /** Epoch milliseconds. */
  readonly now: number;
  /** UIDs that each set in the search names. */
  readonly sets: ReadonlyMap<SearchKey, ReadonlySet<number>>;
  /** Contents whose text cannot fit a key, by key. */
  readonly excluded: ReadonlyMap<SearchKey, ReadonlySet<number>>;
}

export class Judge {
  readonly #judging: Judging;
  readonly #message: MessageData;
  #header: Header | undefined;
  #sort: SortKeys | undefined;
  #text: SearchedText | undefined;

  constructor(message: MessageData, judging: Judging) {
    this.#message = message;
    this.#judging = judging;
  }

  async fits(key: SearchKey): Promise<boolean> {
    switch (key.kind) {
      case 'and':
        for (const each of cheapFirst(key.keys)) if (!(await this.fits(each))) return false;
        return true;
      case 'or':
        for (const each of cheapFirst(key.keys)) if (await this.fits(each)) return true;
        return false;
      case 'not':
        return !(await this.fits(key.key));
      case 'field':
        return (
          (await this.#hasField(key.field, folded(key.text))) ||
          (key.field !== 'SUBJECT' && this.#hasAddress(key.field, folded(key.text)))
        );
      case 'header':
        return this.#hasField(key.name, folded(key.text));
      case 'text':
        return this.#hasText(key);
      case 'day':
        return this.#onDay(key);
      default:
        return this.#rowFits(key);
    }
  }

  #rowFits(key: SearchKey): boolean {
    const { row } = this.#message;
    const { selected, now, sets } = this.#judging;
    switch (key.kind) {
      case 'sequence':
        return sets.get(key)?.has(row.uid) ?? false;
      case 'flag':
        return this.#hasFlag(key.flag) === key.set;
      case 'recent':
        return selected.recent.has(row.uid) === key.set;
      case 'younger':
        return row.internalDate >= now - key.seconds * 1000;
      case 'older':
        return row.internalDate <= now - key.seconds * 1000;
      case 'size':
        return key.larger ? row.size > key.octets : row.size < key.octets;
      case 'modseq':
        return row.modseq >= key.least;
      case 'email-id':
        return key.id === `M${row.contentId}`;
      case 'thread-id':
        return false;
      default:
        return true;
    }
  }

  #hasFlag(flag: string): boolean {
    const { row } = this.#message;
    const wanted = flagSetOf([flag]);
    if (wanted.keywords.length === 0) return (row.system & wanted.system) !== 0;
    if (row.keywords === '[]') return false;
    const keywords = JSON.parse(row.keywords) as string[];
    return keywords.some((keyword) => keyword.toLowerCase() === flag.toLowerCase());
  }

  async #onDay({ of, from, to }: Extract<SearchKey, { kind: 'day' }>): Promise<boolean> {
    const { row } = this.#message;
    const day =
      of === 'sent'
        ? (await this.#keys()).sentDay
        : Math.floor((of === 'saved' ? row.savedAt : row.internalDate) / DAY);
    return day !== null && day >= from && day < to;
  }

  async #hasField(name: string, needle: string): Promise<boolean> {
    this.#header ??= new Header(await this.#message.header());
    return this.#header
      .all(name)
      .some(({ raw }) => needle === '' || folded(decodeWords(decodeEightBit(raw))).includes(needle));
  }

  /** Addresses without their comments and white space, as a reader writes them. */
  async #hasAddress(name: string, needle: string): Promise<boolean> {
    this.#header ??= new Header(await this.#message.header());
    return this.#header
      .all(name)
      .flatMap(({ raw }) => parseAddresses(raw).mailboxes)
      .some((mailbox) => folded(`${mailbox.name} <${mailbox.address}>`).includes(needle));
  }

  async #hasText(key: Extract<SearchKey, { kind: 'text' }>): Promise<boolean> {
    if (this.#judging.excluded.get(key)?.has(this.#message.row.contentId)) return false;
    const needle = folded(key.text);
    this.#text ??= await readText(await this.#message.rope());
    return this.#text.body.includes(needle) || (key.header && this.#text.header.includes(needle));
  }

  async #keys(): Promise<SortKeys> {
    this.#sort ??= JSON.parse((await this.#message.summary()).sort) as SortKeys;
    return this.#sort;
  }
}

const COST: Partial<Record<SearchKey['kind'], number>> = {
  field: 1,
  header: 1,
  and: 2,
  or: 2,
  not: 2,
  text: 3,
};
const cheapFirst = (keys: readonly SearchKey[]): readonly SearchKey[] =>
  [...keys].sort((one, other) => (COST[one.kind] ?? 0) - (COST[other.kind] ?? 0));
