/**
 * Where an incoming message waits while it is judged. Up to 64 KiB stays in memory; a longer one goes to a file of its own
 * in data/spool, whose bytes are on the disk (fsync) before anybody is told of them. Nothing here outlives a crash: what a
 * dead process left is removed later, since nothing was acknowledged for it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { CanonicalGuard } from '../mime/index.js';
import { Rope, type Source } from '../rope/index.js';

export type SpoolFault = 'bare-cr' | 'bare-lf' | 'nul' | 'too-large';

export interface Spooled {
  /** One segment over a source that knows its SHA-256. Empty when there is a fault. */
  readonly rope: Rope;
  /** Octets received, those past the limit included. */
  readonly length: number;
  /** SHA-256, lower-case hex; empty when there is a fault. */
  readonly hash: string;
  /** Octets of the longest line, its CRLF not counted. */
  readonly longestLine: number;
  readonly eightBit: boolean;
  readonly fault?: SpoolFault | undefined;
  /** The spool file, when the message is over 64 KiB. */
  readonly file?: string | undefined;
  /** Frees memory and file. The rope is dead after it, unless `keep` made a blob of the file. Never rejects. */
  discard(): Promise<void>;
}

/** What watches the lines go by: mime's CanonicalGuard. */
export type LineGuard = Pick<CanonicalGuard, 'push' | 'end' | 'fault' | 'longestLine' | 'eightBit'>;

export interface SpoolOptions {
  /** An existing folder on the same file system as the blobs. */
  readonly dir: string;
  /** Octets; a longer message is swallowed to its end and reported. */
  readonly limit: number;
  readonly guard?: LineGuard | undefined;
  /** Asked before so many octets go to the file; what it throws is thrown at the end of the message. */
  readonly room?: ((octets: number) => void) | undefined;
}

/** The disk did not take a message: full, read-only, broken, or no file could be opened. Nothing of it is left. */
export class SpoolFailure extends Error {
  override readonly name = 'SpoolFailure';
  /** True when making room helps. */
  readonly full: boolean;

  constructor(cause: unknown) {
    super(`spool: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    this.full = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code);
  }
}

/** The part of the Store that makes a blob of a spool file, durably, under a temporary link (architecture 4). */
export interface BlobKeeper {
  readonly blobs: { adopt(spoolFile: string, hash: string, length: number): Promise<Source> };
}

/** Octets kept in memory: those of a blob that travels in the operation's own transaction (architecture 4). */
const IN_MEMORY = 64 * 1024;
/** Octets gathered before a write to the file. */
const WRITE_SIZE = 256 * 1024;
/** Milliseconds without a write, longer than any peer may take over one message. */
const LEFT_BEHIND = 2 * 3_600_000;
const SPOOL_NAME = /^[0-9a-f]{32}\.spool$/;

/**
 * Takes a message from a stream, hashing and checking it as it comes. Always reads to the end: a refusal is spoken after
 * the final dot.
 * @throws whatever the stream fails with (the peer left), SpoolFailure when the disk takes no more, and what `room` throws;
 * nothing is left behind then.
 */
export async function spool(stream: Readable, options: SpoolOptions): Promise<Spooled> {
  const guard = options.guard ?? new CanonicalGuard();
  const intake = new Intake(options.dir, options.room);
  let length = 0;
  let fault: SpoolFault | undefined;
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const piece of stream.iterator({ destroyOnReturn: false })) {
      const chunk = piece as Buffer;
      length += chunk.length;
      if (fault !== undefined || failure !== undefined) continue;
      guard.push(chunk);
      fault = length > options.limit ? 'too-large' : guard.fault;
      if (fault !== undefined) {
        // What is only swallowed holds neither memory nor disk.
        await intake.discard();
        continue;
      }
      try {
        await intake.add(chunk);
      } catch (error) {
        failure = { error };
        await intake.discard();
      }
    }
    guard.end();
    fault ??= guard.fault;
    if (failure !== undefined) throw failure.error;
    const facts = { length, longestLine: guard.longestLine, eightBit: guard.eightBit };
    if (fault !== undefined) {
      await intake.discard();
      return { ...facts, fault, rope: Rope.empty, hash: '', discard: async () => undefined };
    }
    const { source, hash, file } = await intake.finish();
    return { ...facts, rope: Rope.of(source), hash, file, discard: () => intake.discard() };
  } catch (error) {
    await intake.discard();
    throw error;
  }
}

/**
 * Removes what dead processes left in the spool, and makes the folder where there is none. A file touched in the last two
 * hours stays: it may be what another process is taking in now. Answers how many files went.
 */
export async function cleanSpool(dir: string): Promise<number> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  let removed = 0;
  for (const name of (await readdir(dir)).filter((one) => SPOOL_NAME.test(one))) {
    const file = join(dir, name);
    if (!(await isLeftBehind(file))) continue;
    await rm(file, { force: true });
    removed++;
  }
  return removed;
}

/** How many files `cleanSpool` would remove, and what else is there that is no spool file of ours. */
export async function inspectSpool(
  dir: string,
): Promise<{ readonly left: number; readonly foreign: string[] }> {
  const names = await readdir(dir).catch(() => []);
  let left = 0;
  for (const name of names) if (SPOOL_NAME.test(name) && (await isLeftBehind(join(dir, name)))) left++;
  return { left, foreign: names.filter((name) => !SPOOL_NAME.test(name)) };
}

async function isLeftBehind(file: string): Promise<boolean> {
  // Gone meanwhile: its own process has discarded it, or made a blob of it.
  const touched = await stat(file).catch(() => undefined);
  return touched !== undefined && Math.abs(Date.now() - touched.mtimeMs) >= LEFT_BEHIND;
}

/** The same bytes where they may stay: a message in memory as it is (it travels in the commit), a spooled one made a blob. */
export async function keep(spooled: Spooled, store: BlobKeeper): Promise<Rope> {
  if (spooled.file === undefined) return spooled.rope;
  return Rope.of(await store.blobs.adopt(spooled.file, spooled.hash, spooled.length));
}

/** The bytes on their way in: a list in memory, then a file. */
class Intake {
  readonly #dir: string;
  readonly #room: (octets: number) => void;
  readonly #hash = createHash('sha256');
  #waiting: Buffer[] = [];
  #waitingLength = 0;
  #length = 0;
  #file: { readonly path: string; readonly handle: FileHandle } | undefined;

  constructor(dir: string, room: (octets: number) => void = () => undefined) {
    this.#dir = dir;
    this.#room = room;
  }

  async add(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk);
    this.#waiting.push(chunk);
    this.#waitingLength += chunk.length;
    this.#length += chunk.length;
    if (this.#length <= IN_MEMORY) return;
    if (this.#file === undefined || this.#waitingLength >= WRITE_SIZE) await this.#write();
  }

  async finish(): Promise<{ source: Source; hash: string; file?: string }> {
    const hash = this.#hash.digest('hex');
    if (this.#file === undefined) {
      const bytes = Buffer.concat(this.#waiting, this.#waitingLength);
      this.#waiting = [];
      const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
      return { source: { length: bytes.length, hash, resident: bytes, read }, hash };
    }
    await this.#write();
    const { handle, path } = this.#file;
    await handle.sync().catch(failing);
    const read = (offset: number, length: number) => readExactly(handle, offset, length);
    return { source: { length: this.#length, hash, read }, hash, file: path };
  }

  async discard(): Promise<void> {
    this.#waiting = [];
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    // By now the message may have been committed: a file that cannot go just now is no reason to say it was not.
    await file.handle.close().catch(() => undefined);
    await rm(file.path, { force: true }).catch(() => undefined);
  }

  async #write(): Promise<void> {
    this.#room(this.#waitingLength);
    this.#file ??= await this.#create().catch(failing);
    if (this.#waitingLength === 0) return;
    const bytes =
      this.#waiting.length === 1 ? this.#waiting[0] : Buffer.concat(this.#waiting, this.#waitingLength);
    this.#waiting = [];
    this.#waitingLength = 0;
    if (bytes !== undefined) await this.#file.handle.writeFile(bytes).catch(failing);
  }

  async #create(): Promise<{ path: string; handle: FileHandle }> {
    const path = join(this.#dir, `${randomBytes(16).toString('hex')}.spool`);
    return { path, handle: await open(path, 'wx+', 0o600) };
  }
}

function failing(error: unknown): never {
  throw new SpoolFailure(error);
}

async function readExactly(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new RangeError(`spool file ends ${length - done} octets early`);
    done += bytesRead;
  }
  return bytes;
}
