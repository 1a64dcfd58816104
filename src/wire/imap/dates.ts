/** IMAP's dates (RFC 9051 9, date and date-time). */
import { ImapSyntaxError } from './errors.js';
import type { Scanner } from './scanner.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY = 86_400_000;
const DATE = /^([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})$/;
const DATE_TIME =
  /^(?<day>[ 0-9][0-9])-(?<month>[A-Za-z]{3})-(?<year>[0-9]{4}) (?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2}) (?<sign>[+-])(?<zoneHour>[0-9]{2})(?<zoneMinute>[0-9]{2})$/;

/** Epoch milliseconds of a day, or undefined for one that no calendar has. */
function dayAt(day: string, month: string, year: string): number | undefined {
  const monthAt = MONTHS.findIndex((name) => name.toLowerCase() === month.toLowerCase());
  // Not Date.UTC: it takes the years 0 to 99 for those of the last century.
  const at = new Date(0).setUTCFullYear(Number(year), monthAt, Number(day));
  return monthAt >= 0 && new Date(at).getUTCDate() === Number(day) ? at : undefined;
}

/** A day as its number since 1970. */
export function readDate(scanner: Scanner): number {
  const found = DATE.exec(scanner.sees('"') ? scanner.string().toString('latin1') : scanner.atom());
  const [, day = '', month = '', year = ''] = found ?? [];
  const at = dayAt(day, month, year);
  if (found === null || at === undefined) throw new ImapSyntaxError('The date is not valid');
  return at / DAY;
}

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** What can be written with four digits of a year. */
const FIRST = new Date(0).setUTCFullYear(0, 0, 1);
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59);

/** An instant in epoch milliseconds. */
export function readDateTime(scanner: Scanner): number {
  const parts = DATE_TIME.exec(scanner.string().toString('latin1'))?.groups ?? {};
  const { day = '', month = '', year = '', sign } = parts;
  const [hour, minute, second] = [Number(parts.hour), Number(parts.minute), Number(parts.second)];
  const zoneMinute = Number(parts.zoneMinute);
  const zone = (Number(parts.zoneHour) * HOUR + zoneMinute * MINUTE) * (sign === '-' ? -1 : 1);
  const at = (dayAt(day, month, year) ?? Number.NaN) + hour * HOUR + minute * MINUTE + second * 1000 - zone;
  // A leap second is the first of the next minute.
  const sound = hour < 24 && minute < 60 && second <= 60 && zoneMinute < 60 && at >= FIRST && at <= LAST;
  if (!sound) throw new ImapSyntaxError('The date and time are not valid');
  return at;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `"17-Jul-1996 02:44:25 +0000"`: INTERNALDATE and SAVEDATE are given in UTC. */
export function writeDateTime(at: number): string {
  const time = new Date(at);
  const date = `${String(time.getUTCDate()).padStart(2, ' ')}-${MONTHS[time.getUTCMonth()]}-${String(time.getUTCFullYear()).padStart(4, '0')}`;
  return `"${date} ${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000"`;
}
