/**
 * The files of a sealed day. Crash points: before the link nothing is there; between the link and the row the next run
 * finds the file, sees that it holds what it would have written, and keeps its hash.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { chunksOf, openSignedFile, type Signer, signFile, type TrustStore } from '../../smime/index.js';
import type { DaySeal, RegisterRow, Store } from '../../storage/index.js';
import { clearLeftOver, makeFolder, publish, withTemporary } from './durable.js';
import { entryLine, headerLine, TABLE_HEAD, tableLine } from './lines.js';
import { type DayPaths, pathsOf } from './paths.js';
import { entriesOf } from './run.js';

export interface DayFileParts {
  readonly store: Pick<Store, 'read' | 'write'>;
  /** `data/registro` */
  readonly folder: string;
  readonly signer: Signer;
  /** What the own signature is believed on. */
  readonly trust: () => TrustStore;
  /** providerName. */
  readonly gestore: string;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Where a file of a day should come to be, there is another. */
export class DayFileTaken extends Error {
  override readonly name = 'DayFileTaken';
}

/** Writes the files of a day that has none and keeps their hashes. @throws DayFileTaken, RegisterTouched */
export async function writeDayFiles(parts: DayFileParts, seal: DaySeal): Promise<DaySeal> {
  const { store, gestore } = parts;
  const paths = pathsOf(parts.folder, seal);
  await makeFolder(paths.folder);
  await clearLeftOver(paths.folder, parts.clock());
  const csv = await withTemporary(paths.folder, async (file, temporary) => {
    const hash = await writeLines(file, TABLE_HEAD, entriesOf(store, seal.lanes), tableLine);
    if (!(await publish(file, temporary, paths.csv)) && (await fileHash(paths.csv)) !== hash) {
      throw new DayFileTaken(`${paths.csv} is there with another content`);
    }
    return hash;
  });
  const file = await withTemporary(paths.folder, async (content) => {
    const head = `${headerLine(seal, gestore)}\n`;
    const hash = await writeLines(
      content,
      head,
      entriesOf(store, seal.lanes),
      (row) => `${entryLine(row)}\n`,
    );
    return publishSigned(parts, paths, content, hash);
  });
  return store.write('putDayFiles', { day: seal.day, part: seal.part, file, csv });
}

async function publishSigned(
  { signer, clock, trust }: DayFileParts,
  paths: DayPaths,
  content: FileHandle,
  contentHash: string,
): Promise<string> {
  const written = await withTemporary(paths.folder, async (file, temporary) => {
    const hash = await signFile(content, file, signer, clock());
    return (await publish(file, temporary, paths.file)) ? hash : undefined;
  });
  if (written !== undefined) return written;
  const found = await open(paths.file, 'r');
  try {
    const { chunks } = await openSignedFile(found, { trust: trust() });
    const hash = createHash('sha256');
    for await (const chunk of chunks()) hash.update(chunk);
    if (hash.digest('hex') === contentHash) return await fileHash(paths.file);
  } finally {
    await found.close();
  }
  throw new DayFileTaken(`${paths.file} is there with another content`);
}

/** Octets gathered before they are written. */
const GATHERED = 64 * 1024;

/** @returns SHA-256 of what was written, lower-case hex */
async function writeLines(
  file: FileHandle,
  head: string,
  rows: AsyncIterable<RegisterRow>,
  line: (row: RegisterRow) => string,
): Promise<string> {
  const hash = createHash('sha256');
  let gathered = head;
  const flush = async (): Promise<void> => {
    const bytes = Buffer.from(gathered, 'utf8');
    gathered = '';
    hash.update(bytes);
    await file.writeFile(bytes);
  };
  for await (const row of rows) {
    gathered += line(row);
    if (gathered.length >= GATHERED) await flush();
  }
  await flush();
  return hash.digest('hex');
}

/** SHA-256 of a file, lower-case hex. @throws the file system's error */
export async function fileHash(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256');
    for await (const chunk of chunksOf(file, 0, size)) hash.update(chunk);
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}
