import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const OCTETS = 32;

/** Where it lies, below `data`. */
export const LOGIN_SECRET = 'login.secret';

/**
 * What salts of names that nobody has are made from (RFC 5802 9): made at the first start, the same ever after, or a stranger could tell
 * them from real ones by asking before and after a restart. Roles in processes of their own share it.
 * @throws Error when the file is there and is none
 */
export function loginSecret(data: string): Buffer {
  const file = join(data, LOGIN_SECRET);
  const kept = readSecret(file);
  if (kept !== undefined) return kept;
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  const made = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(made, randomBytes(OCTETS));
    fsyncSync(made);
  } finally {
    closeSync(made);
  }
  try {
    // It never takes the place of one that another process made meanwhile.
    linkSync(temporary, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  const secret = readSecret(file);
  if (secret === undefined) throw new Error(`${file}: gone as soon as it was made`);
  return secret;
}

function readSecret(file: string): Buffer | undefined {
  try {
    const secret = readFileSync(file);
    if (secret.length === OCTETS) return secret;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  throw new Error(`${file}: must be ${OCTETS} octets; without it a new one is made`);
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;
