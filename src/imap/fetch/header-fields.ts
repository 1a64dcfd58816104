import { readFields } from '../../mime/index.js';

/** Names remembered in one command. */
const NAMES = 200;

/**
 * What takes from a header block (Latin-1) the fields whose names are in the list, or are not, as they stand, and the blank line
 * (RFC 9051 6.4.5).
 */
export function headerFields(names: readonly string[], not: boolean): (block: string) => string {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  /** By name as it was met. */
  const known = new Map<string, boolean>();
  const isKept = (name: string): boolean => {
    const met = known.get(name);
    if (met !== undefined) return met;
    const keeps = wanted.has(name.toLowerCase()) !== not;
    if (known.size < NAMES) known.set(name, keeps);
    return keeps;
  };
  return (block) => {
    let kept = '';
    for (const { name, start, end } of readFields(block)) if (isKept(name)) kept += block.slice(start, end);
    return `${kept}\r\n`;
  };
}
