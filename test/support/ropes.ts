import fc from 'fast-check';
import { Rope, type RopePart, type Source } from '../../src/rope/index.js';

/** A source that is not in memory, strict about what is asked of it. */
export function sourceOf(bytes: Buffer): Source {
  return {
    length: bytes.length,
    async read(offset, length) {
      if (offset < 0 || offset + length > bytes.length) throw new RangeError('read past the end');
      return Buffer.from(bytes.subarray(offset, offset + length));
    },
  };
}

/** The same bytes in pieces cut at the given places, every other one (from the first on if `sourcesFirst`) in a source. */
export function inPieces(bytes: Buffer, cuts: readonly number[], sourcesFirst = false): Rope {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...places, bytes.length];
  const parts: RopePart[] = [];
  for (let index = 1; index < edges.length; index += 1) {
    const piece = bytes.subarray(edges[index - 1], edges[index]);
    parts.push((index % 2 === 1) === sourcesFirst ? sourceOf(piece) : piece);
  }
  return Rope.of(...parts);
}

export const cuts = fc.array(fc.nat(), { maxLength: 12 });

/** Bytes in which the octets that matter to mail are common. */
export const mailBytes = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(
          '\r\n',
          '\r\n\r\n',
          '--',
          'a',
          'ab',
          ' ',
          '\t',
          ':',
          '=',
          '\r',
          '\n',
          '\0',
        ),
      },
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          '\r\n--a\r\n',
          '\r\n--a--\r\n',
          '--ab',
          'Content-Type: multipart/mixed; boundary=a\r\n',
          '\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary="ab"\r\n\r\n--ab\r\n',
          'Content-Type: message/rfc822; name=x\r\n',
          "Content-Disposition: attachment; filename*=utf-8''%e2%82%ac\r\n",
          '=?utf-8?q?=c3?=',
        ),
      },
      {
        weight: 1,
        arbitrary: fc.uint8Array({ maxLength: 6 }).map((octets) => Buffer.from(octets).toString('latin1')),
      },
    ),
    { maxLength: 60 },
  )
  .map((pieces) => Buffer.from(pieces.join(''), 'latin1'));
