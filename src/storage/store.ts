import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import type { Rope, Source } from '../rope/index.js';
import type { BlobFiles } from './blobs/files.js';
import { knownBlobs } from './blobs/known.js';
import { SMALL_BLOB } from './blobs/layout.js';
import { residentSource, smallSource } from './blobs/resident.js';
import { ContentCache, contentWithBlobs, unpack } from './contents.js';
import type { Engine, News } from './engine.js';
import { StoreConflict } from './errors.js';
import { reads, type writes } from './operations/index.js';
import { pack } from './pack.js';
import type { PackedRope } from './records.js';
import type { Operation, ReadOperation } from './transaction.js';

type Writes = typeof writes;
type Reads = typeof reads;
// biome-ignore lint/suspicious/noExplicitAny: the parameter is only left out of the inference
type WriteInput<N extends keyof Writes> = Writes[N] extends Operation<infer I, any> ? I : never;
type WriteOutput<N extends keyof Writes> = Awaited<ReturnType<Writes[N]>>;
// biome-ignore lint/suspicious/noExplicitAny: the parameter is only left out of the inference
type ReadInput<N extends keyof Reads> = Reads[N] extends ReadOperation<infer I, any> ? I : never;
type ReadOutput<N extends keyof Reads> = Awaited<ReturnType<Reads[N]>>;

export interface Store {
  /**
   * Runs a write operation; resolves once it is on the disk.
   * @throws StoreConflict as the operation says; StoreUnavailable: nothing was acknowledged, answer a temporary error.
   */
  write<N extends keyof Writes>(name: N, input: WriteInput<N>): Promise<WriteOutput<N>>;
  /** Runs a read operation on one consistent state. @throws StoreUnavailable */
  read<N extends keyof Reads>(name: N, input: ReadInput<N>): Promise<ReadOutput<N>>;
  /** Makes a rope ready to be a content of a commit. @throws RangeError when too much of it is no blob. */
  pack(rope: Rope): Promise<PackedRope>;
  /** A stored content. @throws StoreConflict 'content' when there is none; BlobDamaged when the file of a blob is gone. */
  open(contentId: number): Promise<Rope>;
  /**
   * A stored content, every large blob of it read and found to have the bytes of its name: for what leaves the house.
   * @throws as `open`; BlobDamaged
   */
  openProved(contentId: number): Promise<Rope>;
  readonly blobs: Blobs;
  /** Writes that were asked for and not answered, and how many may be: past the limit they are StoreUnavailable 'busy'. */
  readonly load: { readonly waiting: number; readonly limit: number };
  /** Calls the listener after each commit that touched the queue or a mailbox. @returns what ends it. */
  onCommit(listener: (news: News) => void): () => void;
  /** Removes what nothing points at any more. */
  sweep(options: { readonly now: number }): Promise<{ readonly contents: number; readonly files: number }>;
  /** Removes files of blobs without a row, left by crashes, last changed before `before` (epoch milliseconds). */
  removeOrphans(options: { readonly before: number }): Promise<{ readonly files: number }>;
  /** How many files `removeOrphans` would remove. */
  countOrphans(options: { readonly before: number }): Promise<number>;
  /** Lets the writes that wait finish. */
  close(): Promise<void>;
}

export interface Blobs {
  /**
   * Takes over a spool file as a blob, durably, and keeps it an hour for the commit that will point at it. The file is
   * gone afterwards. One of at most 64 KiB comes back in memory instead: it will travel with the commit.
   * @param hash SHA-256 of the file, lower-case hex.
   * @param length its octets.
   * @throws RangeError when the file is not what was said; StoreUnavailable.
   */
  adopt(spoolFile: string, hash: string, length: number): Promise<Source>;
  /** Bytes in memory, at most 64 KiB, that will be kept once under their hash. @throws RangeError */
  small(bytes: Uint8Array): Source;
  /** A stored blob. @throws StoreConflict 'blob' when there is none. */
  open(hash: string): Promise<Source>;
}

/** How long an adopted blob waits for the commit that points at it. */
const LINK_MS = 3_600_000;
/** Contents looked at in one write of the sweeper, so that mail never waits for it long. */
const SWEEP_LIMIT = 200;
/** Files removed while other writers wait. */
const REMOVE_LIMIT = 32;
/** Octets of contents kept in memory. */
const CACHE_LIMIT = 32 * 1024 * 1024;

export interface StoreParts {
  readonly engine: Engine;
  readonly files: BlobFiles;
  /** Epoch milliseconds. */
  now(): number;
}

export class LocalStore implements Store {
  readonly blobs: Blobs;
  readonly #engine: Engine;
  readonly #files: BlobFiles;
  readonly #now: () => number;
  readonly #cache = new ContentCache(CACHE_LIMIT);

  constructor({ engine, files, now }: StoreParts) {
    this.#engine = engine;
    this.#files = files;
    this.#now = now;
    this.blobs = {
      adopt: (spoolFile, hash, length) => this.#adopt(spoolFile, hash, length),
      small: smallSource,
      open: (hash) => this.#openBlob(hash),
    };
  }

  write<N extends keyof Writes>(name: N, input: WriteInput<N>): Promise<WriteOutput<N>> {
    // The engine runs the operation of this very name: what comes back is what that operation returns.
    return this.#engine.write(name, input) as Promise<WriteOutput<N>>;
  }

  read<N extends keyof Reads>(name: N, input: ReadInput<N>): Promise<ReadOutput<N>> {
    // A table of operations indexed by a type parameter is to TypeScript a union of all of them.
    const operation = reads[name] as unknown as ReadOperation<ReadInput<N>, ReadOutput<N>>;
    return this.#engine.read(operation, input);
  }

  pack(rope: Rope): Promise<PackedRope> {
    return pack(rope);
  }

  async open(contentId: number): Promise<Rope> {
    const rope = await this.#compose(contentId);
    for (const { hash, length } of largeBlobs(rope)) await this.#files.present(hash, length);
    return rope;
  }

  async openProved(contentId: number): Promise<Rope> {
    const rope = await this.#compose(contentId);
    for (const { hash, length } of largeBlobs(rope)) await this.#files.prove(hash, length);
    return rope;
  }

  async #compose(contentId: number): Promise<Rope> {
    const known = this.#cache.get(contentId);
    if (known !== undefined) return known;
    const content = await this.#engine.read(contentWithBlobs, { id: contentId });
    const rope = unpack(content, (hash, length) => this.#files.source(hash, length));
    this.#cache.set(contentId, rope);
    return rope;
  }

  get load(): { readonly waiting: number; readonly limit: number } {
    return this.#engine.load;
  }

  onCommit(listener: (news: News) => void): () => void {
    return this.#engine.onNews(listener);
  }

  async sweep({ now }: { readonly now: number }): Promise<{ contents: number; files: number }> {
    let contents = 0;
    let files = 0;
    for (let more = true; more; ) {
      const swept = await this.write('sweep', { now, limit: SWEEP_LIMIT });
      contents += swept.contents;
      files += await this.#removeFiles(swept.removed);
      more = swept.more;
    }
    return { contents, files };
  }

  async removeOrphans({ before }: { readonly before: number }): Promise<{ files: number }> {
    let files = 0;
    await this.#files.clearTemporary(before);
    for await (const hashes of this.#files.olderThan(before)) files += await this.#removeFiles(hashes);
    return { files };
  }

  async countOrphans({ before }: { readonly before: number }): Promise<number> {
    let files = 0;
    for await (const hashes of this.#files.olderThan(before)) {
      files += hashes.length - (await this.#engine.read(countKnown, { hashes }));
    }
    return files;
  }

  async close(): Promise<void> {
    await this.#engine.close();
    await this.#files.close();
  }

  async #adopt(spoolFile: string, hash: string, length: number): Promise<Source> {
    if (length <= SMALL_BLOB) return adoptSmall(spoolFile, hash, length);
    // The link comes first: from here on the sweeper leaves this hash alone.
    await this.write('linkBlob', { hash, size: length, expiresAt: this.#now() + LINK_MS });
    await this.#files.adopt(spoolFile, hash, length);
    return this.#files.source(hash, length);
  }

  async #openBlob(hash: string): Promise<Source> {
    const blob = await this.read('blob', { hash });
    if (blob === undefined) throw new StoreConflict('blob', `blob ${hash} is not stored`, { hash });
    return blob.bytes === null ? this.#files.source(hash, blob.size) : residentSource(hash, blob.bytes);
  }

  async #removeFiles(hashes: readonly string[]): Promise<number> {
    let removed = 0;
    for (let at = 0; at < hashes.length; at += REMOVE_LIMIT) {
      removed += await this.#engine.removeBlobFiles(hashes.slice(at, at + REMOVE_LIMIT));
    }
    return removed;
  }
}

/** The blobs a stored rope reads from files, each once. */
function largeBlobs(rope: Rope): { hash: string; length: number }[] {
  const found = new Map<string, number>();
  for (const segment of rope.segments) {
    if ('bytes' in segment) continue;
    const { hash, length, resident } = segment.source;
    if (hash !== undefined && resident === undefined) found.set(hash, length);
  }
  return [...found].map(([hash, length]) => ({ hash, length }));
}

const countKnown: ReadOperation<{ hashes: readonly string[] }, number> = async (tx, { hashes }) =>
  (await tx.all(knownBlobs, { hashes })).length;

async function adoptSmall(spoolFile: string, hash: string, length: number): Promise<Source> {
  const bytes = await readFile(spoolFile);
  if (bytes.length !== length || createHash('sha256').update(bytes).digest('hex') !== hash) {
    throw new RangeError(`${spoolFile} is not the ${length} octets of ${hash}`);
  }
  await rm(spoolFile, { force: true });
  return residentSource(hash, bytes);
}
