import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { noTrust, readTrust, type TrustFile, type TrustMaterial } from '../../evidence/index.js';
import { nodeCrypto } from '../../smime/index.js';
import { CommandError } from '../command.js';
import { bytesOf } from './files.js';

/** The files of the folder of trust that may matter; the verifier says what each is worth. */
export async function trustOf(folder: string | undefined, now: number): Promise<TrustMaterial> {
  if (folder === undefined) return noTrust;
  const files: TrustFile[] = [];
  for (const name of await namesIn(folder)) {
    if (!/\.(?:pem|crl|ldif|ldif\.p7m)$/i.test(name)) continue;
    files.push({ name, bytes: await bytesOf(join(folder, name), 'the trust file') });
  }
  return readTrust(files, { crypto: nodeCrypto, now });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`cannot read the trust folder ${folder}: ${reason}`, { cause });
  }
}
