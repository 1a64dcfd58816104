import { monotonic } from './sample.js';

/** Milliseconds a clock may be ahead of the time measured and still be believed (decisions 30). */
const AHEAD = 1_000;

/**
 * The latest time that can be, for whoever dates entries of the register in a thread of its own: they never go back along
 * the chain, so one dated by a clock that is a year ahead would date every entry of that year.
 */
export class LatestTime {
  readonly #utc: BigInt64Array;

  /** @param shared eight octets that threads share; new ones if not given */
  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.#utc = new BigInt64Array(shared);
  }

  /** @param utc UTC minus the monotonic clock, milliseconds; undefined when nothing is known */
  set(utc: number | undefined): void {
    Atomics.store(this.#utc, 0, BigInt(Math.round(utc ?? 0)));
  }

  /** The system's time, epoch milliseconds, held back where it is ahead. */
  bound(now: number, steady: number = monotonic()): number {
    const utc = Number(Atomics.load(this.#utc, 0));
    return utc === 0 ? now : Math.min(now, Math.floor(utc + steady) + AHEAD);
  }
}
