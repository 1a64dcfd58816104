import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { moduleOf } from './corpus.js';
import { type Failure, hang } from './failure.js';
import type { HuntOrder, HuntResult } from './hunt.js';
import { Slot } from './slot.js';
import type { Answer, Order } from './worker.js';

/** The slot holds any input whole. */
const SLOT = 1024 * 1024;
const LOOK_EVERY_MS = 100;
const CLOSING_MS = 5_000;

/** What the worker was told to do does not end: its thread is gone. */
export class Stuck extends Error {
  override readonly name = 'Stuck';

  constructor(
    readonly input: Buffer,
    readonly failure: Failure,
  ) {
    super(failure.text);
  }
}

/** A target in a thread of its own, which is ended when an input takes too long, and begun again when it is needed. */
export class Bench {
  readonly #slot = Slot.of(SLOT);
  #worker: Worker | undefined;

  constructor(
    private readonly name: string,
    /** Milliseconds for one input. */
    private readonly patience: number,
  ) {
    if (!existsSync(moduleOf(name))) throw new Error(`no target ${name}`);
  }

  /** @throws Stuck */
  async hunt(
    options: HuntOrder,
    onFinding: (input: Buffer | undefined, failure: Failure) => void,
  ): Promise<HuntResult> {
    const answer = await this.#ask({ kind: 'hunt', options }, (told) => {
      if (told.kind === 'finding') onFinding(told.input && Buffer.from(told.input), told.failure);
    });
    if (answer.kind !== 'hunted') throw new Error(`unexpected answer ${answer.kind}`);
    return answer.result;
  }

  /** What is wrong with this input, if anything. */
  async attempt(input: Buffer): Promise<Failure | undefined> {
    try {
      const answer = await this.#ask({ kind: 'attempt', input });
      return answer.kind === 'attempted' ? answer.failure : undefined;
    } catch (error) {
      if (error instanceof Stuck) return error.failure;
      throw error;
    }
  }

  /** Octets that stay behind each time this input runs; 0 when it hangs. */
  async weigh(input: Buffer): Promise<number> {
    try {
      const answer = await this.#ask({ kind: 'weigh', input });
      return answer.kind === 'weighed' ? answer.octets : 0;
    } catch (error) {
      if (error instanceof Stuck) return 0;
      throw error;
    }
  }

  /** @returns the files that were written */
  async grow(inputs: readonly Buffer[]): Promise<readonly string[]> {
    const answer = await this.#ask({ kind: 'grow', inputs });
    return answer.kind === 'grown' ? answer.paths : [];
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const patience = new Promise((resolve) => setTimeout(resolve, CLOSING_MS).unref());
    await Promise.race([this.#ask({ kind: 'close' }), patience]);
    this.#worker = undefined;
    await worker.terminate();
  }

  #start(): Worker {
    const workerData = { name: this.name, memory: this.#slot.memory };
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }

  /** The worker's last answer to an order; `onOther` hears those before it. */
  #ask(order: Order, onOther: (answer: Answer) => void = () => undefined): Promise<Answer> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise<Answer>((resolve, reject) => {
      const clock = setInterval(() => {
        if (this.#slot.busy > this.patience) done(() => reject(this.#end(worker)));
      }, LOOK_EVERY_MS);
      const hear = (answer: Answer): void => {
        if (answer.kind === 'finding') onOther(answer);
        else done(() => resolve(answer));
      };
      const fail = (error: unknown): void => done(() => reject(error));
      const gone = (): void => fail(new Error(`the worker of ${this.name} ended`));
      const done = (settle: () => void): void => {
        clearInterval(clock);
        worker.off('message', hear).off('error', fail).off('exit', gone);
        settle();
      };
      worker.on('message', hear).on('error', fail).on('exit', gone);
      worker.postMessage(order);
    });
  }

  #end(worker: Worker): Stuck {
    const { input } = this.#slot;
    this.#slot.end();
    this.#worker = undefined;
    void worker.terminate();
    return new Stuck(input, hang(this.patience));
  }
}
