/** IMAP's dates (RFC 9051 9, date and date-time). */
import { ImapSyntaxError } from './errors.js';
import type { Scanner } from './scanner.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY = 86_400_000;
const DATE = /^([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})$/;
const DATE_TIME =
  /^([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})$/;

const monthOf = (name: string): number =>
  MONTHS.findIndex((month) => month.toLowerCase() === name.toLowerCase());

/** A day as its number since 1970. */
export function readDate(scanner: Scanner): number {
  const found = DATE.exec(scanner.sees('"') ? scanner.string().toString('latin1') : scanner.atom());
  const [, day = '', month = '', year = ''] = found ?? [];
  const at = Date.UTC(Number(year), monthOf(month), Number(day));
  if (found === null || monthOf(month) < 0 || new Date(at).getUTCDate() !== Number(day))
    throw new ImapSyntaxError('The date is not valid');
  return at / DAY;
}

/** An instant in epoch milliseconds. */
export function readDateTime(scanner: Scanner): number {
  const found = DATE_TIME.exec(scanner.string().toString('latin1'));
  const [
    ,
    day = '',
    month = '',
    year = '',
    hour = '',
    minute = '',
    second = '',
    sign = '',
    zoneHour = '',
    zoneMinute = '',
  ] = found ?? [];
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  const local = Date.UTC(
    Number(year),
    monthOf(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const sound =
    found !== null &&
    monthOf(month) >= 0 &&
    new Date(local).getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) <= 60;
  if (!sound) throw new ImapSyntaxError('The date and time are not valid');
  return local - zone * 60_000;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `"17-Jul-1996 02:44:25 +0000"`: INTERNALDATE and SAVEDATE are given in UTC. */
export function writeDateTime(at: number): string {
  const time = new Date(at);
  const date = `${String(time.getUTCDate()).padStart(2, ' ')}-${MONTHS[time.getUTCMonth()]}-${time.getUTCFullYear()}`;
  return `"${date} ${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000"`;
}
