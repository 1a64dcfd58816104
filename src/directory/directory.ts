import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTrustStore, type TrustStore } from '../smime/index.js';
import type { DirectorySourceRow, Store } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { holdersOfDisputed, spokesman } from './claims.js';
import { readLdif } from './ldif.js';
import { type NameDispute, settleNames } from './names.js';
import {
  certificateHash,
  DirectoryError,
  type ProviderRecord,
  readProviderRecords,
  writeProviderRecord,
} from './provider-record.js';
import { type LoadedSource, Registry } from './registry.js';
import {
  type BelievedFile,
  fetchSource,
  readSource,
  type SourceLocation,
  sourceName,
} from './source-file.js';
import { requireSameGestori } from './takeover.js';

/** What is ours in the directory; the domains come from the store. */
export interface OwnRecord {
  readonly providerName: string;
  readonly mailReceipt: string;
  /** Always among our managedDomains (decisions 24). */
  readonly mailDomain: string;
  /** DER of the signing certificate. */
  readonly certificate: Buffer;
  /** PEM or DER of the CAs it is believed on. */
  readonly trust: readonly (Buffer | string)[];
  readonly ldifLocationUrl?: string | undefined;
}

export interface DirectoryOptions {
  readonly store: Store;
  readonly own: OwnRecord;
  readonly sources: readonly SourceLocation[];
  /** Folder of the dated snapshots. */
  readonly snapshots: string;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/**
 * The directory of gestori as this gestore knows it (RFC 6109 4.5): its own record, what `directory import` put in the
 * store, and what the configured sources said when they last could be read. Looking up costs no I/O.
 */
export class Directory {
  private registry: Registry;
  private trustStore: TrustStore = { anchors: [] };
  private nameDisputes: readonly NameDispute[] = [];
  private mark = '';
  private failing = false;
  /** By source and hash. */
  private readonly parsed = new Map<string, readonly ProviderRecord[]>();

  private constructor(private readonly options: DirectoryOptions) {
    this.registry = new Registry(ownRecord(options.own, []), []);
  }

  /** Loads what the store knows; configured sources are fetched by `refresh`. */
  static async open(options: DirectoryOptions): Promise<Directory> {
    const directory = new Directory(options);
    await directory.current();
    return directory;
  }

  /** Takes up what changed in the store since: a domain or a source added by another process counts at once. */
  async current(): Promise<void> {
    const { store } = this.options;
    const mark = await store.read('directoryMark', {});
    if (mark === this.mark) return;
    const [domains, sources] = await Promise.all([
      store.read('listDomains', {}),
      store.read('listDirectorySources', {}),
    ]);
    await this.load(
      domains.map(({ name }) => name),
      sources,
    );
    this.mark = mark;
  }

  private async load(domains: readonly string[], sources: readonly DirectorySourceRow[]): Promise<void> {
    const { own, store } = this.options;
    const names = await settleNames(store, this.recordsOf(sources), own.providerName);
    const holders = await holdersOfDisputed(store, names.sources);
    const registry = new Registry(ownRecord(own, domains), names.sources, holders);
    this.tell(registry, names.disputes);
    this.registry = registry;
    this.nameDisputes = names.disputes;
    const believed = new Set(names.sources.filter(({ records }) => records.length > 0).map(({ id }) => id));
    this.trustStore = createTrustStore(
      ...own.trust,
      ...sources.filter(({ id, trust }) => trust !== '' && believed.has(id)).map(({ trust }) => trust),
    );
  }

  /** Each dispute once, as long as it lasts. */
  private tell(registry: Registry, nameDisputes: readonly NameDispute[]): void {
    const { telemetry } = this.options;
    const known = new Set(this.registry.disputes.map(({ domain, claimant }) => `${domain} ${claimant}`));
    for (const { domain, holder, claimant, source } of registry.disputes) {
      if (known.has(`${domain} ${claimant}`)) continue;
      telemetry.event('alarm', {
        name: 'domain-claimed-twice',
        reason: `${domain} is managed by ${holder}; ${claimant} claims it too (${source})`,
      });
    }
    const told = new Set(this.nameDisputes.map(wordingOf));
    for (const reason of nameDisputes.map(wordingOf)) {
      if (!told.has(reason)) telemetry.event('alarm', { name: 'provider-claimed-twice', reason });
    }
  }

  /** Parsed once a version; what is no longer a source is forgotten. */
  private recordsOf(sources: readonly DirectorySourceRow[]): LoadedSource[] {
    const before = new Map(this.parsed);
    this.parsed.clear();
    return sources.map(({ id, kind, ldif }) => {
      const version = `${id} ${sha256(ldif)}`;
      const records = before.get(version) ?? readProviderRecords(readLdif(ldif)).records;
      this.parsed.set(version, records);
      return { id, kind, records };
    });
  }

  own(): ProviderRecord {
    return this.registry.own;
  }

  /** Every record, our own first. */
  records(): ProviderRecord[] {
    return this.registry.records();
  }

  /** The record that manages a domain, in lower case (RFC 6109 2.2.1). */
  byDomain(domain: string): ProviderRecord | undefined {
    return this.registry.byDomain(domain);
  }

  /** The records a signing certificate stands in (RFC 6109 2.2.2, signature origin). */
  byCertificate(certificate: Uint8Array): ProviderRecord[] {
    return this.registry.byCertificate(Buffer.from(certificate));
  }

  isOwnDomain(domain: string): boolean {
    return this.registry.own.managedDomains.includes(domain);
  }

  /** Whom gestori's signatures are believed on: our own CAs and those that came with the sources. */
  trust(): TrustStore {
    return this.trustStore;
  }

  /** Our record as the other gestori want it (RFC 6109 4.5.10). */
  ownLdif(): string {
    return writeProviderRecord(this.registry.own);
  }

  /**
   * Puts a file's records in the store with the trust they came with. Effective at once, in every process.
   * @param trust PEM of the CAs; empty for plain LDIF that brings none
   * @param options.replace whether certificates in the file take the place of others a gestore is known by
   * @throws DirectoryError, LdifError
   */
  async import(
    bytes: Buffer,
    trust: string,
    { replace = false }: { readonly replace?: boolean } = {},
  ): Promise<BelievedFile> {
    const { store, own, clock } = this.options;
    const at = clock();
    const believed = await readSource(bytes, createTrustStore(...(trust === '' ? [] : [trust])), at);
    const id = believed.wholeDirectory ? 'igpec' : (believed.records[0]?.providerName ?? 'igpec');
    await this.current();
    const superseded = await requireSameGestori(
      { bytes, believed, at, replace },
      {
        ownName: own.providerName,
        sources: this.registry.sources,
        rows: await store.read('listDirectorySources', {}),
      },
    );
    await this.keep({ id, kind: 'import', ldif: believed.ldif, trust, loadedAt: at });
    for (const other of superseded.filter((name) => name !== id)) {
      await store.write('removeDirectorySource', { id: other });
    }
    await this.current();
    return believed;
  }

  /** Whether a configured source failed when it was last read. */
  get incomplete(): boolean {
    return this.failing;
  }

  /** Reads the configured sources again. What fails keeps its last good version, and an alarm stands (architecture 3). */
  async refresh(): Promise<{ readonly loaded: string[]; readonly failed: string[] }> {
    const { sources, clock, telemetry } = this.options;
    const loaded: string[] = [];
    const failed: string[] = [];
    // All at once: a start must not wait for one silent source after the other.
    const fetched = await Promise.allSettled(sources.map(fetchSource));
    for (const [index, source] of sources.entries()) {
      const name = sourceName(source);
      try {
        const bytes = settledValue(fetched[index]);
        const trust = source.trust === null ? '' : await readFile(source.trust, 'latin1');
        const at = clock();
        const trusted = createTrustStore(...(trust === '' ? [] : [trust]));
        const believed = await readSource(bytes, trusted, at);
        await this.requireSameSpeaker(name, believed);
        await this.keep({ id: name, kind: 'configured', ldif: believed.ldif, trust, loadedAt: at });
        telemetry.event('directory.loaded', {
          source: name,
          gestori: believed.records.length,
          domains: believed.records.flatMap(({ managedDomains }) => managedDomains).length,
        });
        telemetry.clear('directory-source', name);
        loaded.push(name);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        telemetry.event('directory.failed', { source: name, error: reason });
        telemetry.raise('directory-source', name, reason);
        failed.push(`${name}: ${reason}`);
      }
    }
    this.failing = failed.length > 0;
    return { loaded, failed };
  }

  /** Decisions 25: a source that spoke for one gestore goes on speaking for that one alone. */
  private async requireSameSpeaker(id: string, { records, wholeDirectory }: BelievedFile): Promise<void> {
    const kept = await this.options.store.read('listDirectorySources', {});
    const before = spokesman(kept.find((row) => row.id === id));
    const now = records[0]?.providerName;
    if (before === undefined || (!wholeDirectory && now === before)) return;
    throw new DirectoryError(
      `it speaks for ${wholeDirectory ? 'everyone' : now}; it used to speak for ${before}`,
    );
  }

  private async keep(source: DirectorySourceRow): Promise<void> {
    const { store } = this.options;
    await this.snapshot(source);
    await store.write('putDirectorySource', source);
    await this.current();
  }

  /** Trust is dated: every version seen stays, in the store and as a file (architecture 7). */
  private async snapshot({ id, ldif, loadedAt }: DirectorySourceRow): Promise<void> {
    const { store, snapshots } = this.options;
    const hash = sha256(ldif);
    await store.write('putSnapshot', { kind: 'directory', source: id, hash, bytes: ldif, at: loadedAt });
    const day = new Date(loadedAt).toISOString().slice(0, 10);
    const name = id
      .replace(/[^A-Za-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(-60);
    const file = join(snapshots, `${day}-${name}-${hash.slice(0, 12)}.ldif`);
    await mkdir(snapshots, { recursive: true, mode: 0o700 });
    // The command line may be writing the same one beside the server.
    const temporary = `${file}.${randomUUID()}.tmp`;
    try {
      await writeFile(temporary, ldif, { mode: 0o600 });
      await rename(temporary, file);
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

const wordingOf = ({ providerName, holder, claimant, ...hashes }: NameDispute): string =>
  `${providerName} is known by certificate ${hashes.holderHashes.join(', ')} (${holder}); ` +
  `${claimant} shows ${hashes.claimantHashes.join(', ')} and is not believed`;

function settledValue<T>(settled: PromiseSettledResult<T> | undefined): T {
  if (settled?.status === 'fulfilled') return settled.value;
  throw settled?.reason;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function ownRecord(own: OwnRecord, domains: readonly string[]): ProviderRecord {
  return {
    providerName: own.providerName,
    mailReceipt: own.mailReceipt,
    managedDomains: [...new Set([own.mailDomain, ...domains])],
    certificates: [own.certificate],
    certificateHashes: [certificateHash(own.certificate)],
    ...(own.ldifLocationUrl === undefined ? {} : { ldifLocationUrl: own.ldifLocationUrl }),
  };
}
