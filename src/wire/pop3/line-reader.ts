/** What the client's octets amount to. */
export type Line =
  /** Without its line end. */
  | { readonly kind: 'line'; readonly bytes: Buffer }
  /** A line over the limit, told once it has ended; its octets are gone. */
  | { readonly kind: 'too-long' }
  /** A line that goes on and on: no client of ours writes so. */
  | { readonly kind: 'flood' };

const LF = 0x0a;
const CR = 0x0d;
const EMPTY: Buffer = Buffer.alloc(0);

/** Octets of one overlong line that are waited out before it counts as a flood. */
const FLOOD = 64 * 1024;

type State =
  | { readonly kind: 'reading' }
  /** Inside a line over the limit; so many of its octets are gone. */
  | { readonly kind: 'swallowing'; readonly swallowed: number };

/**
 * Cuts a client's octets into lines. A line ends with CRLF; a lone LF is taken too, as every server does. Lines are cut
 * when asked for, so that pipelined commands wait here as plain octets: `pending` tells how many, and the owner stops
 * reading from the socket when they are many.
 */
export class LineReader {
  #buffer = EMPTY;
  #state: State = { kind: 'reading' };

  /** Octets that wait to be read as lines. */
  get pending(): number {
    return this.#buffer.length;
  }

  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }

  /**
   * The next line, or undefined until more octets come.
   * @param limit octets a line may have, its end included (RFC 2449 4)
   */
  next(limit: number): Line | undefined {
    const end = this.#buffer.indexOf(LF);
    if (this.#state.kind === 'swallowing') return this.#swallow(end, this.#state.swallowed);
    if (end === -1) {
      // A line of exactly `limit` octets still lacks its LF here.
      if (this.#buffer.length < limit) return undefined;
      return this.#swallow(end, 0);
    }
    const bytes = this.#take(end + 1);
    if (bytes.length > limit) return { kind: 'too-long' };
    const last = end > 0 && bytes[end - 1] === CR ? end - 1 : end;
    return { kind: 'line', bytes: bytes.subarray(0, last) };
  }

  #swallow(end: number, before: number): Line | undefined {
    if (end !== -1) {
      this.#take(end + 1);
      this.#state = { kind: 'reading' };
      return { kind: 'too-long' };
    }
    const swallowed = before + this.#buffer.length;
    this.#buffer = EMPTY;
    this.#state = { kind: 'swallowing', swallowed };
    return swallowed > FLOOD ? { kind: 'flood' } : undefined;
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = length === this.#buffer.length ? EMPTY : this.#buffer.subarray(length);
    return taken;
  }
}
