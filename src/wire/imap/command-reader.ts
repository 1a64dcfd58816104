/**
 * Cuts a client's octets into commands (RFC 9051 4.3, 7 command-data). A command is lines joined by literals; whoever owns the
 * reader says what becomes of each literal before its octets are read: only then may a client be told to go on.
 */
import type { Literal, Piece } from './piece.js';

/** What the octets amount to. */
export type Reading =
  /** A line ended with a literal's size: `decide` is due. */
  | { readonly kind: 'literal'; readonly literal: Literal; readonly pieces: readonly Piece[] }
  /** Octets of a literal that is streamed; the last ones when `last`. */
  | { readonly kind: 'octets'; readonly bytes: Buffer; readonly last: boolean }
  | { readonly kind: 'command'; readonly pieces: readonly Piece[] }
  /** A line over its limit, told when it has ended; its octets are gone. */
  | { readonly kind: 'too-long'; readonly head: Buffer }
  /** A line without end: no client of ours writes so. */
  | { readonly kind: 'flood' };

/** keep: it becomes a piece of the command. stream: its octets are handed out. skip: its octets are dropped, then the command ends. */
export type Decision = 'keep' | 'stream' | 'skip';

type State =
  | { readonly kind: 'line' }
  | { readonly kind: 'deciding'; readonly literal: Literal }
  | { readonly kind: 'keeping'; readonly literal: Literal; readonly bytes: Buffer; readonly filled: number }
  | { readonly kind: 'streaming'; readonly literal: Literal; readonly left: number }
  | { readonly kind: 'skipping'; readonly left: number }
  /** Inside a line over the limit. */
  | { readonly kind: 'swallowing'; readonly head: Buffer; readonly swallowed: number };

export interface ReaderLimits {
  /** Octets of the lines of one command together. */
  readonly command: number;
}

const LF = 0x0a;
const CR = 0x0d;
const EMPTY: Buffer = Buffer.alloc(0);
/** Octets of an overlong line that are waited out before it counts as a flood. */
const FLOOD = 256 * 1024;
/** Of a line too long for anything, so much is kept: its tag can be answered. */
const HEAD = 128;
const LITERAL = /(~?)\{([0-9]{1,10})(\+?)\}$/;
/** The longest end of a line that can be a literal's size. */
const LITERAL_LENGTH = 14;

export class CommandReader {
  #chunks: Buffer[] = [];
  #pending = 0;
  #pieces: Piece[] = [];
  #lineOctets = 0;
  #state: State = { kind: 'line' };
  /** Octets of the first chunk already searched for a line end. */
  #searched = 0;

  /** Octets that wait to be read. */
  get pending(): number {
    return this.#pending;
  }

  /** Whether a command has begun. */
  get inCommand(): boolean {
    return this.#pieces.length > 0 || this.#state.kind !== 'line' || this.#pending > 0;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#pending += chunk.length;
  }

  /** Says what becomes of the literal just told of. */
  decide(decision: Decision): void {
    if (this.#state.kind !== 'deciding') return;
    const { literal } = this.#state;
    const { size } = literal;
    if (decision === 'keep') {
      this.#state = { kind: 'keeping', literal, bytes: Buffer.allocUnsafe(size), filled: 0 };
    } else if (decision === 'stream') this.#state = { kind: 'streaming', literal, left: size };
    // A synchronising literal that is refused never comes (RFC 9051 4.3).
    else if (literal.synchronising) this.#reset();
    else this.#state = { kind: 'skipping', left: size };
  }

  /** The next reading, or undefined until more octets come or `decide` is called. */
  next({ command: limit }: ReaderLimits): Reading | undefined {
    for (;;) {
      const state = this.#state;
      if (state.kind === 'deciding') return undefined;
      const step = this.#step(state, limit);
      if (step !== 'again') return step;
    }
  }

  #step(state: Exclude<State, { kind: 'deciding' }>, limit: number): Reading | undefined | 'again' {
    if (state.kind === 'line') return this.#readLine(limit);
    if (state.kind === 'keeping') return this.#keep(state);
    if (state.kind === 'streaming') return this.#stream(state);
    if (state.kind === 'skipping') return this.#skip(state);
    return this.#swallow(state);
  }

  #readLine(limit: number): Reading | undefined | 'again' {
    const buffer = this.#joined();
    const end = buffer.indexOf(LF, this.#searched);
    if (end === -1) {
      this.#searched = buffer.length;
      if (this.#lineOctets + buffer.length <= limit) return undefined;
      this.#state = { kind: 'swallowing', head: this.#head(buffer, limit), swallowed: 0 };
      return 'again';
    }
    this.#searched = 0;
    this.#lineOctets += end + 1;
    if (this.#lineOctets > limit) {
      const head = this.#head(buffer.subarray(0, end), limit);
      this.#dropLine(end);
      return { kind: 'too-long', head };
    }
    const text = this.#takeLine(end);
    const literal = literalAt(text);
    if (literal === undefined) {
      const pieces = [...this.#pieces, { kind: 'text', bytes: text } as const];
      this.#reset();
      return { kind: 'command', pieces };
    }
    this.#pieces.push({ kind: 'text', bytes: text.subarray(0, text.length - literal.length) });
    this.#state = { kind: 'deciding', literal: literal.literal };
    return { kind: 'literal', literal: literal.literal, pieces: this.#pieces };
  }

  #keep(state: Extract<State, { kind: 'keeping' }>): 'again' | undefined {
    const { literal, bytes } = state;
    let { filled } = state;
    while (filled < literal.size && this.#pending > 0) {
      filled += this.#takeUpTo(literal.size - filled).copy(bytes, filled);
    }
    this.#state = { ...state, filled };
    if (filled < literal.size) return undefined;
    this.#pieces.push({ kind: 'literal', bytes, binary: literal.binary });
    this.#state = { kind: 'line' };
    return 'again';
  }

  #stream({ literal, left }: Extract<State, { kind: 'streaming' }>): Reading | undefined {
    if (left > 0 && this.#pending === 0) return undefined;
    const bytes = left === 0 ? EMPTY : this.#takeUpTo(left);
    const rest = left - bytes.length;
    if (rest > 0) this.#state = { kind: 'streaming', literal, left: rest };
    else {
      this.#pieces.push({ kind: 'streamed', size: literal.size, binary: literal.binary });
      this.#state = { kind: 'line' };
    }
    return { kind: 'octets', bytes, last: rest === 0 };
  }

  /** What follows a dropped literal is of no use either: the rest of its command goes with it. */
  #skip({ left }: Extract<State, { kind: 'skipping' }>): 'again' | undefined {
    let rest = left;
    while (rest > 0 && this.#pending > 0) rest -= this.#takeUpTo(rest).length;
    this.#state = { kind: 'skipping', left: rest };
    if (rest > 0) return undefined;
    const end = this.#joined().indexOf(LF);
    if (end === -1) this.#takeAllButTail();
    else this.#dropLine(end);
    return end === -1 ? undefined : 'again';
  }

  #swallow(state: Extract<State, { kind: 'swallowing' }>): Reading | undefined {
    const end = this.#joined().indexOf(LF);
    if (end !== -1) {
      this.#dropLine(end);
      return { kind: 'too-long', head: state.head };
    }
    const swallowed = state.swallowed + this.#takeAllButTail();
    this.#state = { ...state, swallowed };
    return swallowed > FLOOD ? { kind: 'flood' } : undefined;
  }

  /**
   * Takes the end of a line nobody wants, and its command with it. A literal that its client sends unasked belongs to that command
   * (RFC 7888 4): its octets are never read as commands.
   */
  #dropLine(end: number): void {
    const literal = literalAt(this.#takeLine(end))?.literal;
    this.#reset();
    if (literal !== undefined && !literal.synchronising)
      this.#state = { kind: 'skipping', left: literal.size };
  }

  /** Of a line whose end has not come, what may be a literal's size is left. @returns octets taken */
  #takeAllButTail(): number {
    return this.#take(Math.max(0, this.#pending - LITERAL_LENGTH - 1)).length;
  }

  #head(buffer: Buffer, limit: number): Buffer {
    const first = this.#pieces[0];
    return Buffer.from((first?.kind === 'text' ? first.bytes : buffer).subarray(0, Math.min(HEAD, limit)));
  }

  #reset(): void {
    this.#pieces = [];
    this.#lineOctets = 0;
    this.#searched = 0;
    this.#state = { kind: 'line' };
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (first === undefined) return EMPTY;
    if (this.#chunks.length === 1) return first;
    const joined = Buffer.concat(this.#chunks, this.#pending);
    this.#chunks = [joined];
    return joined;
  }

  /** A line without its end. */
  #takeLine(end: number): Buffer {
    const line = this.#take(end + 1);
    return line.subarray(0, end > 0 && line[end - 1] === CR ? end - 1 : end);
  }

  #take(length: number): Buffer {
    const buffer = this.#joined();
    this.#pending -= length;
    this.#chunks = length === buffer.length ? [] : [buffer.subarray(length)];
    return buffer.subarray(0, length);
  }

  /** At most so many octets, without joining what waits. */
  #takeUpTo(length: number): Buffer {
    const first = this.#chunks[0] ?? EMPTY;
    const taken = first.subarray(0, length);
    this.#pending -= taken.length;
    if (taken.length === first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(taken.length);
    return taken;
  }
}

/** The literal whose size a line ends with, and the octets that say so. */
function literalAt(line: Buffer): { literal: Literal; length: number } | undefined {
  if (line[line.length - 1] !== 0x7d) return undefined;
  const found = LITERAL.exec(line.toString('latin1', Math.max(0, line.length - LITERAL_LENGTH)));
  if (found === null) return undefined;
  const [all, binary, size, plus] = found;
  return {
    length: all.length,
    literal: { size: Number(size), binary: binary === '~', synchronising: plus === '' },
  };
}
