import type { Telemetry } from '../telemetry/index.js';

/** Work that comes back at an interval. Running it twice, or late, does no harm. */
export interface Chore {
  readonly name: string;
  /** Milliseconds from the end of one run to the start of the next. */
  readonly every: number;
  readonly run: () => Promise<unknown>;
}

/** What a timer of the platform can wait; told to wait longer it would not wait at all. Milliseconds. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** Runs chores until told to stop. A chore that fails is told and comes back at its next turn. */
export class Timers {
  private readonly pending = new Map<string, NodeJS.Timeout>();
  private readonly running = new Set<Promise<void>>();
  private stopped = false;

  constructor(
    private readonly chores: readonly Chore[],
    private readonly telemetry: Telemetry,
  ) {}

  start(): void {
    for (const chore of this.chores) this.plan(chore, chore.every);
  }

  /** Resolves when the chore under way, if any, has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.pending.values()) clearTimeout(timer);
    await Promise.all(this.running);
  }

  /** @param wait milliseconds */
  private plan(chore: Chore, wait: number): void {
    if (this.stopped) return;
    const step = Math.min(wait, LONGEST_WAIT);
    const timer = setTimeout(() => {
      if (step < wait) {
        this.plan(chore, wait - step);
        return;
      }
      const run = this.run(chore).finally(() => this.running.delete(run));
      this.running.add(run);
    }, step);
    timer.unref();
    this.pending.set(chore.name, timer);
  }

  private async run(chore: Chore): Promise<void> {
    try {
      await chore.run();
      this.telemetry.clear(`timer-${chore.name}`, '');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.telemetry.raise(`timer-${chore.name}`, '', reason);
    }
    this.plan(chore, chore.every);
  }
}
