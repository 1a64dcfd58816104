import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/index.js';
import { createTrustStore, type TimestampAuthority, type TrustStore } from '../../smime/index.js';

/** The time stamping authorities of a configuration, the first one first. @throws the file system's error, CmsError */
export async function authoritiesOf({ timestamp }: Pick<Config, 'timestamp'>): Promise<TimestampAuthority[]> {
  if (timestamp === null) return [];
  const wanted = [timestamp, ...(timestamp.second === null ? [] : [timestamp.second])];
  return Promise.all(
    wanted.map(async ({ url, ca }) => ({ url, trust: createTrustStore(await readFile(ca)) })),
  );
}

/** What the gestore's own signature is believed on. @throws the file system's error, CmsError */
export async function ownTrust({ signing, tls }: Pick<Config, 'signing' | 'tls'>): Promise<TrustStore> {
  const files = [signing.chain, tls.ca].filter((file) => file !== null);
  return createTrustStore(...(await Promise.all(files.map((file) => readFile(file)))));
}
