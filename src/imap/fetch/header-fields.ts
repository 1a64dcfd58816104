import { Header } from '../../mime/index.js';

/** The fields of a header block whose names are in the list, or are not, as they stand, and the blank line (RFC 9051 6.4.5). */
export function headerFields(block: Buffer, names: readonly string[], not: boolean): Buffer {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const header = new Header(block);
  const parts = header.fields
    .filter((field) => wanted.has(field.name.toLowerCase()) !== not)
    .map((field) => block.subarray(field.start, field.end));
  return Buffer.concat([...parts, BLANK]);
}

const BLANK = Buffer.from('\r\n');
