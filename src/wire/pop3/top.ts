const LF = 0x0a;
const CR = 0x0d;

type State =
  | { readonly kind: 'header' }
  | { readonly kind: 'body'; readonly linesLeft: number }
  | { readonly kind: 'done' };

/** Cuts a message after its header, the blank line and so many lines of the body (RFC 1939 7, TOP). */
export class TopCutter {
  readonly #lines: number;
  #state: State = { kind: 'header' };
  /** Octets of the current line seen in earlier chunks, and whether they are one CR. */
  #lineLength = 0;
  #onlyCr = false;

  constructor(lines: number) {
    this.#lines = lines;
  }

  /** True when nothing more is wanted. */
  get done(): boolean {
    return this.#state.kind === 'done';
  }

  /** The part of the chunk that belongs to the top. */
  push(chunk: Buffer): Buffer {
    let from = 0;
    while (this.#state.kind !== 'done') {
      const end = chunk.indexOf(LF, from);
      if (end === -1) {
        this.#carry(chunk, from);
        return chunk;
      }
      const blank = this.#isBlank(chunk, from, end);
      this.#lineLength = 0;
      this.#onlyCr = false;
      from = end + 1;
      this.#state = after(this.#state, blank, this.#lines);
    }
    return chunk.subarray(0, from);
  }

  #carry(chunk: Buffer, from: number): void {
    const length = chunk.length - from;
    if (length === 0) return;
    this.#onlyCr = this.#lineLength === 0 && length === 1 && chunk[from] === CR;
    this.#lineLength += length;
  }

  #isBlank(chunk: Buffer, from: number, end: number): boolean {
    if (this.#lineLength > 0) return this.#onlyCr && end === from;
    return end === from || (end === from + 1 && chunk[from] === CR);
  }
}

/** The state after one more line. */
function after(state: State, blank: boolean, lines: number): State {
  if (state.kind === 'done') return state;
  if (state.kind === 'header') {
    if (!blank) return state;
    return lines === 0 ? { kind: 'done' } : { kind: 'body', linesLeft: lines };
  }
  return state.linesLeft === 1 ? { kind: 'done' } : { kind: 'body', linesLeft: state.linesLeft - 1 };
}

/** The top of a message; the rest of it is not read. */
export async function* topOf(
  chunks: AsyncIterable<Buffer>,
  lines: number,
): AsyncGenerator<Buffer, void, undefined> {
  const cutter = new TopCutter(lines);
  for await (const chunk of chunks) {
    yield cutter.push(chunk);
    if (cutter.done) return;
  }
}
