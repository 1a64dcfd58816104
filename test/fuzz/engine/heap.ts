import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Looks that must each find more than the one before. */
const LOOKS = 8;
const LEAST_GROWTH = 48 * 1024 * 1024;

/** An input is run so often before it is looked what stays, and so many times it is looked. */
const WEIGHED_RUNS = 32;
const WEIGHINGS = 4;
/** Octets for each run below which nothing is said: caches and counters of the machine itself. */
export const LEAST_LEAK = 256;

/** Watches what this isolate keeps after a collection: what grows look after look, and by much, leaks. */
export class Heap {
  readonly #collect: () => void;
  #sizes: number[] = [];

  constructor() {
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc');
  }

  /** @param owned octets that the caller rightly keeps. @returns the octets it grew by, when that is a leak. */
  leaked(owned: number): number | undefined {
    const now = this.#size() - owned;
    const before = this.#sizes.at(-1) ?? 0;
    this.#sizes = now > before ? [...this.#sizes, now] : [now];
    const growth = now - (this.#sizes[0] ?? now);
    return this.#sizes.length > LOOKS && growth > LEAST_GROWTH ? growth : undefined;
  }

  /** Octets that stay behind each time `run` is done: the least of some weighings, so that noise weighs nothing. */
  async weigh(run: () => Promise<void>): Promise<number> {
    let least = Number.POSITIVE_INFINITY;
    for (let times = 0; times < WEIGHED_RUNS; times += 1) await run();
    for (let weighing = 0; weighing < WEIGHINGS && least >= LEAST_LEAK; weighing += 1) {
      const before = this.#size();
      for (let times = 0; times < WEIGHED_RUNS; times += 1) await run();
      least = Math.min(least, (this.#size() - before) / WEIGHED_RUNS);
    }
    return Math.max(0, Math.round(least));
  }

  #size(): number {
    this.#collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  }
}
