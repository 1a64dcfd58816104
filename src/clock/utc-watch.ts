/**
 * Watches the system clock: against UTC, where sources are configured, and against the monotonic clock always.
 *
 * Invariant: while the clock is known to be more than one second off, `certifies` says no (decisions 30). It compares
 * both clocks at every question, so that a step counts before anybody has measured anew.
 */
import type { Telemetry } from '../telemetry/index.js';
import type { Agreement } from './agreement.js';
import { judgeClock, type Knowledge, type Verdict } from './knowledge.js';
import type { LatestTime } from './latest-time.js';
import { type Measurement, measure } from './measurement.js';
import { monotonic, type TimeSource } from './sample.js';

/** What is kept of the clock for whoever asks years later. Milliseconds. */
export interface ClockRecord {
  /** The system clock at that moment, epoch milliseconds. */
  readonly at: number;
  readonly state: 'exact' | 'wrong' | 'unmeasured';
  /** What UTC was ahead of the system clock; null when unknown. */
  readonly offset: number | null;
  /** By how much the offset may be wrong; null when it was not measured at that moment. */
  readonly error: number | null;
  /** Who agreed on it. */
  readonly sources: readonly string[];
  /** Sources that were outvoted or did not answer, and why. */
  readonly notes: string;
}

export interface UtcWatchOptions {
  /** None: the system clock is taken as true, and only steps are told. */
  readonly sources: readonly TimeSource[];
  /** Milliseconds between two measurements. */
  readonly interval: number;
  /** The offset an earlier process ended with, if that was a wrong one. */
  readonly foundWrong?: number | undefined;
  /** Keeps a record durably. @throws when it cannot now: it is brought again */
  readonly record: (record: ClockRecord) => Promise<void>;
  readonly telemetry: Telemetry;
  readonly latest?: LatestTime;
  /** Epoch milliseconds. */
  readonly wall?: () => number;
  /** Milliseconds that never go back. */
  readonly monotonic?: () => number;
}

/** Milliseconds between two looks at both clocks; a difference grown by more than `STEP` in between is a step. */
const LOOK = 1_000;
const STEP = 2_000;
/** Milliseconds between two questions to a server, at least (RFC 4330 10). */
const SHORTEST = 15_000;
/** Milliseconds: one record an hour at least, whatever the interval. */
const RECORD_EVERY = 55 * 60_000;
/** Records that wait for a store that does not answer. */
const WAITING = 100;

export class UtcWatch {
  readonly #options: UtcWatchOptions;
  readonly #wall: () => number;
  readonly #monotonic: () => number;
  readonly #records: ClockRecord[] = [];
  readonly #listeners = new Set<() => void>();
  #known: Knowledge;
  #last: Measurement | undefined;
  #told: Verdict['kind'] | undefined;
  #recordedAt = Number.NEGATIVE_INFINITY;
  #recording: Promise<void> | undefined;
  #measuring: Promise<void> | undefined;
  #measuredAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  /** Wall minus monotonic at the last look. */
  #difference: number;
  #steppedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(options: UtcWatchOptions) {
    this.#options = options;
    this.#wall = options.wall ?? Date.now;
    this.#monotonic = options.monotonic ?? monotonic;
    this.#difference = this.#wall() - this.#monotonic();
    if (options.sources.length === 0) this.#known = { kind: 'unwatched' };
    else if (options.foundWrong === undefined) this.#known = { kind: 'nothing' };
    else this.#known = { kind: 'found-wrong', offset: options.foundWrong };
  }

  /** Resolves after the first measurement, whatever came of it. */
  async start(): Promise<void> {
    const { sources, telemetry } = this.#options;
    this.#looking = setInterval(() => this.#look(), LOOK).unref();
    if (sources.length === 0) return;
    telemetry.gauge('clock_offset_seconds', 'UTC minus the system clock; NaN when not known', () => {
      const verdict = this.verdict();
      return 'offset' in verdict ? verdict.offset / 1000 : Number.NaN;
    });
    await this.#measure();
  }

  /** Resolves when what is known is recorded, if it can be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#looking);
    await this.#measuring;
    await this.#keep();
  }

  verdict(): Verdict {
    return judgeClock(this.#known, { wall: this.#wall(), steady: this.#monotonic() });
  }

  /** Whether anything may be certified now. */
  certifies(): boolean {
    this.#look();
    return this.verdict().kind !== 'wrong';
  }

  /** Whether the system clock has jumped within the last so many milliseconds: times written before are not to be trusted. */
  stepped(within: number): boolean {
    this.#look();
    return this.#monotonic() - this.#steppedAt < within;
  }

  /** Calls the listener after each step of the system clock, and when it is found right again. @returns what ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param fresh what was measured just now */
  #look(fresh?: Agreement): void {
    const difference = this.#wall() - this.#monotonic();
    const step = difference - this.#difference;
    this.#difference = difference;
    if (Math.abs(step) > STEP) {
      this.#steppedAt = this.#monotonic();
      this.#options.telemetry.event('clock.stepped', { seconds: Math.round(step) / 1000 });
      this.#plan(0);
    }
    const mended = this.#tellVerdict(fresh);
    if (mended || Math.abs(step) > STEP) for (const listener of this.#listeners) listener();
  }

  /** @returns whether the clock was found right after it was wrong */
  #tellVerdict(fresh: Agreement | undefined): boolean {
    const verdict = this.verdict();
    if (verdict.kind === 'unmeasured' || verdict.kind === 'unwatched') this.#options.latest?.set(undefined);
    if (verdict.kind === this.#told || (this.#last === undefined && verdict.kind === 'unmeasured'))
      return false;
    const before = this.#told;
    this.#told = verdict.kind;
    if (verdict.kind === 'unwatched') return false;
    this.#alarm(verdict);
    if (before !== undefined && verdict.kind === 'exact') {
      this.#options.telemetry.event('clock.exact', { offset: verdict.offset / 1000 });
    }
    this.#note(verdict, fresh);
    // What a step has made doubtful is measured at once.
    this.#plan(0);
    return before === 'wrong';
  }

  #alarm(verdict: Verdict): void {
    const { telemetry } = this.#options;
    if (verdict.kind === 'wrong') {
      const reason = `the system clock is ${described(verdict.offset)} UTC: nothing is certified`;
      telemetry.raise('clock-offset', '', reason);
    } else {
      telemetry.clear('clock-offset', '');
    }
    if (verdict.kind === 'unmeasured') {
      const why = this.#last?.kind === 'failed' ? this.#last.reason : 'no source answers';
      telemetry.raise('clock-unmeasured', '', why);
    } else {
      telemetry.clear('clock-unmeasured', '');
    }
  }

  /** @param wait milliseconds from now, but never so early that a server is asked too often */
  #plan(wait: number): void {
    if (this.#stopped || this.#options.sources.length === 0 || this.#measuring !== undefined) return;
    clearTimeout(this.#timer);
    const soonest = this.#measuredAt + SHORTEST - this.#monotonic();
    this.#timer = setTimeout(() => void this.#measure(), Math.max(wait, soonest, 0)).unref();
  }

  /** Never rejects. */
  async #measure(): Promise<void> {
    if (this.#stopped || this.#measuring !== undefined) return;
    this.#measuredAt = this.#monotonic();
    this.#measuring = this.#take().finally(() => {
      this.#measuring = undefined;
    });
    await this.#measuring;
    const { kind } = this.verdict();
    this.#plan(kind === 'wrong' ? SHORTEST : this.#options.interval);
  }

  async #take(): Promise<void> {
    const { sources, telemetry, latest } = this.#options;
    const measurement = await measure(sources);
    this.#last = measurement;
    const fresh = measurement.kind === 'measured' ? measurement.agreement : undefined;
    if (fresh !== undefined) {
      const { utc, error, agreeing } = fresh;
      const steady = this.#monotonic();
      this.#known = { kind: 'measured', utc, at: steady, offset: utc + steady - this.#wall() };
      latest?.set(utc);
      telemetry.event('clock.measured', {
        offset: Math.round(this.#known.offset) / 1000,
        error: Math.round(error) / 1000,
        sources: agreeing.map(({ source }) => source),
        ...noted(notesOf(measurement)),
      });
    } else {
      telemetry.event('clock.unanswered', { error: notesOf(measurement) });
    }
    this.#look(fresh);
    if (this.#monotonic() - this.#recordedAt >= RECORD_EVERY) {
      this.#note(this.verdict(), fresh);
    }
    await this.#keep();
  }

  /** Puts a record in the line of those to be kept. */
  #note(verdict: Verdict, fresh: Agreement | undefined): void {
    if (verdict.kind === 'unwatched') return;
    this.#recordedAt = this.#monotonic();
    this.#records.push({
      at: this.#wall(),
      state: verdict.kind,
      offset: 'offset' in verdict ? verdict.offset : null,
      error: fresh?.error ?? null,
      sources: fresh?.agreeing.map(({ source }) => source) ?? [],
      notes: this.#last === undefined ? '' : notesOf(this.#last),
    });
    if (this.#records.length > WAITING) this.#records.shift();
    void this.#keep();
  }

  /** Never rejects: what could not be kept is brought again with the next measurement. */
  #keep(): Promise<void> {
    this.#recording ??= this.#keepAll().finally(() => {
      this.#recording = undefined;
    });
    return this.#recording;
  }

  async #keepAll(): Promise<void> {
    for (let next = this.#records[0]; next !== undefined; next = this.#records[0]) {
      try {
        await this.#options.record(next);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.#options.telemetry.event('store.unavailable', { operation: 'recordClock', error: reason });
        return;
      }
      if (this.#records[0] === next) this.#records.shift();
    }
  }
}

function notesOf(measurement: Measurement): string {
  if (measurement.kind === 'failed') return measurement.reason;
  const { utc, outvoted } = measurement.agreement;
  const lies = outvoted.map(
    ({ source, sample }) => `${source}: outvoted by ${((sample.utc - utc) / 1000).toFixed(3)} s`,
  );
  return [...lies, ...measurement.failures].join('; ');
}

const noted = (notes: string): { readonly notes?: string } => (notes === '' ? {} : { notes });

/** `1.234 s behind`. */
const described = (offset: number): string =>
  `${(Math.abs(offset) / 1000).toFixed(3)} s ${offset > 0 ? 'behind' : 'ahead of'}`;
