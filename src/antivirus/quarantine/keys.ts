/**
 * The keys of the quarantine: a file of mode 0600, a key a line (base64 of 32 octets), `#` before a remark. The first one
 * seals, all of them open: to renew the key is to put a new line on top. Crash point: a file that is made appears whole,
 * by its link, or not at all.
 */
import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const KEY_BYTES = 32;

export interface QuarantineKey {
  /** Derived from the key, so that none is ever taken for another. */
  readonly id: string;
  readonly secret: Buffer;
}

/** The file of keys cannot be used; the message says what to mend. */
export class QuarantineKeyError extends Error {
  override readonly name = 'QuarantineKeyError';
}

export class QuarantineKeys {
  private constructor(
    private readonly keys: readonly [QuarantineKey, ...QuarantineKey[]],
    /** What an operator ought to mend. */
    readonly warnings: readonly string[],
  ) {}

  /** @throws QuarantineKeyError */
  static async read(file: string): Promise<QuarantineKeys> {
    const text = await readFile(file, 'latin1').catch((error: unknown) => {
      throw new QuarantineKeyError(`${file} cannot be read`, { cause: error });
    });
    const { mode } = await stat(file);
    const open = (mode & 0o077) !== 0;
    const warnings = open
      ? [`${file}: mode ${(mode & 0o777).toString(8).padStart(4, '0')}, must be 0600`]
      : [];
    return QuarantineKeys.parse(text, file, warnings);
  }

  /** What a file of keys says. @throws QuarantineKeyError */
  static parse(text: string, file: string, warnings: readonly string[] = []): QuarantineKeys {
    const lines = text.split('\n').map((line) => line.trim());
    const [first, ...others] = lines.filter((line) => line !== '' && !line.startsWith('#'));
    if (first === undefined) throw new QuarantineKeyError(`${file} has no key`);
    return new QuarantineKeys([readKey(file, first), ...others.map((line) => readKey(file, line))], warnings);
  }

  /** Reads the file; makes it, with one key, where there is none. @throws QuarantineKeyError */
  static async open(file: string): Promise<QuarantineKeys> {
    try {
      await makeKeyFile(file);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
        throw new QuarantineKeyError(`${file} cannot be made`, { cause: error });
      }
    }
    return QuarantineKeys.read(file);
  }

  /** The one that seals. */
  get current(): QuarantineKey {
    return this.keys[0];
  }

  find(id: string): QuarantineKey | undefined {
    return this.keys.find((key) => key.id === id);
  }
}

/** A new file with a new key, durably. Two processes may start at once: the link lets one of them be the first. */
async function makeKeyFile(file: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(
        `# Keys of the quarantine. The first seals, all open: put a new one on top, keep the old ones.\n${randomBytes(KEY_BYTES).toString('base64')}\n`,
      );
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

function readKey(file: string, line: string): QuarantineKey {
  const secret = Buffer.from(line, 'base64');
  if (secret.length !== KEY_BYTES || secret.toString('base64') !== line) {
    throw new QuarantineKeyError(
      `${file}: a line is no key (base64 of ${KEY_BYTES} octets: openssl rand -base64 32)`,
    );
  }
  const id = createHash('sha256').update('ceralacca quarantine key\0').update(secret).digest('hex');
  return { id: id.slice(0, 16), secret };
}
