/** Columns of a folded line, and of a line of encoded words (RFC 2047 2). */
export const COLUMNS = 76;
/** A line that cannot be folded must still pass RFC 5322 2.1.1 (998), its field's name included. */
const LONGEST_LINE = 900;

/** Printable ASCII that no reader can take for encoded words, with nothing at its ends that a reader would trim. */
export function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !text.includes('=?') && !text.startsWith(' ') && !text.endsWith(' ');
}

/**
 * Folds ASCII text before white space, so that unfolding gives it back unchanged.
 * @param column where the text begins on its first line.
 * @returns undefined when a word is too long for any line.
 */
export function foldAscii(text: string, column: number): string | undefined {
  const lines: string[] = [];
  let start = 0;
  let room = COLUMNS - column;
  while (text.length - start > room) {
    const fold = foldingPoint(text, start, start + room);
    if (fold < 0) break;
    lines.push(text.slice(start, fold));
    start = fold;
    room = COLUMNS;
  }
  lines.push(text.slice(start));
  return lines.some((line) => line.length > LONGEST_LINE) ? undefined : lines.join('\r\n');
}

/** The last place to fold at or before `wanted`, else the first one after it, else -1. Both sides keep something visible. */
function foldingPoint(text: string, start: number, wanted: number): number {
  for (let at = wanted; at > start; at -= 1) if (canFold(text, at)) return at;
  for (let at = Math.max(start, wanted) + 1; at < text.length; at += 1) if (canFold(text, at)) return at;
  return -1;
}

const canFold = (text: string, at: number): boolean =>
  text[at] === ' ' && at + 1 < text.length && text[at + 1] !== ' ';
