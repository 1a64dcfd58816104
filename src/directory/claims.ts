import type { DirectorySourceRow, Store } from '../storage/index.js';
import { historyOf, saidSince } from './history.js';
import { readLdif } from './ldif.js';
import { readProviderRecords } from './provider-record.js';
import type { LoadedSource } from './registry.js';

/**
 * Who keeps each domain that several gestori claim: the one who has claimed it longest without a break (decisions 25).
 * @returns domain to providerName, for the domains in dispute only
 */
export async function holdersOfDisputed(
  store: Pick<Store, 'read'>,
  sources: readonly LoadedSource[],
): Promise<ReadonlyMap<string, string>> {
  const claims = claimsOf(sources);
  const disputed = [...claims].filter(([, claimants]) => new Set(claimants.map(nameOf)).size > 1);
  const holders = new Map<string, string>();
  if (disputed.length === 0) return holders;
  const history = await historyOf(
    store,
    new Set(disputed.flatMap(([, claimants]) => claimants.map(({ source }) => source))),
  );
  for (const [domain, claimants] of disputed) {
    const [first] = claimants
      .map(({ source, providerName }) => ({
        providerName,
        since: saidSince(
          history.get(source) ?? [],
          (record) => record.providerName === providerName && record.managedDomains.includes(domain),
        ),
      }))
      .sort((one, other) => one.since - other.since);
    if (first !== undefined) holders.set(domain, first.providerName);
  }
  return holders;
}

interface Claim {
  readonly source: string;
  readonly providerName: string;
}

const nameOf = ({ providerName }: Claim): string => providerName;

function claimsOf(sources: readonly LoadedSource[]): Map<string, Claim[]> {
  const claims = new Map<string, Claim[]>();
  for (const { id, records } of sources) {
    for (const { providerName, managedDomains } of records) {
      for (const domain of managedDomains) {
        claims.set(domain, [...(claims.get(domain) ?? []), { source: id, providerName }]);
      }
    }
  }
  return claims;
}

/** The gestore a source has spoken for so far; undefined for a whole directory, or for one never read. */
export function spokesman(kept: DirectorySourceRow | undefined): string | undefined {
  if (kept === undefined) return undefined;
  const { records, wholeDirectory } = readProviderRecords(readLdif(kept.ldif));
  return wholeDirectory ? undefined : records[0]?.providerName;
}
