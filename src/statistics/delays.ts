/** Delays, in milliseconds, counted so that a million of them need no more room than a thousand. */
export class Delays {
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #longest = 0;

  add(ms: number): void {
    const delay = Math.max(0, ms);
    const bucket = bucketOf(delay);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count += 1;
    this.#longest = Math.max(this.#longest, delay);
  }

  summary(): DelaySummary {
    return {
      count: this.#count,
      p50: this.#percentile(0.5),
      p95: this.#percentile(0.95),
      p99: this.#percentile(0.99),
      longest: this.#count === 0 ? null : this.#longest,
    };
  }

  /** The upper end of the bucket that the share falls in. */
  #percentile(share: number): number | null {
    const wanted = Math.ceil(this.#count * share);
    let seen = 0;
    for (const bucket of [...this.#buckets.keys()].sort((a, b) => a - b)) {
      seen += this.#buckets.get(bucket) ?? 0;
      if (seen >= wanted) return Math.min(upperEnd(bucket), this.#longest);
    }
    return null;
  }
}

/** Milliseconds; null where nothing was measured. Percentiles are right to 2 %. */
export interface DelaySummary {
  readonly count: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly longest: number | null;
}

const STEP = Math.log(1.02);
const bucketOf = (ms: number): number => (ms < 1 ? 0 : Math.ceil(Math.log(ms) / STEP) + 1);
const upperEnd = (bucket: number): number => (bucket === 0 ? 0 : Math.ceil(Math.exp((bucket - 1) * STEP)));
