import { createTrustStore } from '../smime/index.js';
import type { DirectorySourceRow } from '../storage/index.js';
import { spokesman } from './claims.js';
import { hashesOf, recordsNamed, shareCertificate } from './names.js';
import { DirectoryError, type ProviderRecord } from './provider-record.js';
import type { LoadedSource } from './registry.js';
import { type BelievedFile, readSource } from './source-file.js';

/** A file that is to be imported. */
export interface Newcomer {
  readonly bytes: Buffer;
  readonly believed: BelievedFile;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Whether the operator says that the new certificates are the right ones. */
  readonly replace: boolean;
}

/** What the directory holds before the import. */
export interface Kept {
  readonly ownName: string;
  /** The sources as they are believed. */
  readonly sources: readonly LoadedSource[];
  readonly rows: readonly DirectorySourceRow[];
}

/**
 * Decisions 25: a name is taken over only by who shows a certificate it is known by, or a signature under the trust it
 * is known by, or by the operator's own word.
 * @returns ids of the imports that this one supersedes
 * @throws DirectoryError naming both certificates' hashes
 */
export async function requireSameGestori(newcomer: Newcomer, kept: Kept): Promise<string[]> {
  const { records } = newcomer.believed;
  const superseded: string[] = [];
  for (const name of new Set(records.map(({ providerName }) => providerName))) {
    // What others say of ourselves never counts.
    if (name === kept.ownName) continue;
    const shown = recordsNamed(name, records);
    const holders = kept.sources.filter((source) => recordsNamed(name, source.records).length > 0);
    const known = holders.flatMap((source) => [...recordsNamed(name, source.records)]);
    if (known.length === 0 || shareCertificate(shown, known)) continue;
    const rows = kept.rows.filter(({ id }) => holders.some((holder) => holder.id === id));
    if (!newcomer.replace && !(await isVouchedFor(newcomer, name, rows))) {
      throw takeover(name, known, holders, shown);
    }
    superseded.push(...rows.filter(({ id, kind }) => kind === 'import' && id === name).map(({ id }) => id));
  }
  return superseded;
}

/** Whether the file's signature holds under the trust that came with the record it takes the place of. */
async function isVouchedFor(
  { bytes, believed, at }: Newcomer,
  name: string,
  rows: readonly DirectorySourceRow[],
): Promise<boolean> {
  if (believed.signer === undefined) return false;
  const { organization, commonName } = believed.signer;
  for (const row of rows.filter(({ trust }) => trust !== '')) {
    // Under one CA there are many gestori: only the gestore itself, or who kept the whole directory, speaks for it.
    if (organization !== name && commonName !== name && spokesman(row) !== undefined) continue;
    const holds = await readSource(bytes, createTrustStore(row.trust), at).then(
      () => true,
      () => false,
    );
    if (holds) return true;
  }
  return false;
}

function takeover(
  name: string,
  known: readonly ProviderRecord[],
  holders: readonly LoadedSource[],
  shown: readonly ProviderRecord[],
): DirectoryError {
  const sources = holders.map(({ id }) => id).join(', ');
  return new DirectoryError(
    `${name} is known by certificate ${hashesOf(known).join(', ')} (${sources}); the file shows ` +
      `${hashesOf(shown).join(', ')}, unsigned or signed by somebody the kept trust does not vouch for. ` +
      'Ask the gestore; --replace takes the new one',
  );
}
