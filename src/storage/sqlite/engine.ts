/** SQLite behind the Store: one thread that writes, one read-only connection here. */
import { Worker } from 'node:worker_threads';
import type { Engine, News } from '../engine.js';
import { reviveError } from '../errors.js';
import type { ReadOperation } from '../transaction.js';
import { type Connection, openReading } from './connection.js';
import { exact } from './exact.js';
import { unavailability, unavailable } from './failure.js';
import type { FromWriter, ToWriter, WriteReply, WriteRequest, WriterSettings } from './messages.js';

/** Writes that may wait: past this the callers are told to come again, and memory stays bounded. */
const WAITING_LIMIT = 4096;

export interface SqliteEngineOptions {
  /** The database; its schema is up to date. */
  readonly file: string;
  readonly blobFolder: string;
  /** URL of a module that exports `writes`, in place of the store's own operations. */
  readonly operations?: string | undefined;
  readonly waitingLimit?: number | undefined;
  /** Of a `LatestTime`: no entry of the register is dated later. */
  readonly latest?: SharedArrayBuffer | undefined;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** @throws StoreUnavailable when the file cannot be opened. */
export async function openSqliteEngine(options: SqliteEngineOptions): Promise<Engine> {
  const engine = new SqliteEngine(options);
  await engine.start();
  return engine;
}

class SqliteEngine implements Engine {
  readonly #settings: WriterSettings;
  readonly #waitingLimit: number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(news: News) => void>();
  #unposted: WriteRequest[] = [];
  #lastId = 0;
  #writer: Worker | undefined;
  #starting: Promise<Worker> | undefined;
  #reader: Connection | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor({ file, blobFolder, operations, waitingLimit, latest }: SqliteEngineOptions) {
    this.#settings = { file, blobFolder, operations, latest };
    this.#waitingLimit = waitingLimit ?? WAITING_LIMIT;
  }

  async start(): Promise<void> {
    await this.#started();
    this.#reader = openReading(this.#settings.file);
  }

  write(name: string, input: unknown): Promise<unknown> {
    return this.#ask((id) => {
      this.#unposted.push({ id, name, input: exact(input) });
      // What is written in one turn of the loop is posted at once: it will share a batch.
      if (this.#unposted.length === 1) setImmediate(() => this.#postAll());
    });
  }

  removeBlobFiles(hashes: readonly string[]): Promise<number> {
    return this.#ask((id) => this.#post({ kind: 'remove-files', id, hashes })) as Promise<number>;
  }

  read<I, O>(operation: ReadOperation<I, O>, input: I): Promise<O> {
    // One after the other: they share the connection, and each has its own transaction on it.
    const result = this.#reading.then(() => this.#readNow(operation, input));
    this.#reading = result.catch(() => undefined);
    return result;
  }

  get load(): { waiting: number; limit: number } {
    return { waiting: this.#waiting.size, limit: this.#waitingLimit };
  }

  onNews(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#writer?.ref();
    await this.#reading;
    // A writer that cannot start has told those who waited.
    const writer = await this.#starting?.catch(() => undefined);
    if (writer !== undefined) {
      writer.ref();
      this.#flush(writer);
      const exited = new Promise((resolve) => writer.once('exit', resolve));
      writer.postMessage({ kind: 'close' } satisfies ToWriter);
      await exited;
    }
    this.#reader?.close();
    this.#reader = undefined;
  }

  #ask(send: (id: number) => void): Promise<unknown> {
    if (this.#closed) return Promise.reject(unavailable('closed'));
    if (this.#waiting.size >= this.#waitingLimit) return Promise.reject(unavailable('busy'));
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      // An idle store does not keep the process alive; one that owes an answer does.
      if (this.#waiting.size === 0) this.#writer?.ref();
      this.#waiting.set(this.#lastId, { resolve, reject });
      send(this.#lastId);
    });
  }

  #postAll(): void {
    if (this.#writer !== undefined) {
      this.#flush(this.#writer);
      return;
    }
    this.#started().then(
      (writer) => this.#flush(writer),
      (error: unknown) => this.#failAll(unavailable('thread', error)),
    );
  }

  #flush(writer: Worker): void {
    const requests = this.#unposted;
    this.#unposted = [];
    if (requests.length === 0) return;
    try {
      writer.postMessage({ kind: 'write', requests } satisfies ToWriter);
    } catch {
      // One input that cannot be cloned may not keep the others from being written.
      for (const request of requests) this.#postAlone(writer, request);
    }
  }

  #postAlone(writer: Worker, request: WriteRequest): void {
    try {
      writer.postMessage({ kind: 'write', requests: [request] } satisfies ToWriter);
    } catch (error) {
      this.#settle(request.id)?.reject(error instanceof Error ? error : new TypeError(String(error)));
    }
  }

  #post(message: ToWriter): void {
    this.#started().then(
      (writer) => writer.postMessage(message),
      (error: unknown) => this.#failAll(unavailable('thread', error)),
    );
  }

  /** The running writer: a new one when the last has died. */
  #started(): Promise<Worker> {
    if (this.#starting !== undefined) return this.#starting;
    const worker = new Worker(new URL('./writer-thread.js', import.meta.url), {
      workerData: this.#settings,
      name: 'ceralacca-writer',
    });
    this.#starting = new Promise<Worker>((resolve, reject) => {
      worker.on('message', (message: FromWriter) => {
        if (message.kind === 'ready') resolve(this.#ready(worker));
        else if (message.kind === 'unable') reject(reviveError(message.error));
        else this.#receive(message);
      });
      worker.once('error', (error) => {
        reject(error);
        this.#failAll(unavailable('thread', error));
      });
      worker.once('exit', () => {
        this.#writer = undefined;
        this.#starting = undefined;
        reject(unavailable('thread'));
        this.#failAll(unavailable(this.#closed ? 'closed' : 'thread'));
      });
    });
    return this.#starting;
  }

  #ready(worker: Worker): Worker {
    this.#writer = worker;
    if (this.#waiting.size === 0 && !this.#closed) worker.unref();
    return worker;
  }

  #receive(message: Extract<FromWriter, { kind: 'replies' | 'elsewhere' }>): void {
    if (message.kind === 'elsewhere') {
      this.#announce({ queue: true, mailboxes: [], elsewhere: true });
      return;
    }
    for (const reply of message.replies) this.#answer(reply);
    if (message.news !== undefined) this.#announce(message.news);
  }

  #answer(reply: WriteReply): void {
    const waiting = this.#settle(reply.id);
    if (waiting === undefined) return;
    if ('error' in reply) waiting.reject(reviveError(reply.error));
    else waiting.resolve(reply.value);
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0 && !this.#closed) this.#writer?.unref();
    return waiting;
  }

  #failAll(error: Error): void {
    this.#unposted = [];
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(error);
  }

  #announce(news: News): void {
    for (const listener of this.#listeners) listener(news);
  }

  async #readNow<I, O>(operation: ReadOperation<I, O>, input: I): Promise<O> {
    const reader = this.#reader;
    if (reader === undefined) throw unavailable('closed');
    try {
      reader.control('begin');
      return await operation(reader, input);
    } catch (error) {
      const reason = unavailability(error);
      throw reason === undefined ? error : unavailable(reason, error);
    } finally {
      if (reader.inTransaction) reader.control('rollback');
    }
  }
}
