const DOT = 0x2e;
const LF = 0x0a;
const CR = 0x0d;
const LF_DOT = Buffer.from('\n.');
const EXTRA_DOT = Buffer.from('.');
const EMPTY: Buffer = Buffer.alloc(0);
const CRLF = Buffer.from('\r\n');

/** Byte-stuffing of an answer of several lines (RFC 1939 3): a dot before each line that starts with one. */
export class DotStuffer {
  #previous = CR;
  #last = LF;

  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const out = stuff(chunk, this.#last === LF);
    this.#previous = chunk[chunk.length - 2] ?? this.#last;
    this.#last = chunk[chunk.length - 1] ?? LF;
    return out;
  }

  /** What the text still lacks before the final dot: a CRLF, unless it ends with one. */
  end(): Buffer {
    return this.#previous === CR && this.#last === LF ? EMPTY : CRLF;
  }
}

function stuff(chunk: Buffer, lineStart: boolean): Buffer {
  let at = chunk.indexOf(LF_DOT);
  const first = lineStart && chunk[0] === DOT;
  if (at === -1 && !first) return chunk;
  const parts: Buffer[] = first ? [EXTRA_DOT] : [];
  let from = 0;
  for (; at !== -1; at = chunk.indexOf(LF_DOT, at + 1)) {
    parts.push(chunk.subarray(from, at + 1), EXTRA_DOT);
    from = at + 1;
  }
  parts.push(chunk.subarray(from));
  return Buffer.concat(parts);
}

/** A whole text made ready to go before the final dot. */
export async function* stuffed(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const stuffer = new DotStuffer();
  for await (const chunk of chunks) yield stuffer.push(chunk);
  yield stuffer.end();
}
