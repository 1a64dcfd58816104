/**
 * Time that passes only when the simulation says so. The timers of the program are its timers: while it is installed, the
 * global setTimeout and that of node:timers/promises go through it. Nothing in a simulation waits for a disk, a socket or a
 * thread, so that once the microtasks have run out everything is asleep.
 */
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  immediate: globalThis.setImmediate,
  pause: timersPromises.setTimeout,
};

/** What setTimeout gives: the parts of NodeJS.Timeout the program uses. */
interface Timer {
  at: number;
  readonly order: number;
  readonly run: () => void;
  /** A look at a queue or at deadlines: nothing is lost when it comes late over a time in which nothing fell due. */
  readonly look: boolean;
  unref(): Timer;
  ref(): Timer;
}

/** Milliseconds worth leaving out, and milliseconds before the next thing due at which the looks begin again. */
const LEAP = 2 * 60_000;
const LANDING = 61_000;

export class VirtualTime {
  #timers: Timer[] = [];
  #order = 0;

  /** @param now epoch milliseconds */
  constructor(public now: number) {}

  readonly clock = (): number => this.now;

  /** Takes the timers over. @returns what gives them back */
  install(): () => void {
    const pause = async (ms: number, value?: unknown): Promise<unknown> => {
      await this.sleep(ms);
      return value;
    };
    // The program asks its timers to unref and to be cleared, and nothing else.
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms = 0) => this.#add(run, ms, true),
      clearTimeout: (timer: unknown) => this.#remove(timer as Timer),
    });
    Object.assign(timersPromises, { setTimeout: pause });
    syncBuiltinESMExports();
    return () => {
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
      Object.assign(timersPromises, { setTimeout: real.pause });
      syncBuiltinESMExports();
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#add(resolve, ms, false));
  }

  /** Until nobody can go on without time passing. */
  settle(): Promise<void> {
    return new Promise((resolve) => void real.immediate(resolve));
  }

  /** @param dueAt when the next thing falls due that a look would find; the time before it may be leapt over */
  async advance(ms: number, dueAt: () => number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      await this.settle();
      const next = this.#timers[0];
      if (next === undefined || next.at > until) break;
      if (next.look) this.#leap(until, dueAt);
      const timer = this.#timers.shift();
      if (timer === undefined) break;
      this.now = Math.max(this.now, timer.at);
      timer.run();
    }
    this.now = until;
  }

  /** Idle looks come every half minute: over hours of silence they would be most of the work, and find nothing. */
  #leap(until: number, dueAt: () => number): void {
    if (until - this.now < LEAP) return;
    const sleeper = this.#timers.find(({ look }) => !look)?.at ?? until;
    const landing = Math.min(until, sleeper, dueAt()) - LANDING;
    if (landing - this.now < LEAP - LANDING) return;
    this.now = landing;
    for (const timer of this.#timers) timer.at = Math.max(timer.at, landing);
  }

  #add(run: () => void, ms: number, look: boolean): Timer {
    const timer: Timer = {
      at: this.now + Math.max(0, Math.ceil(ms)),
      order: ++this.#order,
      run,
      look,
      unref: () => timer,
      ref: () => timer,
    };
    const place = this.#timers.findIndex(({ at }) => at > timer.at);
    this.#timers.splice(place < 0 ? this.#timers.length : place, 0, timer);
    return timer;
  }

  #remove(timer: Timer): void {
    const place = this.#timers.indexOf(timer);
    if (place >= 0) this.#timers.splice(place, 1);
  }
}
