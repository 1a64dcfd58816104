/**
 * The hunt: inputs are changed and run; those that reach code nobody reached before join the pool that others are made from.
 * Coverage is looked at once for many inputs, and only when it has news are they run again to find whose they are.
 */
import fc from 'fast-check';
import { Random } from '../../support/random.js';
import type { Surroundings, Target } from '../target.js';
import type { Coverage, LineCount } from './coverage.js';
import { type Failure, failureOf, leak } from './failure.js';
import { Heap, LEAST_LEAK } from './heap.js';
import { everywhere, mutated } from './mutate.js';
import type { Slot } from './slot.js';

export interface HuntOrder {
  readonly seed: string;
  readonly milliseconds: number;
  /** Inputs made, at most. With it batches have one size, so that a seed gives the same inputs every time. */
  readonly runs?: number | undefined;
  /** Milliseconds between looks at the heap. */
  readonly heapEvery?: number | undefined;
  /** Faults that are known and need not be told again. */
  readonly known: readonly string[];
  /** Inputs of the corpus that would not come back. */
  readonly avoid: readonly Uint8Array[];
}

export interface HuntOptions extends HuntOrder {
  readonly seeds: readonly Buffer[];
}

export interface HuntResult {
  readonly seeds: number;
  readonly runs: number;
  /** Running, without the looks at coverage. */
  readonly milliseconds: number;
  readonly lines: LineCount;
  /** Inputs that reached something new, seeds not among them. */
  readonly kept: readonly Buffer[];
  readonly slowest: { readonly milliseconds: number; readonly octets: number };
}

export const LONGEST = 16 * 1024;
/** A look at coverage costs some 2 ms: this often it does not matter. */
const BATCH_MS = 40;
const BATCH_LEAST = 16;
const HEAP_EVERY_MS = 2_000;
/** For finding whose a leak is. */
const WEIGHING_MS = 20_000;
/** From which the next input is made more often than from others. */
const LATEST = 12;

export class Hunt {
  readonly #random: Random;
  readonly #pool: Buffer[];
  readonly #known: Set<string>;
  readonly #surroundings: Surroundings;
  readonly #heap = new Heap();
  #shapes: Buffer[] = [];
  #escaped: unknown[] = [];
  /** The inputs of the last batch. */
  #latest: readonly Buffer[] = [];
  #made = 0;
  #runs = 0;
  #running = 0;
  #slowest = { milliseconds: 0, octets: 0 };

  constructor(
    private readonly target: Target,
    private readonly coverage: Coverage,
    private readonly slot: Slot,
    private readonly options: HuntOptions,
    private readonly tell: (input: Buffer | undefined, failure: Failure) => void,
  ) {
    this.#random = new Random(options.seed);
    this.#pool = options.seeds.length > 0 ? [...options.seeds] : [Buffer.alloc(0)];
    this.#known = new Set(options.known);
    this.#surroundings = {
      random: this.#random,
      words: target.words ?? [],
      longest: target.longest ?? LONGEST,
      other: () => this.#random.pick(this.#pool),
    };
  }

  /** An error that nobody caught. */
  escaped(error: unknown): void {
    this.#escaped.push(error);
  }

  async run(): Promise<HuntResult> {
    const { seeds, milliseconds } = this.options;
    const end = performance.now() + milliseconds;
    for (const input of seeds) await this.#attempt(input);
    await this.#turn();
    if (this.#escaped.length > 0) await this.#blame(seeds);
    this.coverage.learn(this.coverage.look());
    const kept = this.#pool.length;
    const { runs: most = Number.POSITIVE_INFINITY, heapEvery = HEAP_EVERY_MS } = this.options;
    let nextHeap = performance.now() + heapEvery;
    while (performance.now() < end && this.#made < most) {
      await this.#batch();
      if (performance.now() < nextHeap) continue;
      await this.#watchHeap();
      nextHeap = performance.now() + heapEvery;
    }
    return {
      seeds: seeds.length,
      runs: this.#runs,
      milliseconds: this.#running,
      lines: this.coverage.lines(this.target.covers),
      kept: this.#pool.slice(kept),
      slowest: this.#slowest,
    };
  }

  async #batch(): Promise<void> {
    const inputs: Buffer[] = [];
    const end = this.options.runs === undefined ? performance.now() + BATCH_MS : 0;
    while (inputs.length < BATCH_LEAST || performance.now() < end) {
      const input = this.#next();
      inputs.push(input);
      this.#made += 1;
      await this.#attempt(input);
    }
    this.#latest = inputs;
    await this.#turn();
    if (this.#escaped.length > 0) await this.#blame(inputs);
    const reached = this.coverage.look();
    if (!this.coverage.isNews(reached)) return;
    await this.#sift(inputs);
    // What was reached once and not again (a timer, a branch of the event loop) is no news the next time.
    this.coverage.learn(reached);
  }

  /** Finds the inputs that reach something new, by halves. */
  async #sift(inputs: readonly Buffer[]): Promise<void> {
    for (const input of inputs) await this.#attempt(input);
    const reached = this.coverage.look();
    if (!this.coverage.isNews(reached)) return;
    const [first] = inputs;
    if (inputs.length === 1 && first !== undefined) {
      this.coverage.learn(reached);
      this.#pool.push(first);
      return;
    }
    const half = inputs.length >> 1;
    await this.#sift(inputs.slice(0, half));
    await this.#sift(inputs.slice(half));
  }

  #next(): Buffer {
    const random = this.#random;
    const shape = this.target.shapes !== undefined && random.chance(0.15) ? this.#shape() : undefined;
    if (shape !== undefined && random.chance(0.5)) return shape.subarray(0, this.#surroundings.longest);
    const latest = random.chance(0.4) ? this.#pool.slice(-LATEST) : this.#pool;
    const own = this.target.mutators ?? [];
    const mutators = own.length > 0 && random.chance(0.5) ? own : everywhere;
    return mutated(shape ?? random.pick(latest), mutators, this.#surroundings);
  }

  #shape(): Buffer | undefined {
    const { shapes } = this.target;
    if (this.#shapes.length === 0 && shapes !== undefined)
      this.#shapes = fc.sample(shapes, { numRuns: 64, seed: this.#random.between(0, 2 ** 31 - 1) });
    return this.#shapes.pop();
  }

  async #attempt(input: Buffer): Promise<void> {
    const start = performance.now();
    this.slot.begin(input);
    try {
      await this.target.run(input);
    } catch (error) {
      this.#found(input, error);
    } finally {
      this.slot.end();
    }
    const milliseconds = performance.now() - start;
    this.#runs += 1;
    this.#running += milliseconds;
    if (milliseconds > this.#slowest.milliseconds) this.#slowest = { milliseconds, octets: input.length };
  }

  /** A turn of the event loop, in which rejections without a handler are told. */
  async #turn(): Promise<void> {
    for (let turns = 0; turns < 2; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Errors that nobody caught: each input of the batch again, with a turn of its own. */
  async #blame(inputs: readonly Buffer[]): Promise<void> {
    const nobodys = this.#escaped.splice(0);
    for (const input of inputs) {
      await this.#attempt(input);
      await this.#turn();
      for (const error of this.#escaped.splice(0)) this.#found(input, error);
    }
    for (const error of nobodys) this.#found(undefined, error);
  }

  #found(input: Buffer | undefined, error: unknown): void {
    const failure = failureOf(error);
    if (this.#known.has(failure.signature)) return;
    this.#known.add(failure.signature);
    this.tell(input, failure);
  }

  async #watchHeap(): Promise<void> {
    const owned = this.#pool.reduce((sum, { length }) => sum + length, 0);
    const growth = this.#heap.leaked(owned);
    if (growth === undefined || this.#known.has(leak(0).signature)) return;
    this.#known.add(leak(0).signature);
    const culprit = await this.#heaviest();
    const text = `the heap grew by ${growth} octets, collection after collection`;
    this.tell(culprit?.input, culprit === undefined ? { ...leak(0), text } : leak(culprit.octets));
  }

  /** Whose memory it is: of the inputs that reach something of their own, and of the latest, the one that leaves most behind. */
  async #heaviest(): Promise<{ readonly input: Buffer; readonly octets: number } | undefined> {
    const end = performance.now() + WEIGHING_MS;
    let heaviest: { readonly input: Buffer; readonly octets: number } | undefined;
    for (const input of [...this.#latest, ...this.#pool.toReversed()]) {
      if (performance.now() > end) break;
      const octets = await this.#heap.weigh(() => this.#attempt(input));
      if (octets >= LEAST_LEAK && octets > (heaviest?.octets ?? 0)) heaviest = { input, octets };
    }
    return heaviest;
  }
}
