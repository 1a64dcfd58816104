import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Looks that must each find more than the one before. */
const LOOKS = 8;
const LEAST_GROWTH = 48 * 1024 * 1024;

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
    this.#collect();
    const { heapUsed, external } = process.memoryUsage();
    const now = heapUsed + external - owned;
    const before = this.#sizes.at(-1) ?? 0;
    this.#sizes = now > before ? [...this.#sizes, now] : [now];
    const growth = now - (this.#sizes[0] ?? now);
    return this.#sizes.length > LOOKS && growth > LEAST_GROWTH ? growth : undefined;
  }
}
