import { PassThrough } from 'node:stream';
import { CanonicalGuard } from '../mime/index.js';
import type { Rope } from '../rope/index.js';
import { type BlobKeeper, keep, type LineGuard, type Spooled, spool } from '../smtp/index.js';
import type { AppendedMessage } from './append-arguments.js';
import { withoutBinary } from './binary-message.js';
import type { Sink } from './command.js';
import type { Services } from './options.js';
import { refusals } from './refusals.js';

const ANYTHING: LineGuard = {
  push: () => undefined,
  end: () => undefined,
  fault: undefined,
  longestLine: 0,
  eightBit: true,
};

/** @throws ImapError when something in it is still no text */
async function canonical(rope: Rope): Promise<Rope> {
  const guard = new CanonicalGuard();
  for await (const chunk of rope.chunks()) guard.push(chunk);
  guard.end();
  if (guard.fault !== undefined) throw refusals.unknownEncoding();
  return rope;
}

/** Takes a message's octets into the spool while they come: constant memory, whatever its size. */
export class AppendSink implements Sink {
  readonly size: number;
  readonly #stream = new PassThrough();
  readonly #spooled: Promise<Spooled>;
  #drained: Promise<void> | undefined;
  readonly #binary: boolean;
  #over = false;

  /** @param binary its lines are looked at when its binary parts have become text */
  constructor(size: number, dir: string, binary: boolean) {
    this.size = size;
    this.#binary = binary;
    this.#spooled = spool(this.#stream, { dir, limit: size, ...(binary ? { guard: ANYTHING } : {}) });
    // Who asks for the message hears of it.
    this.#spooled.catch(() => undefined);
  }

  get ready(): Promise<void> | undefined {
    return this.#drained;
  }

  push(bytes: Buffer): void {
    this.#drained = this.#stream.write(bytes)
      ? undefined
      : new Promise((resolve) => this.#stream.once('drain', () => resolve()));
  }

  /** Ends the intake, or throws away what came. */
  async end(whole: boolean): Promise<void> {
    if (whole) {
      this.#stream.end();
      return;
    }
    if (this.#over) return;
    this.#over = true;
    if (!this.#stream.writableEnded) this.#stream.end();
    const spooled = await this.#spooled.catch(() => undefined);
    await spooled?.discard();
  }

  /** The message where it may stay. @throws ImapError when it is not canonical; the file system's error */
  async message(keeper: BlobKeeper): Promise<Rope> {
    const spooled = await this.#spooled;
    if (spooled.fault === 'nul') throw refusals.nul();
    if (spooled.fault !== undefined) throw refusals.bareLineEnd();
    if (!this.#binary) return keep(spooled, keeper);
    return canonical(await withoutBinary(await keep(spooled, keeper)));
  }
}

/** A message that came whole, ready to be stored. @throws ImapError when it is not there, or not canonical */
export async function appendedMessage(
  { flags, date }: Pick<AppendedMessage, 'flags' | 'date'>,
  sink: Sink | undefined,
  { keeper, now }: Pick<Services, 'keeper' | 'now'>,
): Promise<{ rope: Rope; flags: readonly string[]; internalDate: number }> {
  if (!(sink instanceof AppendSink)) throw refusals.badArgument('Manca un messaggio / A message is missing');
  return { rope: await sink.message(keeper), flags, internalDate: date ?? now() };
}
