import { folded } from '../../mailstore/index.js';
import type { ListedMessage, SummarisedMessage } from '../../storage/index.js';
import type { SearchKey } from '../../wire/imap/index.js';
import type { Context } from '../command.js';
import { MessageData } from '../fetch/message.js';
import { pagesOf } from '../pages.js';
import type { Selected } from '../selected.js';
import { Judge, type Judging } from './judge.js';
import { depthOf, leavesOf } from './plan.js';
import { trigramQuery } from './trigrams.js';

/** A message that fits. */
export interface Found {
  readonly uid: number;
  readonly modseq: number;
  readonly message: MessageData;
}

/**
 * The messages of the open folder that fit, by growing UID.
 * @param withSummary the caller will ask each for its summary
 * @throws ImapError for a set that names no message
 */
export async function find(
  key: SearchKey,
  context: Context,
  selected: Selected,
  withSummary = false,
): Promise<Found[]> {
  const { mailstore, now } = context.services;
  const sets = new Map<SearchKey, ReadonlySet<number>>();
  for (const leaf of leavesOf(key)) {
    if (leaf.kind === 'sequence') sets.set(leaf, new Set(named(leaf, selected)));
  }
  const depth = depthOf(key);
  const summarised = withSummary || depth !== 'row';
  const found: Found[] = [];
  for (const page of pagesOf(candidates(key, selected, sets))) {
    const rows: readonly (ListedMessage | SummarisedMessage)[] = summarised
      ? await mailstore.summarised(selected.folderId, page)
      : await mailstore.listed(selected.folderId, page);
    const excluded = depth === 'text' ? await excludedBy(key, rows, context) : NOTHING;
    const judging: Judging = { selected, now: now(), sets, excluded };
    for (const row of rows) {
      const message = new MessageData(row, mailstore);
      if (await new Judge(message, judging).fits(key))
        found.push({ uid: row.uid, modseq: row.modseq, message });
    }
    // A client that went away need not be searched for.
    await context.flow();
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
