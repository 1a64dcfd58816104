/** What waits of one network. */
type Line = (() => void)[];

export interface TurnBounds {
  /** That run at once. */
  readonly atOnce: number;
  /** That wait, at most. */
  readonly waiting: number;
  /** Of one network that wait, at most. */
  readonly waitingOfNetwork: number;
}

/**
 * Lets a few run at once and the rest wait, so many and no more. Networks take turns: one that floods waits behind itself,
 * everybody else behind one of its attempts.
 */
export class Turns {
  readonly #bounds: TurnBounds;
  /** In the order of their turns; none is empty. */
  readonly #lines = new Map<string, Line>();
  #active = 0;
  #waiting = 0;

  constructor(bounds: TurnBounds) {
    this.#bounds = bounds;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** @returns undefined, and nothing was run, when too many wait. */
  async run<T>(network: string, work: () => Promise<T>): Promise<T | undefined> {
    if (this.#active >= this.#bounds.atOnce) {
      const place = this.#queue(network);
      if (place === undefined) return undefined;
      await place;
    } else {
      this.#active += 1;
    }
    try {
      return await work();
    } finally {
      this.#handOn();
    }
  }

  #queue(network: string): Promise<void> | undefined {
    const line = this.#lines.get(network) ?? [];
    if (this.#waiting >= this.#bounds.waiting || line.length >= this.#bounds.waitingOfNetwork)
      return undefined;
    this.#waiting += 1;
    this.#lines.set(network, line);
    return new Promise((resolve) => line.push(resolve));
  }

  /** The place is handed on, not given up: nobody slips in between. */
  #handOn(): void {
    for (const [network, line] of this.#lines) {
      const next = line.shift();
      this.#lines.delete(network);
      if (line.length > 0) this.#lines.set(network, line);
      if (next === undefined) continue;
      this.#waiting -= 1;
      next();
      return;
    }
    this.#active -= 1;
  }
}
