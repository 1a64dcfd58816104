/**
 * Files that are written once, read-only, and never in part: tmp -> fsync -> link -> fsync(dir). A link does not replace
 * what is there: of two who write the same file, the second one finds the first one's.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const READ_ONLY = 0o400;
/** A temporary file older than this was left by a crash. Milliseconds. */
const LEFT_OVER = 24 * 3_600_000;

/** Makes a folder and those above it, for their owner only; durable. */
export async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  for (let at = folder; at.length >= dirname(made).length; at = dirname(at)) await syncFolder(at);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** An empty file that goes away afterwards, whatever happens. */
export async function withTemporary<T>(
  folder: string,
  work: (file: FileHandle, path: string) => Promise<T>,
): Promise<T> {
  const path = join(folder, `.${randomBytes(8).toString('hex')}.tmp`);
  const file = await open(path, 'wx+', 0o600);
  try {
    return await work(file, path);
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

/** Gives a finished temporary file its name. @returns false when something of that name is there already */
export async function publish(file: FileHandle, temporary: string, path: string): Promise<boolean> {
  await file.chmod(READ_ONLY);
  await file.sync();
  try {
    await link(temporary, path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await syncFolder(dirname(path));
  }
  return true;
}

/** The same for bytes at hand. */
export const publishBytes = (path: string, bytes: Uint8Array): Promise<boolean> =>
  withTemporary(dirname(path), async (file, temporary) => {
    await file.writeFile(bytes);
    return publish(file, temporary, path);
  });

/** Removes files and tells the disk. */
export async function removeFiles(folder: string, paths: readonly string[]): Promise<void> {
  try {
    for (const path of paths) await rm(path, { force: true });
    await syncFolder(folder);
  } catch (error) {
    // The folder is gone, and they with it.
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error;
  }
}

/** Removes what crashes left in a folder. */
export async function clearLeftOver(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^\.[0-9a-f]{16}\.tmp$/.test(name)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && now - found.mtimeMs > LEFT_OVER) await rm(path, { force: true });
  }
}
