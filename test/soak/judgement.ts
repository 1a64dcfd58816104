/** Flat, or growing: what a process held in the hours of the second half of its day. */
import { mebibytes, type Reading } from '../load/gauge.js';
import { type Bound, judge, medianOf, type Verdict } from '../load/trend.js';
import type { Held } from './day.js';

const MIB = 1024 * 1024;

/** Growth over the second half that is still flat. */
export const BOUNDS = {
  resident: { least: 12 * MIB, share: 0.08 },
  /** Without the garbage, as `external`. */
  heap: { least: 3 * MIB, share: 0.06 },
  external: { least: 4 * MIB, share: 0.25 },
  descriptors: { least: 4, share: 0 },
  /** Of the database: so much of it stays when it is not needed (`journal_size_limit`). */
  log: { least: 64 * MIB, share: 0 },
} as const satisfies Partial<Record<keyof Reading | 'log', Bound>>;

export type Judged = keyof typeof BOUNDS;
export const JUDGED: readonly Judged[] = ['resident', 'heap', 'external', 'descriptors', 'log'];

/** One figure of an hour: of the resident memory the usual, of descriptors those that were open all through it. */
export function figureOf({ readings, weight, disk }: Held, what: Judged): number {
  if (what === 'log') return disk.log;
  if (what === 'heap' || what === 'external') return weight[what];
  const values = readings.map((reading) => reading[what]);
  return what === 'resident' ? medianOf(values) : Math.min(...values);
}

export interface Growth extends Verdict {
  readonly what: Judged;
  /** `3.1 (12.0)`: mebibytes or descriptors, and the most that is flat. */
  readonly told: string;
}

/** What grew in the second half of one process's day. */
export function growthOf(hours: readonly Held[]): Growth[] {
  const late = hours.slice(Math.floor(hours.length / 2));
  return JUDGED.map((what) => {
    const verdict = judge(
      late.map((held) => figureOf(held, what)),
      BOUNDS[what],
    );
    const said = what === 'descriptors' ? (figure: number) => figure.toFixed(1) : mebibytes;
    return { what, ...verdict, told: `${what} ${said(verdict.grown)} (${said(verdict.allowed)})` };
  });
}

/** @param hours of one process */
export function complaintsOf(name: string, hours: readonly Held[]): string[] {
  const complaints = growthOf(hours)
    .filter(({ grown, allowed }) => grown > allowed)
    .map(({ told }) => `${name} grows over the second half of the day: ${told}`);
  const half = Math.floor(hours.length / 2);
  const [early, late] = [mostThreads(hours.slice(0, half)), mostThreads(hours.slice(half))];
  if (late > early) complaints.push(`${name}: ${late} threads, ${early} in the first half of the day`);
  return complaints;
}

const mostThreads = (hours: readonly Held[]): number =>
  Math.max(...hours.flatMap(({ readings }) => readings.map(({ threads }) => threads)));
