import { createHash } from 'node:crypto';
import { canonicalEvent, type LedgerEvent } from './canonical.js';

export const LEAF = Buffer.of(0x00);

/** The link before the first entry of a lane that follows no other. */
export const CHAIN_START: Buffer = Buffer.alloc(32);

/**
 * SHA-256(0x00 || salt || event). The salt hides the event from whoever holds only the leaf, so the leaves that are
 * left after a purge tell nothing.
 */
export function leafHash(salt: Uint8Array, event: LedgerEvent): Buffer {
  return createHash('sha256').update(LEAF).update(salt).update(canonicalEvent(event)).digest();
}

/** SHA-256(0x00 || bytes): the leaf of what is no event, such as the head of a lane. */
export function plainLeaf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(LEAF).update(bytes).digest();
}

/** SHA-256(previous link || leaf): each entry commits to all those before it in its lane. */
export function linkHash(previous: Uint8Array, leaf: Uint8Array): Buffer {
  return createHash('sha256').update(previous).update(leaf).digest();
}
