import type { SummaryPart } from '../../storage/index.js';
import type { SearchKey } from '../../wire/imap/index.js';

/** Parts of a message's summary that judging it may need. */
export function partsOf(key: SearchKey): readonly SummaryPart[] {
  const leaves = leavesOf(key);
  const parts: SummaryPart[] = [];
  if (leaves.some(({ kind }) => kind === 'field' || kind === 'header')) parts.push('header');
  if (leaves.some((leaf) => leaf.kind === 'day' && leaf.of === 'sent')) parts.push('sort');
  return parts;
}

/**
 * The text that stands in the full text index of every message that fits the key: the index has each message's header, decoded,
 * and its body. An address is also found as it is read, without comments and quotes, and so stands nowhere.
 */
export function indexedText(key: SearchKey): string | undefined {
  if (key.kind === 'text' || key.kind === 'header') return key.text;
  return key.kind === 'field' && key.field === 'SUBJECT' ? key.text : undefined;
}

/** All keys that hold no others. */
export function leavesOf(key: SearchKey): SearchKey[] {
  if (key.kind === 'and' || key.kind === 'or') return key.keys.flatMap(leavesOf);
  return key.kind === 'not' ? leavesOf(key.key) : [key];
}

/** Whether the answer has to name a modseq (RFC 7162 3.1.5). */
export const asksModseq = (key: SearchKey): boolean => leavesOf(key).some(({ kind }) => kind === 'modseq');
