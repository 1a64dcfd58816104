import type { Telemetry } from '../telemetry/index.js';
import type { SilenceLook } from './silence.js';

export interface SilenceWatchOptions {
  readonly notices: { issueDue(stop: AbortSignal): Promise<SilenceLook> };
  /** Milliseconds between two looks at most: no longer than the first notice takes to fall due, or one may be late. */
  readonly longest: number;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** While the clock is known to be wrong no notice is issued (decisions 30). */
  readonly clockIsRight?: (() => boolean) | undefined;
  readonly telemetry: Telemetry;
}

/** Milliseconds between two looks at least. */
const SHORTEST = 250;
/** The wall clock may run ahead of a wait by this much, milliseconds; more is a leap. */
const LEAP = 60_000;

/**
 * Looks at the deadlines of silence at once, when the next one falls due, and now and then in between. Waits are short,
 * so that a clock set anew shifts no notice for long; one that leaps ahead is believed only if it stays there.
 */
export class SilenceWatch {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private looking = false;
  private expected = Number.POSITIVE_INFINITY;
  private readonly stopping = new AbortController();

  constructor(private readonly options: SilenceWatchOptions) {}

  start(): void {
    this.plan(0);
  }

  /** Resolves when the notices in hand are committed. */
  async stop(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.running;
  }

  /** Looks now: the clock was set. */
  wake(): void {
    if (!this.looking) this.plan(0);
  }

  /** @param wait milliseconds */
  private plan(wait: number): void {
    if (this.stopping.signal.aborted) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.looking = true;
      this.running = this.look().then((next) => {
        this.looking = false;
        this.expected = this.options.clock() + next;
        this.plan(next);
      });
    }, wait);
    this.timer.unref();
  }

  /** @returns milliseconds until the next look */
  private async look(): Promise<number> {
    const { notices, longest, clock, telemetry } = this.options;
    const ahead = clock() - this.expected;
    if (ahead > LEAP) {
      const reason = `the clock leapt ${Math.round(ahead / 1000)} s ahead: notices of silence wait for the next look`;
      telemetry.event('server.warning', { reason });
      return longest;
    }
    if (this.options.clockIsRight?.() === false) return longest;
    try {
      const { failed, nextAt } = await notices.issueDue(this.stopping.signal);
      telemetry.clear('timer-silence', '');
      if (failed > 0 || nextAt === null) return longest;
      return Math.min(Math.max(nextAt - clock(), SHORTEST), longest);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      telemetry.raise('timer-silence', '', reason);
      return longest;
    }
  }
}
