import type { Rope } from '../rope/index.js';
import type { Part, StructureLimits } from './part.js';
import { StructureWalk } from './structure-walk.js';

/** A rope in memory is read in one piece up to this size; beyond it, and from sources, by windows. */
const IN_ONE_PIECE = 1024 * 1024;
const WINDOW = 64 * 1024;

/**
 * The tree of parts of a message, read once from front to back. Of the bodies nothing is kept: memory is the headers and
 * one window. Lines end with CRLF only; a delimiter is a whole line (RFC 2046 5.1.1), and an outer multipart's delimiter
 * counts before an inner one's, so how a multipart is divided never depends on what its parts hold. A multipart without
 * a usable boundary is a leaf; a missing close delimiter closes at the end.
 * @throws MimeError too-deep, too-many-parts, header-too-large.
 */
export async function readStructure(rope: Rope, limits: StructureLimits = {}): Promise<Part> {
  const walk = new StructureWalk(rope.length, limits);
  const small = rope.length <= IN_ONE_PIECE || rope.segments.length === 1;
  const resident = small ? rope.resident() : undefined;
  if (resident !== undefined) walk.scan(resident, 0);
  else await readByWindows(rope, walk, WINDOW);
  return walk.root;
}

/** Feeds a walk from the rope's chunks, at least `window` octets at a time, until it has seen enough. */
export async function readByWindows(rope: Rope, walk: StructureWalk, window: number): Promise<void> {
  let held: Buffer[] = [];
  let heldLength = 0;
  let base = 0;
  for await (const chunk of rope.chunks()) {
    for (let at = 0; at < chunk.length; at += window) {
      const piece = chunk.subarray(at, at + window);
      held.push(piece);
      heldLength += piece.length;
      const last = base + heldLength === rope.length;
      if (heldLength < window && !last) continue;
      const bytes = held.length === 1 ? piece : Buffer.concat(held, heldLength);
      const needed = walk.scan(bytes, base);
      if (walk.done) return;
      held = [bytes.subarray(needed - base)];
      heldLength -= needed - base;
      base = needed;
    }
  }
  if (rope.length === 0) walk.scan(Buffer.alloc(0), 0);
}
