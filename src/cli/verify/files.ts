import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveLimits } from '../../evidence/index.js';
import { Rope } from '../../rope/index.js';
import { CommandError } from '../command.js';

/** Folders in folders that are looked into. */
const DEPTH = 32;

/** A file to look into. `named`: by the user, not found in a folder. */
export interface Found {
  readonly path: string;
  readonly named: boolean;
}

/**
 * The files that arguments mean: themselves, or all in a folder and its folders, in the order of their names. Links are
 * not followed. @throws CommandError
 */
export async function filesAt(path: string): Promise<readonly Found[]> {
  const isFolder = await named(path, async () => (await stat(path)).isDirectory());
  if (!isFolder) return [{ path, named: true }];
  const found: Found[] = [];
  await collect(path, 0, found);
  return found;
}

async function collect(folder: string, depth: number, found: Found[]): Promise<void> {
  if (depth > DEPTH) throw new CommandError(`the folder ${folder} is too deep`);
  const entries = await named(folder, () => readdir(folder, { withFileTypes: true }));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await collect(path, depth + 1, found);
    else if (entry.isFile()) found.push({ path, named: false });
  }
}

/** Gives the file to `use` as a rope that reads when asked, and closes it after. @throws CommandError */
export async function* reading<T>(
  path: string,
  use: (file: Rope) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const handle = await named(path, () => open(path));
  try {
    yield* use(await named(path, () => ropeOf(path, handle)));
  } finally {
    await handle.close();
  }
}

async function ropeOf(path: string, handle: FileHandle): Promise<Rope> {
  const facts = await handle.stat();
  const { size } = facts;
  // A pipe has no length, and is read once.
  if (!facts.isFile()) return Rope.of(await handle.readFile());
  return Rope.of({ length: size, read: (offset, length) => octets(path, handle, offset, length) });
}

async function octets(path: string, handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await named(path, () => handle.read(bytes, at, length - at, offset + at));
    if (bytesRead === 0) throw new CommandError(`cannot read the file ${path}: it became shorter`);
    at += bytesRead;
  }
  return bytes;
}

/** A whole file of something that is a message, or fits into one. @param what as the error calls it */
export async function bytesOf(
  path: string,
  what: string,
  most = archiveLimits.messageOctets,
): Promise<Buffer> {
  const { size } = await named(path, () => stat(path), what);
  if (size > most) throw new CommandError(`${what} ${path} is larger than ${most} octets`);
  return named(path, () => readFile(path), what);
}

/** @throws CommandError that names the file */
async function named<T>(path: string, read: () => Promise<T>, what = 'the file'): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`cannot read ${what} ${path}: ${reason}`, { cause });
  }
}
