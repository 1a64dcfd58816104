/**
 * Time stamps of a sealed day. The answer becomes a file first and a row then: a crash in between leaves a file, whose
 * stamp the next run takes up if it is over the same digest.
 */
import { readFile } from 'node:fs/promises';
import { askTimestamp, type TimestampAuthority, verifyTimestamp } from '../../smime/index.js';
import type { DaySeal, Store } from '../../storage/index.js';
import { makeFolder, publishBytes } from './durable.js';
import { pathsOf } from './paths.js';

/** No authority gave a stamp; the message says why of each. */
export class StampUnavailable extends Error {
  override readonly name = 'StampUnavailable';
}

/** Tries at each authority before the next. */
const TRIES = 2;

/** Gets the stamps a day lacks, over its root and over its file. @throws StampUnavailable; TimestampError for a file that is there */
export async function stampDay(
  {
    store,
    folder,
    authorities,
  }: {
    readonly store: Pick<Store, 'write'>;
    readonly folder: string;
    readonly authorities: readonly TimestampAuthority[];
  },
  seal: DaySeal,
): Promise<DaySeal> {
  const { day, part, fileHash } = seal;
  const paths = pathsOf(folder, seal);
  await makeFolder(paths.folder);
  let stamped = seal;
  if (seal.rootToken === null) {
    const token = await stampInto(paths.rootStamp, seal.root, authorities);
    stamped = await store.write('putDayToken', { day, part, over: 'root', token });
  }
  if (seal.fileToken === null && fileHash !== null) {
    const token = await stampInto(paths.fileStamp, Buffer.from(fileHash, 'hex'), authorities);
    stamped = await store.write('putDayToken', { day, part, over: 'file', token });
  }
  return stamped;
}

async function stampInto(
  path: string,
  digest: Uint8Array,
  authorities: readonly TimestampAuthority[],
): Promise<Uint8Array> {
  const left = await existing(path);
  if (left === undefined) {
    const response = await anyStamp(authorities, digest);
    if (await publishBytes(path, response)) return response;
  }
  // Of two who stamp at once the second takes what the first has written.
  const found = left ?? (await readFile(path));
  await verifyTimestamp(found, { digest, trust: trustOfAll(authorities) });
  return found;
}

async function existing(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function anyStamp(authorities: readonly TimestampAuthority[], digest: Uint8Array): Promise<Buffer> {
  const reasons: string[] = [];
  for (const authority of authorities) {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      try {
        return (await askTimestamp(authority, digest)).response;
      } catch (error) {
        reasons.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
  throw new StampUnavailable([...new Set(reasons)].join('; '));
}

/** What stamps of any of them are believed on. */
export const trustOfAll = (authorities: readonly TimestampAuthority[]) => ({
  anchors: authorities.flatMap(({ trust }) => trust.anchors),
});
