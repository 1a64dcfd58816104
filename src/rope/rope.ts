import type { Source } from './source.js';

/** A run of bytes: in memory, or a slice of a source. */
export type Segment =
  | { readonly bytes: Buffer }
  | { readonly source: Source; readonly offset: number; readonly length: number };

/** What a rope is made of. A string is Latin-1: one character, one octet. */
export type RopePart = string | Uint8Array | Rope | Segment | Source;

/** Octets read from a source at a time. */
const CHUNK = 256 * 1024;
/** What `bytes()` gathers when no limit is given: enough for headers and receipts, too little to hold a body by mistake. */
const GATHER_LIMIT = 16 * 1024 * 1024;

/** An immutable byte string made of slices. It never copies a body. */
export class Rope {
  static readonly empty = new Rope([], 0);

  private constructor(
    readonly segments: readonly Segment[],
    /** Length in octets. */
    readonly length: number,
  ) {}

  static of(...parts: RopePart[]): Rope {
    const segments: Segment[] = [];
    let length = 0;
    for (const part of parts) {
      for (const segment of segmentsOf(part)) {
        const size = sizeOf(segment);
        if (size === 0) continue;
        segments.push(segment);
        length += size;
      }
    }
    return length === 0 ? Rope.empty : new Rope(segments, length);
  }

  /** Octets [start, end), clamped to the rope; no byte is copied. */
  slice(start: number, end = this.length): Rope {
    const from = Math.max(0, start);
    const to = Math.min(this.length, end);
    if (from >= to) return Rope.empty;
    if (from === 0 && to === this.length) return this;
    const segments: Segment[] = [];
    let at = 0;
    for (const segment of this.segments) {
      const size = sizeOf(segment);
      const first = Math.max(from, at) - at;
      const last = Math.min(to, at + size) - at;
      if (first < last) segments.push(cut(segment, first, last));
      at += size;
      if (at >= to) break;
    }
    return new Rope(segments, to - from);
  }

  /** The bytes in order: memory segments whole, sources 256 KiB at a time. */
  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    for (const segment of this.segments) {
      const here = residentBytes(segment);
      if (here !== undefined) {
        yield here;
        continue;
      }
      const { source, offset, length } = segment as Extract<Segment, { source: Source }>;
      for (let read = 0; read < length; read += CHUNK) {
        yield await source.read(offset + read, Math.min(CHUNK, length - read));
      }
    }
  }

  /** All bytes in one buffer. @throws RangeError when the rope is longer than `limit` octets. */
  async bytes(limit = GATHER_LIMIT): Promise<Buffer> {
    if (this.length > limit)
      throw new RangeError(`rope of ${this.length} octets is over the limit of ${limit}`);
    const here = this.resident();
    if (here !== undefined) return here;
    const parts: Buffer[] = [];
    for await (const chunk of this.chunks()) parts.push(chunk);
    return Buffer.concat(parts, this.length);
  }

  /** All bytes in one buffer if every segment is in memory, else undefined. */
  resident(): Buffer | undefined {
    const parts: Buffer[] = [];
    for (const segment of this.segments) {
      const here = residentBytes(segment);
      if (here === undefined) return undefined;
      parts.push(here);
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts, this.length);
  }

  /** Offset of the first `needle` at or after `from`, or -1. Constant memory. */
  async indexOf(needle: Uint8Array, from = 0): Promise<number> {
    if (needle.length === 0) return Math.min(from, this.length);
    let tail: Buffer = Buffer.alloc(0);
    let at = Math.max(0, from);
    for await (const chunk of this.slice(at).chunks()) {
      const joined = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
      const hit = joined.indexOf(needle);
      if (hit >= 0) return at - tail.length + hit;
      at += chunk.length;
      tail = joined.subarray(Math.max(0, joined.length - needle.length + 1));
    }
    return -1;
  }
}

function* segmentsOf(part: RopePart): Generator<Segment> {
  if (typeof part === 'string') yield { bytes: Buffer.from(part, 'latin1') };
  else if (part instanceof Rope) yield* part.segments;
  else if (part instanceof Uint8Array) yield { bytes: asBuffer(part) };
  else if ('bytes' in part || 'source' in part) yield part;
  else yield { source: part, offset: 0, length: part.length };
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const sizeOf = (segment: Segment): number => ('bytes' in segment ? segment.bytes.length : segment.length);

function residentBytes(segment: Segment): Buffer | undefined {
  if ('bytes' in segment) return segment.bytes;
  return segment.source.resident?.subarray(segment.offset, segment.offset + segment.length);
}

function cut(segment: Segment, first: number, last: number): Segment {
  if ('bytes' in segment) return { bytes: segment.bytes.subarray(first, last) };
  return { source: segment.source, offset: segment.offset + first, length: last - first };
}
