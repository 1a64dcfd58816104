import type { SummaryPart } from '../../storage/index.js';
import type { SearchKey } from '../../wire/imap/index.js';

/** What has to be read of a message, beside its row, to judge it. */
export interface Reading {
  /** Parts of its summary. */
  readonly parts: readonly SummaryPart[];
  /** Its text, unless the index says that it cannot fit. */
  readonly text: boolean;
}

export function readingOf(key: SearchKey): Reading {
  const leaves = leavesOf(key);
  const parts: SummaryPart[] = [];
  if (leaves.some(({ kind }) => kind === 'field' || kind === 'header')) parts.push('header');
  if (leaves.some((leaf) => leaf.kind === 'day' && leaf.of === 'sent')) parts.push('sort');
  return { parts, text: leaves.some(({ kind }) => kind === 'text') };
}

/** All keys that hold no others. */
export function leavesOf(key: SearchKey): SearchKey[] {
  if (key.kind === 'and' || key.kind === 'or') return key.keys.flatMap(leavesOf);
  return key.kind === 'not' ? leavesOf(key.key) : [key];
}

/** Whether the answer has to name a modseq (RFC 7162 3.1.5). */
export const asksModseq = (key: SearchKey): boolean => leavesOf(key).some(({ kind }) => kind === 'modseq');
