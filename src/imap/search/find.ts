import { setImmediate as nextTurn } from 'node:timers/promises';
import { folded, type SortKeys } from '../../mailstore/index.js';
import type { ListedMessage, SummarisedMessage, SummaryPart } from '../../storage/index.js';
import type { SearchKey } from '../../wire/imap/index.js';
import type { Context } from '../command.js';
import { MessageData } from '../fetch/message.js';
import { pagesOf } from '../pages.js';
import type { Selected } from '../selected.js';
import { after, type Soon } from '../soon.js';
import { Judged, type Judging, judge } from './judge.js';
import { leavesOf, readingOf } from './plan.js';
import { trigramQuery } from './trigrams.js';

/** A message that fits. */
export interface Found {
  readonly uid: number;
  readonly modseq: number;
}

/** With what it is sorted by. */
export interface Sortable extends Found {
  readonly internalDate: number;
  readonly size: number;
  readonly keys: SortKeys;
}

/** Messages read at once: more where little is read of each. */
const PAGE = 1000;
const PAGE_WITH_HEADERS = 250;

/** The messages of the open folder that fit, by growing UID. @throws ImapError for a set that names no message */
export function find(key: SearchKey, context: Context, selected: Selected): Promise<Found[]> {
  return search(key, context, selected, [], ({ row: { uid, modseq } }) => ({ uid, modseq }));
}

/** The same, for who sorts them. */
export function findSortable(key: SearchKey, context: Context, selected: Selected): Promise<Sortable[]> {
  return search(key, context, selected, ['sort'], (message) => {
    const { uid, modseq, internalDate, size } = message.row;
    return after(message.summary('sort'), (sort) => {
      const keys = JSON.parse(sort) as SortKeys;
      return { uid, modseq, internalDate, size, keys };
    });
  });
}

/** @param keep what is kept of one that fits: not all that was read of it */
async function search<T>(
  key: SearchKey,
  context: Context,
  selected: Selected,
  kept: readonly SummaryPart[],
  keep: (message: MessageData) => Soon<T>,
): Promise<T[]> {
  const { mailstore, now } = context.services;
  const sets = new Map<SearchKey, ReadonlySet<number>>();
  for (const leaf of leavesOf(key)) {
    if (leaf.kind === 'sequence') sets.set(leaf, new Set(named(leaf, selected)));
  }
  const reading = readingOf(key);
  const parts = [...reading.parts, ...kept];
  const judging: Judging = { selected, now: now(), sets, excluded: NOTHING };
  const fits = judge(key, judging);
  const found: T[] = [];
  const page = parts.includes('header') ? PAGE_WITH_HEADERS : PAGE;
  for (const uids of pagesOf(candidates(key, selected, sets), page)) {
    const rows: readonly (ListedMessage | SummarisedMessage)[] =
      parts.length > 0 || reading.text
        ? await mailstore.summarised(selected.folderId, uids, parts)
        : await mailstore.listed(selected.folderId, uids);
    if (reading.text) judging.excluded = await excludedBy(key, rows, context);
    for (const row of rows) {
      const message = new MessageData(row, mailstore);
      const does = fits(new Judged(message));
      if (!(does instanceof Promise ? await does : does)) continue;
      const worth = keep(message);
      found.push(worth instanceof Promise ? await worth : worth);
    }
    // A client that went away need not be searched for; the other sessions have their turn.
    await context.flow();
    await nextTurn();
  }
  return found;
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

/** Of indexed contents: those without the trigrams of a text key. */
async function excludedBy(
  key: SearchKey,
  rows: readonly (ListedMessage | SummarisedMessage)[],
  { services }: Context,
): Promise<Judging['excluded']> {
  const indexed = rows.filter((row) => 'indexed' in row && row.indexed === 1).map((row) => row.contentId);
  const excluded = new Map<SearchKey, ReadonlySet<number>>();
  if (indexed.length === 0) return excluded;
  for (const leaf of leavesOf(key)) {
    const query = leaf.kind === 'text' ? trigramQuery(folded(leaf.text)) : undefined;
    if (query === undefined) continue;
    const matching = new Set(await services.mailstore.matching(query, indexed));
    excluded.set(leaf, new Set(indexed.filter((id) => !matching.has(id))));
  }
  return excluded;
}
