import type { SearchKey } from '../../wire/imap/index.js';

/** What has to be read of a message to judge it: its row, its summary, or its text. */
export type Depth = 'row' | 'summary' | 'text';

const DEPTHS: Partial<Record<SearchKey['kind'], Depth>> = {
  field: 'summary',
  header: 'summary',
  text: 'text',
};

/** The most that any key needs. */
export function depthOf(key: SearchKey): Depth {
  const depths = leavesOf(key).map((leaf) =>
    leaf.kind === 'day' && leaf.of === 'sent' ? 'summary' : (DEPTHS[leaf.kind] ?? 'row'),
  );
  if (depths.includes('text')) return 'text';
  return depths.includes('summary') ? 'summary' : 'row';
}

/** All keys that hold no others. */
export function leavesOf(key: SearchKey): SearchKey[] {
  if (key.kind === 'and' || key.kind === 'or') return key.keys.flatMap(leavesOf);
  return key.kind === 'not' ? leavesOf(key.key) : [key];
}

/** Whether the answer has to name a modseq (RFC 7162 3.1.5). */
export const asksModseq = (key: SearchKey): boolean => leavesOf(key).some(({ kind }) => kind === 'modseq');
