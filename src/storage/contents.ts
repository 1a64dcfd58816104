import { Rope, type RopePart, type Source } from '../rope/index.js';
import { residentSource } from './blobs/resident.js';
import { StoreConflict } from './errors.js';
import type { Piece, StoredBlob } from './records.js';
import { statement } from './statement.js';
import type { ReadOperation } from './transaction.js';

interface ContentWithBlobs {
  readonly size: number;
  readonly text: Uint8Array;
  readonly layout: readonly Piece[];
  /** All it points at; those in files without their bytes. */
  readonly blobs: readonly StoredBlob[];
}

const contentRow = statement<{ id: number }, { size: number; text: Uint8Array; layout: string }>((db, p) =>
  db.selectFrom('content').select(['size', 'text', 'layout']).where('id', '=', p('id')),
);

const blobsOf = statement<{ id: number }, StoredBlob>((db, p) =>
  db
    .selectFrom('content_blob')
    .innerJoin('blob', 'blob.hash', 'content_blob.hash')
    .select(['blob.hash', 'blob.size', 'blob.bytes'])
    .where('content_blob.content_id', '=', p('id')),
);

export const contentWithBlobs: ReadOperation<{ id: number }, ContentWithBlobs> = async (tx, { id }) => {
  const row = await tx.first(contentRow, { id });
  if (row === undefined) throw new StoreConflict('content', `no content ${id}`, { id });
  return {
    size: row.size,
    text: row.text,
    layout: JSON.parse(row.layout),
    blobs: await tx.all(blobsOf, { id }),
  };
};

/** The rope as it was packed: text and small blobs in memory, large blobs read where `large` finds them. */
export function unpack(content: ContentWithBlobs, large: (hash: string, length: number) => Source): Rope {
  const text = Buffer.from(content.text.buffer, content.text.byteOffset, content.text.byteLength);
  const sources = new Map<string, Source>();
  for (const { hash, size, bytes } of content.blobs) {
    sources.set(hash, bytes === null ? large(hash, size) : residentSource(hash, bytes));
  }
  return Rope.of(...content.layout.map((piece) => partOf(piece, text, sources)));
}

function partOf(piece: Piece, text: Buffer, sources: ReadonlyMap<string, Source>): RopePart {
  if ('text' in piece) return text.subarray(piece.text[0], piece.text[0] + piece.text[1]);
  const source = sources.get(piece.blob);
  if (source === undefined)
    throw new StoreConflict('blob', `blob ${piece.blob} is not stored`, { hash: piece.blob });
  return { source, offset: piece.offset, length: piece.length };
}

/** Octets in memory that a rope brings along. */
export function residentLength(rope: Rope): number {
  const blobs = new Map<Source, number>();
  let length = 0;
  for (const segment of rope.segments) {
    if ('bytes' in segment) length += segment.bytes.length;
    else blobs.set(segment.source, segment.source.resident?.length ?? 0);
  }
  return [...blobs.values()].reduce((sum, size) => sum + size, length);
}

/**
 * Contents read lately, up to so many octets. They never change and their ids never come back, so nothing has to be
 * told when one is deleted: relay, POP3 and receipts read the same ones again and again.
 */
export class ContentCache {
  /** Least recently used first. */
  readonly #ropes = new Map<number, { readonly rope: Rope; readonly size: number }>();
  readonly #limit: number;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(id: number): Rope | undefined {
    const found = this.#ropes.get(id);
    if (found === undefined) return undefined;
    this.#ropes.delete(id);
    this.#ropes.set(id, found);
    return found.rope;
  }

  set(id: number, rope: Rope): void {
    // A bookkeeping allowance for each entry, so that a million empty ones do not count as nothing.
    const size = residentLength(rope) + 1024;
    if (size > this.#limit / 8 || this.#ropes.has(id)) return;
    this.#ropes.set(id, { rope, size });
    this.#size += size;
    for (const [oldest, entry] of this.#ropes) {
      if (this.#size <= this.#limit) break;
      this.#ropes.delete(oldest);
      this.#size -= entry.size;
    }
  }
}
