import type { Store } from '../storage/index.js';
import { historyOf, saidSince } from './history.js';
import type { ProviderRecord } from './provider-record.js';
import type { LoadedSource } from './registry.js';

/** A source that shows other certificates for a gestore who is known by those of another source. */
export interface NameDispute {
  readonly providerName: string;
  /** The source that is believed, and its certificates' hashes. */
  readonly holder: string;
  readonly holderHashes: readonly string[];
  /** The source that is not. */
  readonly claimant: string;
  readonly claimantHashes: readonly string[];
}

/** What of the sources counts. */
export interface SettledNames {
  /** The sources without the records in dispute. */
  readonly sources: readonly LoadedSource[];
  readonly disputes: readonly NameDispute[];
}

/** The certificate is what makes a gestore the same gestore: a name is only text. */
export const shareCertificate = (
  some: readonly ProviderRecord[],
  others: readonly ProviderRecord[],
): boolean => {
  const known = others.flatMap(({ certificates }) => [...certificates]);
  return some.some(({ certificates }) =>
    certificates.some((certificate) => known.some((other) => other.equals(certificate))),
  );
};

/** SHA-1 of every certificate of some records, each once. */
export const hashesOf = (records: readonly ProviderRecord[]): string[] => [
  ...new Set(records.flatMap(({ certificateHashes }) => [...certificateHashes])),
];

/** The records of one gestore, its secondary environments among them. */
export const recordsNamed = (
  providerName: string,
  records: readonly ProviderRecord[],
): readonly ProviderRecord[] => records.filter((record) => record.providerName === providerName);

interface Claim {
  readonly source: LoadedSource;
  readonly records: readonly ProviderRecord[];
}

/**
 * Sets aside what speaks for a gestore without any certificate it is known by (decisions 25). What an operator
 * imported was held against what was known then, so it is believed before what sources say by themselves; among these,
 * the one that has shown its certificates longest.
 */
export async function settleNames(
  store: Pick<Store, 'read'>,
  sources: readonly LoadedSource[],
  ownName: string,
): Promise<SettledNames> {
  const disputes: NameDispute[] = [];
  for (const [providerName, claims] of claimsOf(sources)) {
    // What others say of ourselves never counts.
    if (providerName === ownName) continue;
    if (settle(providerName, claims).length === 0) continue;
    const history = await historyOf(store, new Set(claims.map(({ source }) => source.id)));
    const since = ({ source, records }: Claim): number =>
      saidSince(
        history.get(source.id) ?? [],
        (record) => record.providerName === providerName && shareCertificate([record], records),
      );
    const aged = claims.map((claim) => ({ claim, rank: rankOf(claim, providerName), since: since(claim) }));
    aged.sort((one, other) => one.rank - other.rank || one.since - other.since);
    disputes.push(
      ...settle(
        providerName,
        aged.map(({ claim }) => claim),
      ),
    );
  }
  return { sources: sources.map((source) => without(source, disputes)), disputes };
}

function claimsOf(sources: readonly LoadedSource[]): Map<string, Claim[]> {
  const claims = new Map<string, Claim[]>();
  for (const source of sources) {
    for (const providerName of new Set(source.records.map((record) => record.providerName))) {
      const claim = { source, records: recordsNamed(providerName, source.records) };
      claims.set(providerName, [...(claims.get(providerName) ?? []), claim]);
    }
  }
  return claims;
}

const rankOf = ({ source }: Claim, providerName: string): number => {
  if (source.kind === 'configured') return 2;
  return source.id === providerName ? 0 : 1;
};

/** @param claims in the order in which they are believed */
function settle(providerName: string, claims: readonly Claim[]): NameDispute[] {
  const disputes: NameDispute[] = [];
  const [holder] = claims;
  const believed = [...(holder?.records ?? [])];
  for (const { source, records } of claims) {
    if (holder === undefined || shareCertificate(records, believed)) {
      believed.push(...records);
      continue;
    }
    disputes.push({
      providerName,
      holder: holder.source.id,
      holderHashes: hashesOf(believed),
      claimant: source.id,
      claimantHashes: hashesOf(records),
    });
  }
  return disputes;
}

function without(source: LoadedSource, disputes: readonly NameDispute[]): LoadedSource {
  const names = new Set(
    disputes.filter(({ claimant }) => claimant === source.id).map(({ providerName }) => providerName),
  );
  if (names.size === 0) return source;
  return { ...source, records: source.records.filter(({ providerName }) => !names.has(providerName)) };
}
