import { EventEmitter, once } from 'node:events';

/** What the faults wait for, so that they strike where it hurts. */
export type Moment =
  | 'final dot'
  | 'reply to it'
  | 'relayed content'
  | 'relayed reply'
  | 'quit'
  | 'reply to a quit'
  | 'imap command'
  | 'imap answer';

/** What happened when, as the harness saw it: the story of a failing seed. */
export class Journal {
  readonly #start = performance.now();
  readonly #lines: { readonly at: number; readonly text: string }[] = [];
  readonly #moments = new EventEmitter();

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.#start;
  }

  tell(text: string): void {
    this.#lines.push({ at: this.now(), text });
  }

  happened(moment: Moment, where: string): void {
    this.#moments.emit(`${moment} ${where}`);
  }

  /** The next time that happens there, or when the patience (milliseconds) ends. */
  async next(moment: Moment, where: string, patience: number): Promise<void> {
    const signal = AbortSignal.timeout(patience);
    await once(this.#moments, `${moment} ${where}`, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  /** The lines from `from` to `to`, in milliseconds of the run. */
  between(from: number, to: number): string[] {
    return this.#lines
      .filter(({ at }) => at >= from && at <= to)
      .map(({ at, text }) => `${(at / 1000).toFixed(3).padStart(9)}  ${text}`);
  }

  all(): string[] {
    return this.between(0, Number.POSITIVE_INFINITY);
  }
}
