/**
 * Blobs as files, `aa/bb/<sha256>`: never written in place, so a name that is there holds all of its bytes.
 *
 * Crash point: between the temporary link and the rename nothing is named; after the rename and before the commit the
 * link keeps the file until it expires. The order is fsync(file), rename, fsync(folder): only then is it adopted.
 */
import { randomUUID } from 'node:crypto';
import { copyFile, type FileHandle, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Source } from '../../rope/index.js';
import { BlobDamaged, StoreUnavailable } from '../errors.js';
import { FileHandles } from './handles.js';
import { blobPath, isBlobHash } from './layout.js';
import { Proofs } from './proofs.js';

/** Where copies from another file system grow; on the same one as the blobs. */
const TEMPORARY = 'tmp';

export class BlobFiles {
  readonly folder: string;
  readonly #handles = new FileHandles();
  readonly #proofs = new Proofs(this.#handles);

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the folder, readable by its owner only. */
  async prepare(): Promise<void> {
    await mkdir(join(this.folder, TEMPORARY), { recursive: true, mode: 0o700 });
  }

  /**
   * Makes the file at `from` the blob of this hash, durably; `from` is gone afterwards. Doing it again, also after a
   * crash half-way, ends the same.
   * @throws RangeError when it is not `length` octets long; StoreUnavailable when the disk fails.
   */
  async adopt(from: string, hash: string, length: number): Promise<void> {
    const path = blobPath(this.folder, hash);
    try {
      if (await this.#isWhole(path, hash, length)) await rm(from, { force: true });
      else await this.#move(from, path, length);
      await syncFolder(dirname(path));
      this.#proofs.believe(hash);
    } catch (error) {
      throw diskError(error);
    }
  }

  /**
   * Makes sure that the file of a blob is there, whole, with the bytes of its name.
   * @throws BlobDamaged; StoreUnavailable when the disk fails.
   */
  async prove(hash: string, length: number): Promise<void> {
    const path = blobPath(this.folder, hash);
    try {
      await this.#present(path, hash, length);
      await this.#proofs.prove(path, hash, length);
    } catch (error) {
      const told = readingError(error, hash);
      // Whoever mends it puts another file in its place: the one that is open now must not be read again.
      if (told instanceof BlobDamaged) this.#handles.drop(path);
      throw told;
    }
  }

  /** Makes sure that the file of a blob is there, with all its octets. @throws as `prove` */
  async present(hash: string, length: number): Promise<void> {
    try {
      await this.#present(blobPath(this.folder, hash), hash, length);
    } catch (error) {
      throw readingError(error, hash);
    }
  }

  /** A stored blob of `length` octets. Its reads throw BlobDamaged, StoreUnavailable. */
  source(hash: string, length: number): Source {
    const path = blobPath(this.folder, hash);
    return {
      length,
      hash,
      read: async (offset, wanted) => {
        if (offset < 0 || wanted < 0 || offset + wanted > length) {
          throw new RangeError(`octets ${offset} to ${offset + wanted} of a blob of ${length}`);
        }
        try {
          return await this.#handles.read(path, offset, wanted);
        } catch (error) {
          throw readingError(error, hash);
        }
      },
    };
  }

  /** Hashes of the blobs on the disk not changed since `before` (epoch milliseconds), a folder at a time. */
  async *olderThan(before: number): AsyncGenerator<string[], void, undefined> {
    for (const first of await namesIn(this.folder)) {
      if (first.length !== 2) continue;
      for (const second of await namesIn(join(this.folder, first))) {
        const folder = join(this.folder, first, second);
        const hashes: string[] = [];
        for (const name of await namesIn(folder)) {
          if (isBlobHash(name) && (await changedBefore(join(folder, name), before))) hashes.push(name);
        }
        if (hashes.length > 0) yield hashes;
      }
    }
  }

  /** Removes the halves of copies that a crash left, not changed since `before`. */
  async clearTemporary(before: number): Promise<void> {
    const folder = join(this.folder, TEMPORARY);
    for (const name of await namesIn(folder)) {
      if (await changedBefore(join(folder, name), before)) await rm(join(folder, name), { force: true });
    }
  }

  async close(): Promise<void> {
    await this.#handles.close();
  }

  async #present(path: string, hash: string, length: number): Promise<void> {
    const size = await sizeOf(path);
    if (size === length) return;
    this.#proofs.forget(hash);
    this.#handles.drop(path);
    throw new BlobDamaged(hash, size === undefined ? 'has no file' : `has ${size} octets, not ${length}`);
  }

  /** A file that is there already is kept only if it is sound: else these bytes, which were acknowledged, would be lost. */
  async #isWhole(path: string, hash: string, length: number): Promise<boolean> {
    if ((await sizeOf(path)) !== length) return false;
    try {
      await this.#proofs.prove(path, hash, length);
      return true;
    } catch (error) {
      if (error instanceof BlobDamaged) return false;
      throw error;
    }
  }

  async #move(from: string, path: string, length: number): Promise<void> {
    const size = await sizeOf(from);
    if (size !== length) throw new RangeError(`${from} has ${size ?? 'no'} octets, not ${length}`);
    await sync(from, 'r');
    await this.#makeFolder(dirname(path));
    try {
      await rename(from, path);
    } catch (error) {
      if (!hasCode(error, 'EXDEV')) throw error;
      await this.#copy(from, path);
    }
    this.#handles.drop(path);
  }

  /** From another file system: the copy becomes durable under a temporary name first. */
  async #copy(from: string, path: string): Promise<void> {
    const temporary = join(this.folder, TEMPORARY, randomUUID());
    try {
      await copyFile(from, temporary);
      await sync(temporary, 'r');
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
    await syncFolder(dirname(path));
    await rm(from, { force: true });
  }

  async #makeFolder(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first === undefined) return;
    // A new folder is durable once those above it are.
    await syncFolder(dirname(folder));
    await syncFolder(this.folder);
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/** What a failing disk means to the caller; other errors as they are. */
function diskError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnavailable || !('code' in error)) return error;
  const full = hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT');
  return new StoreUnavailable(full ? 'full' : 'input-output', error.message, { cause: error });
}

/** The same where a blob was read. */
function readingError(error: unknown, hash: string): unknown {
  if (hasCode(error, 'ENOENT')) return new BlobDamaged(hash, 'has no file', { cause: error });
  if (error instanceof RangeError)
    return new BlobDamaged(hash, `is cut short: ${error.message}`, { cause: error });
  return diskError(error);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function changedBefore(path: string, before: number): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < before;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(folder)) names.push(entry.name);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') && !hasCode(error, 'ENOTDIR')) throw error;
  }
  return names;
}

const syncFolder = (folder: string): Promise<void> => sync(folder, 'r');

async function sync(path: string, flags: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, flags);
    await handle.sync();
  } finally {
    await handle?.close();
  }
}
