import type { SearchKey, SearchReturn, SequenceSet } from '../../wire/imap/index.js';

/** `$` is there with SEARCHRES (RFC 5182). */
export const usesOfSet = (set: SequenceSet): readonly string[] => (set.kind === 'saved' ? ['SEARCHRES'] : []);

/** The capabilities that search keys are there with. */
export function usesOfKey(key: SearchKey): readonly string[] {
  switch (key.kind) {
    case 'and':
    case 'or':
      return key.keys.flatMap(usesOfKey);
    case 'not':
      return usesOfKey(key.key);
    case 'sequence':
      return usesOfSet(key.set);
    case 'younger':
    case 'older':
      return ['WITHIN'];
    case 'modseq':
      return ['CONDSTORE'];
    case 'email-id':
    case 'thread-id':
      return ['OBJECTID'];
    case 'save-date-supported':
      return ['SAVEDATE'];
    case 'day':
      return key.of === 'saved' ? ['SAVEDATE'] : [];
    default:
      return [];
  }
}

/** Those of `RETURN (...)`. @param extended what brings it */
export const usesOfReturns = (
  returns: ReadonlySet<SearchReturn> | undefined,
  extended: 'ESEARCH' | 'ESORT',
): readonly string[] => {
  if (returns === undefined) return [];
  return returns.has('SAVE') ? [extended, 'SEARCHRES'] : [extended];
};
