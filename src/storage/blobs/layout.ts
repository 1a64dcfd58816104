import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** Blobs up to this many octets live in the database and travel in the operation's own transaction. */
export const SMALL_BLOB = 64 * 1024;

const HASH = /^[0-9a-f]{64}$/;

export const isBlobHash = (text: string): boolean => HASH.test(text);

/** `aa/bb/<sha256>` under the folder. @throws TypeError for what is no hash: it would be a path of its own choice. */
export function blobPath(folder: string, hash: string): string {
  if (!HASH.test(hash)) throw new TypeError(`not the hash of a blob: ${JSON.stringify(hash)}`);
  return join(folder, hash.slice(0, 2), hash.slice(2, 4), hash);
}

/** A file that is gone already is as good as removed. */
export function removeBlobFile(folder: string, hash: string): void {
  rmSync(blobPath(folder, hash), { force: true });
}
