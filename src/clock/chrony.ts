import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { monotonic, type Sample, type TimeSource } from './sample.js';

export interface ChronyOptions {
  /** chronyc by another path. */
  readonly program?: string;
  readonly wall?: () => number;
  readonly monotonic?: () => number;
}

/** Milliseconds. */
const TIMEOUT = 3_000;
/** Milliseconds chrony's estimate may be wrong and still decide about one second. */
const MAX_ERROR = 500;
/** Where `chronyc -c tracking` has what. */
const STRATUM = 2;
const SYSTEM_TIME = 4;
const ROOT_DELAY = 10;
const ROOT_DISPERSION = 11;
const LEAP_STATUS = 13;

/** The chronyd of this machine, which measures the clock all the time anyway. */
export class Chrony implements TimeSource {
  readonly name = 'chrony';

  constructor(private readonly options: ChronyOptions = {}) {}

  async measure(): Promise<Sample> {
    const { program = 'chronyc', wall = Date.now, monotonic: steady = monotonic } = this.options;
    const { stdout } = await promisify(execFile)(program, ['-n', '-c', 'tracking'], { timeout: TIMEOUT });
    const { offset, error } = readTracking(stdout);
    return { utc: wall() + offset - steady(), error };
  }
}

/**
 * One line of `chronyc -c tracking`.
 * @returns milliseconds; the offset is what UTC is ahead of the system clock
 * @throws Error when chrony does not know the time
 */
export function readTracking(line: string): { readonly offset: number; readonly error: number } {
  const fields = line.trim().split(',');
  const seconds = (at: number): number => Number(fields[at] || Number.NaN) * 1000;
  const error = seconds(ROOT_DELAY) / 2 + seconds(ROOT_DISPERSION);
  const offset = seconds(SYSTEM_TIME);
  if (!Number.isFinite(error) || !Number.isFinite(offset)) throw new Error('chronyc: not understood');
  const synchronised = fields[LEAP_STATUS] !== 'Not synchronised' && Number(fields[STRATUM]) > 0;
  if (!synchronised) throw new Error('chrony is not synchronised');
  if (error > MAX_ERROR) throw new Error(`chrony may be wrong by ${Math.round(error)} ms`);
  return { offset, error };
}
