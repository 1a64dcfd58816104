import type { DirectorySourceRow, Store } from '../storage/index.js';
import { readLdif } from './ldif.js';
import { type ProviderRecord, readProviderRecords } from './provider-record.js';
import type { LoadedSource } from './registry.js';

/** One version of a source as it was seen, with the span of time in which it was. */
interface Version {
  readonly records: readonly ProviderRecord[];
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

/**
 * Who keeps each domain that several gestori claim: the one who has claimed it longest without a break (decisions 25).
 * When a source was last read says nothing, for reading it again makes it young; the dated snapshots remember.
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
        since: claimedSince(history.get(source) ?? [], providerName, domain),
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

async function historyOf(
  store: Pick<Store, 'read'>,
  sources: ReadonlySet<string>,
): Promise<Map<string, Version[]>> {
  const history = new Map<string, Version[]>();
  for (const snapshot of await store.read('listSnapshots', { kind: 'directory' })) {
    const { source, hash, firstSeenAt, lastSeenAt } = snapshot;
    if (!sources.has(source)) continue;
    const bytes = await store.read('snapshotBytes', { kind: 'directory', source, hash });
    if (bytes === undefined) continue;
    const { records } = readProviderRecords(readLdif(bytes));
    history.set(source, [...(history.get(source) ?? []), { records, firstSeenAt, lastSeenAt }]);
  }
  return history;
}

/** Epoch milliseconds since which a source has said without a break that a gestore manages a domain. */
function claimedSince(versions: readonly Version[], providerName: string, domain: string): number {
  const says = ({ records }: Version): boolean =>
    records.some((record) => record.providerName === providerName && record.managedDomains.includes(domain));
  const lastWithout = Math.max(
    ...versions.filter((version) => !says(version)).map(({ lastSeenAt }) => lastSeenAt),
  );
  // A version that was taken back and came again, to the byte, counts from after what was last seen in between.
  return Math.min(
    ...versions
      .filter(says)
      .map(({ firstSeenAt }) => (firstSeenAt > lastWithout ? firstSeenAt : lastWithout + 1)),
  );
}

/** The gestore a source has spoken for so far; undefined for a whole directory, or for one never read. */
export function spokesman(kept: DirectorySourceRow | undefined): string | undefined {
  if (kept === undefined) return undefined;
  const { records, wholeDirectory } = readProviderRecords(readLdif(kept.ldif));
  return wholeDirectory ? undefined : records[0]?.providerName;
}
