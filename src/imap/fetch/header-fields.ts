import { Header } from '../../mime/index.js';

/**
 * What takes from a header block the fields whose names are in the list, or are not, as they stand, and the blank line
 * (RFC 9051 6.4.5). Latin-1.
 */
export function headerFields(names: readonly string[], not: boolean): (block: Buffer) => string {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return (block) => {
    let kept = '';
    for (const { name, start, end } of new Header(block).fields) {
      if (wanted.has(name.toLowerCase()) !== not) kept += block.toString('latin1', start, end);
    }
    return `${kept}\r\n`;
  };
}
