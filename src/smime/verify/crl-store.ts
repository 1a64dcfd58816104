import type { Certificate } from '../read/certificate.js';
import { type Crl, covers, judge, signedBy } from '../read/crl.js';
import type { Revocation, RevocationSource } from '../read/revocation.js';
import { type CrlLocation, type CrlSource, openSource, type Times } from './crl-source.js';
import { type Download, download, type Reach } from './download.js';
import { nodeCrypto } from './node-crypto.js';

export interface CrlOptions {
  /** Configured places (`directory.crl`). */
  readonly sources?: readonly CrlLocation[];
  /** Whether to fetch the lists certificates point at; default true. Only http and https pointers are followed. */
  readonly followPointers?: boolean;
  /** Milliseconds a fetch may take; default 10 s. */
  readonly timeout?: number;
  /** Octets a list may have; default 32 MiB. */
  readonly size?: number;
  /** Milliseconds after which a URL is fetched again though its list is still good; default 1 h. */
  readonly maxAge?: number;
  /** Milliseconds for which a missing or stale list is a temporary failure (decisions 21); default 24 h. */
  readonly grace?: number;
  readonly now?: () => number;
  /** Milliseconds that never go back: what is waited for does not grow when the system clock is set. */
  readonly monotonic?: () => number;
  /** Where pointers may lead; default `public`: a list in a private network is named in `sources`. */
  readonly pointers?: Reach;
  /** How a URL is fetched; over the network if not given. */
  readonly download?: Download;
}

const DAY = 86_400_000;
/** Pointers remembered: a chain names two or three, and there are some thirty gestori. */
const MAX_POINTERS = 256;
/** Of one certificate; RFC 5280 knows several names of one list, and no reason for many. */
const MAX_PER_CERTIFICATE = 4;

/** Revocation lists in memory, from configured places and from certificates' pointers. */
export class CrlStore implements RevocationSource {
  private readonly configured: readonly CrlSource[];
  private readonly pointers = new Map<string, CrlSource>();
  /** Issuers whose signature a list was found to bear, or not. */
  private readonly checked = new WeakMap<Crl, Map<Uint8Array, Promise<boolean>>>();
  /** Since when an issuer's list has been missing, on the monotonic clock. */
  private readonly missing = new WeakMap<Certificate, number>();
  /** Issuers that had a configured list once: should it be swapped for another's, theirs is missing, not unwanted. */
  private readonly spokenFor = new WeakSet<Certificate>();
  private readonly open: (location: CrlLocation, reach: Reach) => CrlSource;
  private readonly reach: Reach;
  private readonly followPointers: boolean;
  private readonly grace: number;
  private readonly now: () => number;
  private readonly monotonic: () => number;

  /** @throws TypeError for a configured URL that is not http, https or file */
  constructor(options: CrlOptions = {}) {
    const limits = { timeout: options.timeout ?? 10_000, size: options.size ?? 32 * 1024 * 1024 };
    const fetch = options.download ?? download;
    this.open = (location, reach) =>
      openSource(location, limits, options.maxAge ?? DAY / 24, { download: fetch, reach });
    this.reach = options.pointers ?? 'public';
    this.followPointers = options.followPointers ?? true;
    this.grace = options.grace ?? DAY;
    this.now = options.now ?? Date.now;
    this.monotonic = options.monotonic ?? (() => performance.now());
    this.configured = (options.sources ?? []).map((source) => this.open(source, 'anywhere'));
  }

  /** Fetches everything again. Never rejects; what failed is told in the result, one line a place. */
  async refresh(): Promise<string[]> {
    const sources = this.all();
    await Promise.all(sources.map((source) => source.load(this.times(), true)));
    return sources.flatMap(({ name, failure }) =>
      failure === undefined ? [] : [`${name}: ${failure.reason}`],
    );
  }

  /** Every list in memory, for the dated snapshots. */
  lists(): Crl[] {
    return this.all().flatMap((source) => source.crls);
  }

  /** What is known of `certificate`, issued by `issuer`, at an instant in epoch milliseconds. Never rejects for a list that cannot be had. */
  async check(certificate: Certificate, issuer: Certificate, at: number): Promise<Revocation> {
    await this.load(this.configured);
    const own = await this.listsFor(this.configured, certificate, issuer);
    if (own.length > 0) this.spokenFor.add(issuer);
    const first = judge(certificate, at, own);
    if (first.status !== 'unknown') return first;

    const pointed = this.followPointers ? this.pointersOf(certificate) : [];
    await this.load(pointed);
    const lists = [...own, ...(await this.listsFor(pointed, certificate, issuer))];
    if (lists.length > 0) this.missing.delete(issuer);
    const second = judge(certificate, at, lists);
    if (second.status !== 'unknown') return second;

    const failure = [...this.configured, ...pointed].find((source) => source.failure !== undefined)?.failure;
    const expected = certificate.crlPointers.length > 0 || this.spokenFor.has(issuer);
    if (lists.length === 0 && failure === undefined && !expected) {
      return { status: 'no-pointer' };
    }
    return this.unavailable(issuer, second.staleSince, failure);
  }

  private unavailable(
    issuer: Certificate,
    staleSince: number | undefined,
    failure: CrlSource['failure'],
  ): Revocation {
    const temporary = this.elapsed(issuer, staleSince) < this.grace;
    const why = staleSince === undefined ? 'la lista di revoca manca' : 'la lista di revoca è scaduta';
    const reason = failure === undefined ? why : `${why} (${failure.reason})`;
    return { status: 'unavailable', temporary, reason };
  }

  /** Milliseconds without a list. One that ran out tells since when by itself, so that a restart does not lengthen the grace. */
  private elapsed(issuer: Certificate, staleSince: number | undefined): number {
    if (staleSince !== undefined) return this.now() - staleSince;
    const { steady } = this.times();
    const since = this.missing.get(issuer) ?? steady;
    this.missing.set(issuer, since);
    return steady - since;
  }

  private times(): Times {
    return { wall: this.now(), steady: this.monotonic() };
  }

  private all(): CrlSource[] {
    return [...this.configured, ...this.pointers.values()];
  }

  private load(sources: readonly CrlSource[]): Promise<unknown> {
    const times = this.times();
    return Promise.all(sources.map((source) => source.load(times)));
  }

  private pointersOf(certificate: Certificate): CrlSource[] {
    return certificate.crlPointers
      .filter((uri) => /^https?:\/\//i.test(uri) && URL.canParse(uri))
      .slice(0, MAX_PER_CERTIFICATE)
      .map((uri) => {
        const known = this.pointers.get(uri) ?? this.open({ url: uri }, this.reach);
        this.pointers.delete(uri);
        this.pointers.set(uri, known);
        const oldest = this.pointers.keys().next();
        if (this.pointers.size > MAX_POINTERS && oldest.done !== true) this.pointers.delete(oldest.value);
        return known;
      });
  }

  private async listsFor(
    sources: readonly CrlSource[],
    certificate: Certificate,
    issuer: Certificate,
  ): Promise<Crl[]> {
    const lists: Crl[] = [];
    for (const crl of sources.flatMap((source) => source.crls)) {
      if (covers(crl, certificate, issuer) && (await this.isSignedBy(crl, issuer))) lists.push(crl);
    }
    return lists;
  }

  private isSignedBy(crl: Crl, issuer: Certificate): Promise<boolean> {
    let answers = this.checked.get(crl);
    if (answers === undefined) {
      answers = new Map();
      this.checked.set(crl, answers);
    }
    let answer = answers.get(issuer.publicKey);
    if (answer === undefined) {
      answer = signedBy(crl, issuer, nodeCrypto);
      answers.set(issuer.publicKey, answer);
    }
    return answer;
  }
}
