/** So many in so many milliseconds; Infinity for no limit. */
export interface Rate {
  readonly most: number;
  readonly within: number;
}

/** What is to be counted under a key. A key always comes with the same rate's `within`. */
export interface Charge {
  readonly key: string;
  readonly rate: Rate;
  /** 1 if not given. */
  readonly amount?: number | undefined;
}

export type Admission =
  /** Counted; `giveBack` takes it back, once, from the windows it was counted in. */
  | { readonly ok: true; giveBack(): void }
  /** Nothing was counted: `full` is the charge that did not fit, whose window ends in `retryAfter` milliseconds. */
  | { readonly ok: false; readonly full: Charge; readonly retryAfter: number };

interface Counter {
  count: number;
  readonly endsAt: number;
}

/** Counters kept at most; the ones least lately used go first. */
const COUNTERS = 50_000;

/**
 * Counts by key in windows of time that begin with the first count. What is admitted is counted before it is carried out, so
 * that many at once are no way around. Memory is bounded; the time is an argument (epoch milliseconds).
 */
export class Windows {
  /** Least recently used first. */
  readonly #counters = new Map<string, Counter>();
  readonly #limit: number;

  constructor(limit = COUNTERS) {
    this.#limit = limit;
  }

  /** Counts all the charges, or none when one of them does not fit. */
  admit(charges: readonly Charge[], now: number): Admission {
    const bounded = charges.filter(({ rate }) => rate.most !== Number.POSITIVE_INFINITY);
    for (const charge of bounded) {
      const { key, rate, amount = 1 } = charge;
      const counter = this.#current(key, rate, now);
      if ((counter?.count ?? 0) + amount <= rate.most) continue;
      return { ok: false, full: charge, retryAfter: (counter?.endsAt ?? now + rate.within) - now };
    }
    const counted = bounded.map((charge) => ({
      counter: this.#count(charge, now),
      amount: charge.amount ?? 1,
    }));
    this.#forget();
    return {
      ok: true,
      giveBack: () => {
        for (const { counter, amount } of counted.splice(0)) counter.count -= amount;
      },
    };
  }

  /** How much is counted under a key now. */
  count(key: string, rate: Rate, now: number): number {
    return this.#current(key, rate, now)?.count ?? 0;
  }

  /** Counters kept now. */
  get size(): number {
    return this.#counters.size;
  }

  #count({ key, rate, amount = 1 }: Charge, now: number): Counter {
    const counter = this.#current(key, rate, now) ?? { count: 0, endsAt: now + rate.within };
    counter.count += amount;
    this.#counters.delete(key);
    this.#counters.set(key, counter);
    return counter;
  }

  /** A window that ends later than one that began now was opened before the clock was set back: it is over. */
  #current(key: string, { within }: Rate, now: number): Counter | undefined {
    const counter = this.#counters.get(key);
    if (counter === undefined || counter.endsAt <= now || counter.endsAt - now > within) return undefined;
    return counter;
  }

  #forget(): void {
    for (const key of this.#counters.keys()) {
      if (this.#counters.size <= this.#limit) return;
      this.#counters.delete(key);
    }
  }
}
