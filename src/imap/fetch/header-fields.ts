import { readFields } from '../../mime/index.js';

/**
 * What takes from a header block (Latin-1) the fields whose names are in the list, or are not, as they stand, and the blank line
 * (RFC 9051 6.4.5).
 */
export function headerFields(names: readonly string[], not: boolean): (block: string) => string {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return (block) => {
    let kept = '';
    for (const { name, start, end } of readFields(block)) {
      if (wanted.has(name.toLowerCase()) !== not) kept += block.slice(start, end);
    }
    return `${kept}\r\n`;
  };
}
