/**
 * The files of a sealed day. Crash points: before the link nothing is there; between the link and the row the next run
 * finds the file, sees that it holds what it would have written, and keeps its hash.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { chunksOf, openSignedFile, type Signer, signFile, type TrustStore } from '../../smime/index.js';
import type { DaySeal, Store } from '../../storage/index.js';
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
  const hashes = await withTemporary(paths.folder, (table, temporary) =>
    withTemporary(paths.folder, async (content) => {
      const csv = new TextWriter(table, TABLE_HEAD);
      const lines = new TextWriter(content, `${headerLine(seal, gestore)}\n`);
      for await (const row of entriesOf(store, seal.lanes)) {
        await csv.add(tableLine(row));
        await lines.add(`${entryLine(row)}\n`);
      }
      const hash = await csv.end();
      await publishTable(paths, table, temporary, hash);
      return { csv: hash, file: await publishSigned(parts, paths, content, await lines.end()) };
    }),
  );
  return store.write('putDayFiles', { day: seal.day, part: seal.part, ...hashes });
}

async function publishTable(
  paths: DayPaths,
  table: FileHandle,
  temporary: string,
  hash: string,
): Promise<void> {
  if (!(await publish(table, temporary, paths.csv)) && (await fileHash(paths.csv)) !== hash)
    throw new DayFileTaken(`${paths.csv} is there with another content`);
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

/** Text on its way into a file. */
class TextWriter {
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #gathered: string;

  constructor(file: FileHandle, head: string) {
    this.#file = file;
    this.#gathered = head;
  }

  async add(text: string): Promise<void> {
    this.#gathered += text;
    if (this.#gathered.length >= GATHERED) await this.#flush();
  }

  /** @returns SHA-256 of what was written, lower-case hex */
  async end(): Promise<string> {
    await this.#flush();
    return this.#hash.digest('hex');
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#gathered, 'utf8');
    this.#gathered = '';
    this.#hash.update(bytes);
    await this.#file.writeFile(bytes);
  }
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
