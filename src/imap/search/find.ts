import { setImmediate as nextTurn } from 'node:timers/promises';
import { folded, type Mailstore, type SortKeys } from '../../mailstore/index.js';
import type { ListedMessage } from '../../storage/index.js';
import type { SearchKey } from '../../wire/imap/index.js';
import type { Context } from '../command.js';
import { MessageData } from '../fetch/message.js';
import { pagesOf } from '../pages.js';
import type { Selected } from '../selected.js';
import { guess, Judged, type Judging, judge } from './judge.js';
import { indexedText, leavesOf, partsOf } from './plan.js';
import { trigramQuery } from './trigrams.js';

/** A message that fits. */
export type Found = Pick<ListedMessage, 'uid' | 'modseq'>;

/** With what it is sorted by. */
export interface Sortable extends Found {
  readonly internalDate: number;
  readonly size: number;
  readonly keys: SortKeys;
}

/** Messages whose sort keys are asked for at once. */
const SORT_KEYS = 1000;
/** Messages judged by what is in memory, before the other sessions have their turn. */
const PAGE = 4000;
/** Messages whose summaries are read at once. */
const SUMMARIES = 250;

/** The messages of the open folder that fit, by growing UID. @throws ImapError for a set that names no message */
export async function find(key: SearchKey, context: Context, selected: Selected): Promise<ListedMessage[]> {
  const { mailstore, now } = context.services;
  const sets = new Map<SearchKey, ReadonlySet<number>>();
  for (const leaf of leavesOf(key)) {
    if (leaf.kind === 'sequence') sets.set(leaf, new Set(named(leaf, selected)));
  }
  const judging: Judging = { selected, now: now(), sets, excluded: NOTHING };
  const guesses = guess(key, judging);
  const fits = judge(key, judging);
  const parts = partsOf(key);
  const found: ListedMessage[] = [];
  for (const uids of pagesOf(candidates(key, selected, sets), PAGE)) {
    const rows = await mailstore.listed(selected.folderId, uids);
    judging.excluded = await excludedBy(key, rows, context);
    const possible = rows.filter((row) => guesses(row) !== false);
    for (const some of pagesOf(possible, SUMMARIES)) {
      if (some.every((row) => guesses(row) === true)) {
        found.push(...some);
        continue;
      }
      for (const one of await mailstore.summarised(selected.folderId, some, parts)) {
        const does = fits(new Judged(new MessageData(one, mailstore)));
        if (does instanceof Promise ? await does : does) found.push(one.row);
      }
      await nextTurn();
    }
    // A client that went away need not be searched for; the other sessions have their turn.
    await context.flow();
    await nextTurn();
  }
  return found;
}

/** The same with what they are sorted by. */
export async function findSortable(
  key: SearchKey,
  context: Context,
  selected: Selected,
): Promise<Sortable[]> {
  const { mailstore } = context.services;
  const sortable: Sortable[] = [];
  for (const rows of pagesOf(await find(key, context, selected), SORT_KEYS)) {
    const known = await mailstore.sortKeys(rows);
    for (const [at, row] of rows.entries()) {
      const { uid, modseq, internalDate, size } = row;
      const keys = known[at] ?? (await computedKeys(row, mailstore));
      sortable.push({ uid, modseq, internalDate, size, keys });
    }
    await nextTurn();
  }
  return sortable;
}

async function computedKeys(row: ListedMessage, mailstore: Mailstore): Promise<SortKeys> {
  const message = new MessageData({ row, summary: undefined }, mailstore);
  return JSON.parse(await message.summary('sort')) as SortKeys;
}

/** A number past the last message is no error in a search: nothing fits it. */
const named = ({ set, uid }: Extract<SearchKey, { kind: 'sequence' }>, selected: Selected): number[] =>
  set.kind === 'ranges' && !uid ? selected.numbered(set.ranges) : selected.resolve(set, uid);

const NOTHING: Judging['excluded'] = new Map();

/** Where a search names its messages, only those are looked at. */
function candidates(key: SearchKey, selected: Selected, sets: Judging['sets']): readonly number[] {
  const narrowing = key.kind === 'and' ? key.keys.find((each) => sets.has(each)) : key;
  const named = narrowing === undefined ? undefined : sets.get(narrowing);
  return named === undefined ? selected.view.uids : [...named];
}

/** By key, contents that have not the trigrams it asks for. */
async function excludedBy(
  key: SearchKey,
  rows: readonly ListedMessage[],
  { services }: Context,
): Promise<Judging['excluded']> {
  const excluded = new Map<SearchKey, ReadonlySet<number>>();
  for (const leaf of leavesOf(key)) {
    const text = indexedText(leaf);
    const query = text === undefined ? undefined : trigramQuery(folded(text));
    if (query === undefined) continue;
    const contentIds = rows.map(({ contentId }) => contentId);
    excluded.set(leaf, await services.mailstore.without(query, contentIds));
  }
  return excluded;
}
