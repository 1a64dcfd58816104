import type { TimestampAuthority } from '../../smime/index.js';
import type { DaySeal } from '../../storage/index.js';
import type { Telemetry } from '../../telemetry/index.js';
import { closePart, closeWhole, nextOpenDay } from './close.js';
import { type DayFileParts, writeDayFiles } from './day-file.js';
import { RegisterTouched } from './run.js';
import { StampUnavailable, stampDay } from './stamp.js';

export interface SealerParts extends DayFileParts {
  /** Where time stamps come from, the first one first; none: days are sealed without. */
  readonly authorities: readonly TimestampAuthority[];
  readonly telemetry: Pick<Telemetry, 'event' | 'raise' | 'clear'>;
}

/** What a run of the seal did. */
export interface SealRun {
  /** Closed now. */
  readonly closed: readonly DaySeal[];
  /** Closed now or earlier and completed now. */
  readonly completed: readonly DaySeal[];
  /** Why stamps are missing, null when none is. */
  readonly unstamped: string | null;
}

/** DM 2/11/2005 art. 10: once a day at least. Milliseconds. */
const DAY = 24 * 3_600_000;

/**
 * Seals days of the register. Each step is kept before the next one begins, and a run takes up whatever an earlier one
 * left undone; two at once do no harm.
 */
export class Sealer {
  readonly #parts: SealerParts;

  constructor(parts: SealerParts) {
    this.#parts = parts;
  }

  /**
   * Seals every day that is over, in order, or those up to `last`, and completes what is unfinished.
   * @throws RegisterTouched where an entry does not fit: that day and those after it stay open; DayFileTaken
   */
  async sealDue(last?: string): Promise<SealRun> {
    const closed: DaySeal[] = [];
    const { telemetry } = this.#parts;
    try {
      for (
        let day = await nextOpenDay(this.#parts);
        day !== undefined;
        day = await nextOpenDay(this.#parts)
      ) {
        if (last !== undefined && day.name > last) break;
        closed.push(this.#told(await closeWhole(this.#parts, day)));
      }
      telemetry.clear('registro-touched', '');
    } catch (error) {
      if (error instanceof RegisterTouched) telemetry.raise('registro-touched', '', error.message);
      // What was closed before gets its file and its stamp all the same.
      await this.complete();
      throw error;
    }
    return { closed, ...(await this.complete()) };
  }

  /** Seals what is open: the days that are over, then what was recorded so far of the one that is not. */
  async sealOpen(): Promise<SealRun> {
    const due = await this.sealDue();
    const part = await closePart(this.#parts);
    if (part === undefined) return due;
    this.#told(part);
    const { completed, unstamped } = await this.complete();
    return { closed: [...due.closed, part], completed: [...due.completed, ...completed], unstamped };
  }

  /** Writes the files and gets the stamps that sealed days lack. */
  async complete(): Promise<Omit<SealRun, 'closed'>> {
    const { store, authorities } = this.#parts;
    const completed: DaySeal[] = [];
    let unstamped: string | null = null;
    for (const seal of await store.read('unfinishedSeals', { stamped: authorities.length > 0 })) {
      let done = seal.fileHash === null ? await writeDayFiles(this.#parts, seal) : seal;
      if (authorities.length > 0 && unstamped === null) {
        try {
          done = await stampDay(this.#parts, done);
        } catch (error) {
          if (!(error instanceof StampUnavailable)) throw error;
          unstamped = `${seal.day}: ${error.message}`;
          this.#tellUnstamped(seal, error.message);
        }
      }
      completed.push(done);
    }
    if (unstamped === null) this.#parts.telemetry.clear('seal-unstamped', '');
    return { completed, unstamped };
  }

  #told(seal: DaySeal): DaySeal {
    const { telemetry, authorities } = this.#parts;
    const { day, part, entries } = seal;
    telemetry.event('registro.sealed', { day, part, entries, root: Buffer.from(seal.root).toString('hex') });
    if (authorities.length === 0) {
      telemetry.event('server.warning', {
        reason: `${day} is sealed without a time stamp: "timestamp" is null, and the law wants one (DM 2/11/2005 art. 10)`,
      });
    }
    return seal;
  }

  /** Told at the first failure: there is all of the day left to mend it. */
  #tellUnstamped({ day, recordedTo }: DaySeal, reason: string): void {
    const left = Math.floor((recordedTo + DAY - this.#parts.clock()) / 3_600_000);
    const time = left > 0 ? `${left} hours are left` : 'more than a day has passed';
    this.#parts.telemetry.raise('seal-unstamped', '', `${day} has no time stamp, ${time}: ${reason}`);
  }
}
