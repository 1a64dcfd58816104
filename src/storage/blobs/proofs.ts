import { createHash } from 'node:crypto';
import { BlobDamaged } from '../errors.js';
import type { FileHandles } from './handles.js';

/** Octets read at a time. */
const CHUNK = 1024 * 1024;
/** Milliseconds for which a file that was found whole is believed to be so. */
const BELIEVED = 10 * 60_000;
/** Files remembered as whole. */
const REMEMBERED = 4096;

/**
 * Which files of blobs hold the bytes of their name. A disk gives back other bytes than it was given without a word; a
 * signature over them would not hold, so they are looked at before they leave. What was looked at lately, or came from
 * us just now, is not read again.
 */
export class Proofs {
  readonly #handles: FileHandles;
  /** When each was found whole; the oldest first. */
  readonly #found = new Map<string, number>();
  readonly #looking = new Map<string, Promise<void>>();

  constructor(handles: FileHandles) {
    this.#handles = handles;
  }

  /** @throws BlobDamaged; what reading the file throws. */
  prove(path: string, hash: string, length: number): Promise<void> {
    const found = this.#found.get(hash);
    if (found !== undefined && Date.now() - found < BELIEVED) return Promise.resolve();
    const looking = this.#looking.get(hash) ?? this.#look(path, hash, length);
    this.#looking.set(hash, looking);
    return looking;
  }

  /** The file has just been written with these bytes. */
  believe(hash: string): void {
    this.#found.delete(hash);
    this.#found.set(hash, Date.now());
    for (const [oldest] of this.#found) {
      if (this.#found.size <= REMEMBERED) break;
      this.#found.delete(oldest);
    }
  }

  /** The file is gone, or not what it was. */
  forget(hash: string): void {
    this.#found.delete(hash);
  }

  async #look(path: string, hash: string, length: number): Promise<void> {
    try {
      this.forget(hash);
      const digest = createHash('sha256');
      for (let at = 0; at < length; at += CHUNK) {
        digest.update(await this.#handles.read(path, at, Math.min(CHUNK, length - at)));
      }
      if (digest.digest('hex') !== hash) throw new BlobDamaged(hash, 'has other bytes than its name says');
      this.believe(hash);
    } finally {
      this.#looking.delete(hash);
    }
  }
}
