import { DateTime } from 'luxon';
import { UsageError } from './command.js';

/**
 * An instant in the legal time of Italy, as everything users see. A date alone means its first moment, or with
 * `daysOn` 1 the first of the next day, so that `--to` includes the day it names.
 */
export function instant(text: string | undefined, option: string, daysOn: 0 | 1): number | undefined {
  if (text === undefined) return undefined;
  const time = DateTime.fromISO(text, { zone: 'Europe/Rome' });
  if (!time.isValid)
    throw new UsageError(`${option} ${text}: not a date such as 2026-11-22 or 2026-11-22T10:30:00`);
  return (/^\d{4}-\d{2}-\d{2}$/.test(text) ? time.plus({ days: daysOn }) : time).toMillis();
}
