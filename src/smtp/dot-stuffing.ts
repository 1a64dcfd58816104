import type { Rope } from '../rope/index.js';

const DOT = 0x2e;
const LF = 0x0a;
const LF_DOT = Buffer.from('\n.');
const CRLF = Buffer.from('\r\n');
const EXTRA_DOT = Buffer.from('.');
/** Octets at a time. */
const STEP = 256 * 1024;

/**
 * The octets between `354` and the final dot's line (RFC 5321 4.5.2): the rope's own, a dot added before each line that
 * starts with one, and a last CRLF only where the rope has none. Nothing else is touched.
 */
export async function* stuffed(content: Rope): AsyncGenerator<Buffer, void, undefined> {
  let lineStart = true;
  let previous = LF;
  let last = LF;
  for await (const piece of content.chunks()) {
    // A segment in memory comes whole, however long; the socket takes it bit by bit.
    for (let at = 0; at < piece.length; at += STEP) {
      const chunk = piece.subarray(at, at + STEP);
      yield stuffChunk(chunk, lineStart);
      previous = chunk.length > 1 ? (chunk[chunk.length - 2] ?? 0) : last;
      last = chunk[chunk.length - 1] ?? 0;
      lineStart = last === LF;
    }
  }
  if (content.length > 0 && !(previous === 0x0d && last === LF)) yield CRLF;
}

function stuffChunk(chunk: Buffer, lineStart: boolean): Buffer {
  const parts: Buffer[] = lineStart && chunk[0] === DOT ? [EXTRA_DOT] : [];
  let from = 0;
  for (let at = chunk.indexOf(LF_DOT); at >= 0; at = chunk.indexOf(LF_DOT, at + 1)) {
    parts.push(chunk.subarray(from, at + 1), EXTRA_DOT);
    from = at + 1;
  }
  return parts.length === 0 ? chunk : Buffer.concat([...parts, chunk.subarray(from)]);
}
