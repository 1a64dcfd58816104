/** Trigrams asked for at most: more make the filter no finer. */
const MOST = 24;

/** The full text query that every text with this (folded) needle in it fits; undefined when it is too short for the index. */
export function trigramQuery(needle: string): string | undefined {
  const characters = Array.from(needle);
  const grams = new Set<string>();
  const step = Math.max(1, Math.floor((characters.length - 2) / MOST));
  for (let at = 0; at + 3 <= characters.length; at += step) {
    const gram = characters.slice(at, at + 3).join('');
    if (!gram.includes('\0')) grams.add(`"${gram.replaceAll('"', '""')}"`);
  }
  return grams.size === 0 ? undefined : [...grams].slice(0, MOST + 1).join(' AND ');
}
