import { type FileHandle, open } from 'node:fs/promises';

/** Files kept open though nobody reads them just now. */
const IDLE_LIMIT = 32;
/** A handle not used for this long is closed. */
const IDLE_MS = 5000;

interface Entry {
  readonly handle: Promise<FileHandle>;
  readers: number;
  lastUsed: number;
}

/**
 * Handles of files being read. A message is read a chunk at a time by readers that may stop anywhere, so the handle
 * belongs to the pool, not to the reader: nothing leaks when a reader goes away.
 */
export class FileHandles {
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | undefined;

  /** Exactly `length` octets of the file from `offset`. @throws RangeError when the file is shorter. */
  async read(path: string, offset: number, length: number): Promise<Buffer> {
    const entry = this.#take(path);
    entry.readers += 1;
    try {
      return await readFully(await entry.handle, offset, length);
    } finally {
      entry.readers -= 1;
      entry.lastUsed = performance.now();
      if (entry.readers === 0 && this.#entries.get(path) !== entry) void closeEntry(entry);
      this.#closeIdle(Number.NEGATIVE_INFINITY);
    }
  }

  /** Another file has this name now: those to come read that one. */
  drop(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#forget(path, entry);
    if (entry.readers === 0) void closeEntry(entry);
  }

  /** Handles open now. */
  get size(): number {
    return this.#entries.size;
  }

  /** Closes what nobody reads. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map(closeEntry));
  }

  #take(path: string): Entry {
    let entry = this.#entries.get(path);
    if (entry === undefined) {
      const opened: Entry = { handle: open(path, 'r'), readers: 0, lastUsed: performance.now() };
      opened.handle.catch(() => this.#forget(path, opened));
      entry = opened;
    } else {
      this.#entries.delete(path);
    }
    this.#entries.set(path, entry);
    this.#timer ??= setInterval(() => this.#closeIdle(performance.now() - IDLE_MS), IDLE_MS).unref();
    return entry;
  }

  /** Closes those idle since before `since`, and of the others the oldest that are too many. */
  #closeIdle(since: number): void {
    const idle = [...this.#entries].filter(([, entry]) => entry.readers === 0);
    let surplus = idle.length - IDLE_LIMIT;
    for (const [path, entry] of idle) {
      if (surplus <= 0 && entry.lastUsed > since) continue;
      surplus -= 1;
      this.#forget(path, entry);
      void closeEntry(entry);
    }
    if (this.#entries.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #forget(path: string, entry: Entry): void {
    if (this.#entries.get(path) === entry) this.#entries.delete(path);
  }
}

async function closeEntry(entry: Entry): Promise<void> {
  // A handle that could not be opened has told its readers so.
  const handle = await entry.handle.catch(() => undefined);
  await handle?.close();
}

async function readFully(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) throw new RangeError(`the file ends ${length - done} octets early`);
    done += bytesRead;
  }
  return buffer;
}
