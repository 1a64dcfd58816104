import { Rope, type Segment } from '../rope/index.js';
import { isBlobHash, SMALL_BLOB } from './blobs/layout.js';
import type { PackedRope, Piece } from './records.js';

/** Octets of a content that are no blob. What is longer ought to have been a blob. */
const TEXT_LIMIT = 16 * 1024 * 1024;

/**
 * Makes a rope ready for a commit: slices of sources with a hash become references, all else is gathered into one
 * text. Small blobs in memory come along; large ones must have been put by `Store.blobs.adopt`.
 * @throws RangeError when more than 16 MiB are no blob.
 */
export async function pack(rope: Rope): Promise<PackedRope> {
  const layout: Piece[] = [];
  const runs: Uint8Array[] = [];
  const small = new Map<string, Uint8Array>();
  let textLength = 0;
  for (const segment of rope.segments) {
    const reference = referenceOf(segment);
    if (reference !== undefined) {
      addBlob(layout, reference.piece);
      if (reference.bytes !== undefined) small.set(reference.piece.blob, reference.bytes);
      continue;
    }
    const size = 'bytes' in segment ? segment.bytes.length : segment.length;
    if (textLength + size > TEXT_LIMIT)
      throw new RangeError(`more than ${TEXT_LIMIT} octets of a content are no blob`);
    for await (const chunk of Rope.of(segment).chunks()) runs.push(chunk);
    addText(layout, textLength, size);
    textLength += size;
  }
  return {
    size: rope.length,
    text: joined(runs, textLength),
    layout,
    smallBlobs: [...small].map(([hash, bytes]) => ({ hash, bytes })),
  };
}

type BlobPiece = Extract<Piece, { blob: string }>;

function referenceOf(segment: Segment): { piece: BlobPiece; bytes: Uint8Array | undefined } | undefined {
  if ('bytes' in segment) return undefined;
  const { source, offset, length } = segment;
  if (source.hash === undefined || !isBlobHash(source.hash)) return undefined;
  const bytes = source.length <= SMALL_BLOB ? source.resident : undefined;
  return { piece: { blob: source.hash, offset, length }, bytes };
}

function addBlob(layout: Piece[], piece: BlobPiece): void {
  const last = layout.at(-1);
  if (
    last !== undefined &&
    'blob' in last &&
    last.blob === piece.blob &&
    last.offset + last.length === piece.offset
  ) {
    layout[layout.length - 1] = { ...last, length: last.length + piece.length };
  } else {
    layout.push(piece);
  }
}

function addText(layout: Piece[], offset: number, length: number): void {
  const last = layout.at(-1);
  if (last !== undefined && 'text' in last) {
    layout[layout.length - 1] = { text: [last.text[0], last.text[1] + length] };
  } else {
    layout.push({ text: [offset, length] });
  }
}

/** A buffer of its own, of exactly this size: it is posted to another thread. */
function joined(runs: readonly Uint8Array[], length: number): Uint8Array {
  const text = new Uint8Array(length);
  let at = 0;
  for (const run of runs) {
    text.set(run, at);
    at += run.length;
  }
  return text;
}
