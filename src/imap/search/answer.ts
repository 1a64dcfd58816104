import { imapString, type SearchReturn, writeSet } from '../../wire/imap/index.js';
import type { Context } from '../command.js';
import type { Selected } from '../selected.js';
import type { Found } from './find.js';

/** How a search is to be answered. */
export interface Asked {
  readonly uid: boolean;
  /** Undefined: as RFC 3501 has it. */
  readonly returns: ReadonlySet<SearchReturn> | undefined;
  /** The modseq is to be told (RFC 7162 3.1.5). */
  readonly modseq: boolean;
  /** What the plain answer is called. */
  readonly name: 'SEARCH' | 'SORT';
}

/** Tells what was found, in this order; a result to be saved is saved (RFC 5182). */
export function answerSearch(
  found: readonly Found[],
  asked: Asked,
  selected: Selected,
  context: Context,
): void {
  const { uid, returns, modseq, name } = asked;
  const told = found.filter((one) => selected.view.sequenceOf(one.uid) > 0);
  const numbers = told.map((one) => (uid ? one.uid : selected.view.sequenceOf(one.uid)));
  const highest =
    modseq && told.length > 0 ? Math.max(...extremes(told, returns).map((one) => one.modseq)) : undefined;
  if (returns === undefined) {
    const suffix = highest === undefined ? '' : ` (MODSEQ ${highest})`;
    context.untagged([name, ...numbers].join(' ') + suffix);
    return;
  }
  if (returns.has('SAVE')) selected.saved = savedBy(told, returns);
  const facts: string[] = [];
  const first = numbers.length === 0 ? undefined : smallest(numbers);
  const last = numbers.length === 0 ? undefined : largest(numbers);
  if (returns.has('MIN') && first !== undefined) facts.push(`MIN ${first}`);
  if (returns.has('MAX') && last !== undefined) facts.push(`MAX ${last}`);
  if (returns.has('ALL') && numbers.length > 0) facts.push(`ALL ${writeSet(numbers)}`);
  if (returns.has('COUNT')) facts.push(`COUNT ${numbers.length}`);
  if (highest !== undefined) facts.push(`MODSEQ ${highest}`);
  if (returns.size === 1 && returns.has('SAVE')) return;
  context.untagged(
    ['ESEARCH', `(TAG ${imapString(context.tag)})`, ...(uid ? ['UID'] : []), ...facts].join(' '),
  );
}

/** RFC 5182 2.1: with MIN or MAX alone only those are saved. */
function savedBy(found: readonly Found[], returns: ReadonlySet<SearchReturn>): number[] {
  const uids = found.map((one) => one.uid).sort((one, other) => one - other);
  if (uids.length === 0 || returns.has('ALL') || returns.has('COUNT')) return uids;
  const first = uids[0] ?? 0;
  const last = uids.at(-1) ?? 0;
  if (returns.has('MIN') && returns.has('MAX')) return first === last ? [first] : [first, last];
  if (returns.has('MIN')) return [first];
  return returns.has('MAX') ? [last] : uids;
}

/** RFC 7162 3.1.5 and 3.1.10: with MIN or MAX alone the modseq is that of what is told. */
function extremes(found: readonly Found[], returns: ReadonlySet<SearchReturn> | undefined): readonly Found[] {
  if (returns === undefined || returns.has('ALL') || returns.has('COUNT')) return found;
  const byUid = [...found].sort((one, other) => one.uid - other.uid);
  const [first] = byUid;
  const last = byUid.at(-1);
  const told = [returns.has('MIN') ? first : undefined, returns.has('MAX') ? last : undefined];
  const named = told.filter((one) => one !== undefined);
  return named.length === 0 ? found : named;
}

const smallest = (numbers: readonly number[]): number => numbers.reduce((one, other) => Math.min(one, other));
const largest = (numbers: readonly number[]): number => numbers.reduce((one, other) => Math.max(one, other));
