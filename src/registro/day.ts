import { DateTime } from 'luxon';

/** The days of the register are those of Italy: a day has 23, 24 or 25 hours. */
const ZONE = 'Europe/Rome';

/** A day with the span of time it covers, [from, to) in epoch milliseconds. */
export interface Day {
  /** 2026-11-22 */
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

const dayFrom = (start: DateTime): Day => ({
  name: start.toFormat('yyyy-MM-dd'),
  from: start.toMillis(),
  to: start.plus({ days: 1 }).startOf('day').toMillis(),
});

/** The day in which an instant lies. */
export const dayOf = (epochMs: number): Day =>
  dayFrom(DateTime.fromMillis(epochMs, { zone: ZONE }).startOf('day'));

/** The day of a name; undefined for what names none. */
export function dayNamed(name: string): Day | undefined {
  const start = DateTime.fromISO(name, { zone: ZONE });
  return /^\d{4}-\d{2}-\d{2}$/.test(name) && start.isValid ? dayFrom(start.startOf('day')) : undefined;
}

/** An instant as the legal time of Italy, with its offset: `2026-11-22T10:30:00.125+01:00`. */
export const legalInstant = (epochMs: number): string =>
  DateTime.fromMillis(epochMs, { zone: ZONE }).toISO({ includeOffset: true }) ?? '';
