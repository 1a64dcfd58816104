/** Lets so many run at once; the others wait for their turn, in order, for a time. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #active = 0;

  constructor(private readonly atOnce: number) {}

  /** @param patience milliseconds to wait. @throws Error when no turn came in that time */
  async run<T>(patience: number, work: () => Promise<T>): Promise<T> {
    if (this.#active < this.atOnce) this.#active += 1;
    else await this.#turn(patience);
    try {
      return await work();
    } finally {
      // A place is handed on, not given up: nobody slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#active -= 1;
      else next();
    }
  }

  #turn(patience: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(new Error('too many scans wait'));
      }, patience);
      const take = (): void => {
        clearTimeout(late);
        resolve();
      };
      this.#waiting.push(take);
    });
  }
}
