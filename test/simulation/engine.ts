/** The Store's engine in this process: the real writer and its batches, over a disk in memory that can fail and be lost. */
import type { Engine, News } from '../../src/storage/engine.js';
import { reviveError, StoreUnavailable } from '../../src/storage/errors.js';
import { writes } from '../../src/storage/operations/index.js';
import { Writer } from '../../src/storage/sqlite/writer.js';
import type { ReadOperation } from '../../src/storage/transaction.js';
import type { Disk } from './disk.js';

/**
 * What befalls a batch of writes. `dies before` and `dies after` its commit: in both nobody hears of it. `full`: nothing is
 * written, and the callers are told. `unknown`: all is written, and the callers are told that nobody knows.
 */
export type Strike = 'none' | 'dies before' | 'dies after' | 'full' | 'unknown';

export interface EngineParts {
  readonly disk: Disk;
  readonly now: () => number;
  readonly salt: () => Uint8Array;
  /** Asked before each batch. */
  readonly strike: () => Strike;
}

interface Waiting {
  readonly name: string;
  readonly input: unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Never comes: to code of a process that is dead. */
const never = new Promise<never>(() => undefined);

export class MemoryEngine implements Engine {
  readonly #parts: EngineParts;
  readonly #writer: Writer;
  readonly #listeners = new Set<(news: News) => void>();
  #waiting: Waiting[] = [];
  #dead = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const { disk, now, salt } = parts;
    this.#writer = new Writer({ open: () => disk.connection, operations: writes, now, salt });
  }

  /** From here on nothing of this process reaches the disk, and nobody waiting for it goes on. */
  kill(): void {
    this.#dead = true;
    this.#waiting = [];
    this.#listeners.clear();
  }

  write(name: string, input: unknown): Promise<unknown> {
    if (this.#dead) return never;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, input, resolve, reject });
      if (this.#waiting.length === 1) void this.#parts.disk.exclusive(() => this.#flush());
    });
  }

  /** One story is no load. */
  get load(): { waiting: number; limit: number } {
    return { waiting: this.#waiting.length, limit: Number.POSITIVE_INFINITY };
  }

  async read<I, O>(operation: ReadOperation<I, O>, input: I): Promise<O> {
    const { disk } = this.#parts;
    if (this.#dead) return never;
    const result = await disk.exclusive(() => operation(disk.connection, input));
    return this.#dead ? never : result;
  }

  async removeBlobFiles(): Promise<number> {
    return 0;
  }

  onNews(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.kill();
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    if (this.#dead || batch.length === 0) return;
    const strike = this.#parts.strike();
    if (strike === 'dies before') return this.kill();
    if (strike === 'full') return rejectAll(batch, 'full');
    const { replies, news } = await this.#writer.commit(
      batch.map(({ name, input }, id) => ({ id, name, input })),
    );
    if (strike === 'dies after') this.kill();
    // Killed, then or meanwhile: it is on the disk, and nobody is there to hear of it.
    if (this.#dead) return;
    if (strike === 'unknown') return rejectAll(batch, 'input-output');
    for (const [at, reply] of replies.entries()) {
      if ('error' in reply) batch[at]?.reject(reviveError(reply.error));
      else batch[at]?.resolve(reply.value);
    }
    if (news !== undefined) for (const listener of this.#listeners) listener(news);
  }
}

function rejectAll(batch: readonly Waiting[], reason: 'full' | 'input-output'): void {
  for (const { reject } of batch) reject(new StoreUnavailable(reason, `simulated: ${reason}`));
}
