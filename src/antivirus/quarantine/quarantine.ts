/**
 * Where infected messages are kept for 30 months (RFC 6109 2.2.4), sealed, so that nothing on the disk is a virus. The
 * entry and its ciphertext are part of the commit that says what was found. Crash points: a large ciphertext is a spool
 * file, then a blob under a temporary link, before that commit; a crash leaves what the sweepers remove.
 */
import { createHash, randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Rope, type Source } from '../../rope/index.js';
import {
  type ChangeSet,
  type NewQuarantined,
  type QuarantinedRow,
  SMALL_BLOB,
  type Store,
} from '../../storage/index.js';
import type { QuarantineKeys } from './keys.js';
import { OVERHEAD, opened, SealBroken, sealed } from './sealing.js';

export interface QuarantineOptions {
  readonly store: Pick<Store, 'blobs' | 'open'>;
  readonly keys: QuarantineKeys;
  /** On the same disk as the blobs; its names are those of spool files. */
  readonly spool: string;
}

/** What is known of an infected message beside its bytes. */
export type Infected = Omit<NewQuarantined, 'id' | 'sha256' | 'size' | 'keyId' | 'content'>;

export class Quarantine {
  constructor(private readonly options: QuarantineOptions) {}

  /**
   * Seals a message and adds its entry to what will be committed.
   * @returns the entry's id, for the register
   */
  async add(message: Rope, about: Infected, changes: ChangeSet): Promise<string> {
    const { keys } = this.options;
    const id = randomBytes(12).toString('hex');
    const { source, sha256 } = await this.seal(message, id);
    const content = await changes.content(Rope.of(source));
    changes.quarantine({ ...about, id, sha256, size: message.length, keyId: keys.current.id, content });
    return id;
  }

  /**
   * The message in the clear, to be believed when all of it has come.
   * @throws SealBroken; BlobDamaged and the like when the ciphertext cannot be read
   */
  async *message(row: QuarantinedRow): AsyncGenerator<Buffer, void, undefined> {
    const { keys, store } = this.options;
    const key = keys.find(row.keyId);
    if (key === undefined) throw new SealBroken(`${row.id}: its key ${row.keyId} is not in the file of keys`);
    const hash = createHash('sha256');
    for await (const chunk of opened(await store.open(row.contentId), row.id, key)) {
      hash.update(chunk);
      yield chunk;
    }
    if (hash.digest('hex') !== row.sha256) throw new SealBroken(`${row.id}: not the message of its entry`);
  }

  private async seal(message: Rope, id: string): Promise<{ source: Source; sha256: string }> {
    const { store, keys } = this.options;
    const stream = sealed(message, id, keys.current);
    if (message.length + OVERHEAD <= SMALL_BLOB) {
      const pieces: Buffer[] = [];
      const sha256 = await each(stream, async (piece) => void pieces.push(piece));
      return { source: store.blobs.small(Buffer.concat(pieces)), sha256 };
    }
    const file = join(this.options.spool, `${randomBytes(16).toString('hex')}.spool`);
    try {
      const { hash, length, sha256 } = await writeOut(stream, file);
      return { source: await store.blobs.adopt(file, hash, length), sha256 };
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }
}

/** Goes through a generator to its end. @returns what it returns */
async function each<R>(
  stream: AsyncGenerator<Buffer, R, undefined>,
  use: (piece: Buffer) => Promise<void>,
): Promise<R> {
  for (;;) {
    const step = await stream.next();
    if (step.done === true) return step.value;
    await use(step.value);
  }
}

async function writeOut(
  stream: AsyncGenerator<Buffer, string, undefined>,
  file: string,
): Promise<{ hash: string; length: number; sha256: string }> {
  const handle = await open(file, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    let length = 0;
    const sha256 = await each(stream, async (piece) => {
      hash.update(piece);
      length += piece.length;
      await handle.writeFile(piece);
    });
    return { hash: hash.digest('hex'), length, sha256 };
  } finally {
    await handle.close();
  }
}
