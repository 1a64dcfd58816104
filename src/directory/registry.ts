import type { DirectorySourceRow } from '../storage/index.js';
import { certificateHash, type ProviderRecord } from './provider-record.js';

/** The records of one source, as it was believed when it was loaded. */
export interface LoadedSource {
  readonly id: string;
  readonly kind: DirectorySourceRow['kind'];
  readonly records: readonly ProviderRecord[];
}

/** A domain two gestori claim: who had it first keeps it (decisions 25). */
export interface Dispute {
  readonly domain: string;
  readonly holder: string;
  readonly claimant: string;
  readonly source: string;
}

/** The directory at one moment: an immutable pair of indexes. */
export class Registry {
  private readonly domains = new Map<string, ProviderRecord>();
  private readonly certificates = new Map<string, ProviderRecord[]>();
  readonly disputes: readonly Dispute[];

  /**
   * @param sources oldest first; our own record stands before all of them
   * @param holders of the domains in dispute between sources: domain to providerName
   */
  constructor(
    readonly own: ProviderRecord,
    readonly sources: readonly LoadedSource[],
    private readonly holders: ReadonlyMap<string, string> = new Map(),
  ) {
    const disputes: Dispute[] = [];
    this.add(own, 'own', disputes);
    for (const { id, records } of sources) for (const record of records) this.add(record, id, disputes);
    this.disputes = disputes;
  }

  private add(record: ProviderRecord, source: string, disputes: Dispute[]): void {
    // Nobody but ourselves says what we manage.
    if (source !== 'own' && record.providerName === this.own.providerName) return;
    const managedDomains = record.managedDomains.filter((domain) => {
      const holder = this.domains.get(domain)?.providerName ?? this.holders.get(domain);
      if (holder === undefined || holder === record.providerName) return true;
      disputes.push({ domain, holder, claimant: record.providerName, source });
      return false;
    });
    const accepted = { ...record, managedDomains };
    for (const domain of managedDomains) this.domains.set(domain, accepted);
    for (const hash of record.certificateHashes) {
      const sharing = this.certificates.get(hash) ?? [];
      // Several records may share a certificate (decisions 24).
      this.certificates.set(hash, [...sharing, accepted]);
    }
  }

  /** The record that manages a domain (lower case). */
  byDomain(domain: string): ProviderRecord | undefined {
    return this.domains.get(domain);
  }

  /** Hash lookup, then comparison of the certificates themselves (RFC 6109 2.2.2): SHA-1 alone proves nothing. */
  byCertificate(certificate: Buffer): ProviderRecord[] {
    return (this.certificates.get(certificateHash(certificate)) ?? []).filter((record) =>
      record.certificates.some((known) => known.equals(certificate)),
    );
  }

  /** Every record once, our own first. */
  records(): ProviderRecord[] {
    return [this.own, ...this.sources.flatMap(({ records }) => [...records])];
  }
}
