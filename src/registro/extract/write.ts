import { open } from 'node:fs/promises';
import { type Signer, signAttached } from '../../smime/index.js';
import type { Store } from '../../storage/index.js';
import { type Extract, type ExtractQuestion, gatherEntries } from './gather.js';
import { extractXml } from './xml.js';

export { type Extract, ExtractError, type ExtractQuestion } from './gather.js';

export interface ExtractParts {
  readonly store: Pick<Store, 'read'>;
  readonly signer: Signer;
  /** providerName. */
  readonly gestore: string;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** What was written. */
export interface ExtractFiles {
  readonly files: readonly string[];
  readonly entries: number;
  /** Entries that have their proof. */
  readonly proved: number;
}

/**
 * Writes what the register says of a message, signed now: `<out>.xml.p7m`. Files that are there are never
 * replaced.
 * @throws ExtractError, RegisterTouched; the file system's error
 */
export async function writeExtract(
  { store, signer, gestore, clock }: ExtractParts,
  question: ExtractQuestion,
  out: string,
): Promise<ExtractFiles> {
  const entries = await gatherEntries(store, question);
  const extract: Extract = { ...question, gestore, at: clock(), entries };
  const xml = Buffer.from(extractXml(extract), 'utf8');
  const file = `${out}.xml.p7m`;
  await writeNew(file, await signAttached(xml, signer, extract.at));
  return {
    files: [file],
    entries: entries.length,
    proved: entries.filter(({ proof }) => proof !== null).length,
  };
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
