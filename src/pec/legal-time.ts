import { DateTime, IANAZone } from 'luxon';
import type { LegalTime } from './types.js';

/** Italian legal time, summer time included (RFC 6109 4.2). */
const ZONE = 'Europe/Rome';
/** An offset changes only on a whole UTC hour: one look-up serves every instant of it. */
const HOUR_MS = 3_600_000;
const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

const zone = IANAZone.create(ZONE);
let offsetHour = Number.NaN;
let offsetMinutes = 0;
let last: LegalTime | undefined;

/**
 * The words of one instant. `epochMs` is cut to the second, so that header, text, XML and register of one transaction
 * agree to the letter (RFC 6109 4.1).
 * @param epochMs milliseconds since 1970-01-01 UTC
 * @throws RangeError when `epochMs` is no instant of the years 1970 to 9999
 */
export function legalTime(epochMs: number): LegalTime {
  const whole = Math.floor(epochMs / 1000) * 1000;
  if (last?.epochMs === whole) return last;
  if (!(whole >= 0 && whole < 253_370_764_800_000)) throw new RangeError(`not an instant: ${epochMs}`);
  last = spell(whole, offsetAt(whole));
  return last;
}

/** What `giorno`, `ora` and `zona` of a daticert mean, as epoch milliseconds; undefined when they are no date. */
export function instantOf(giorno: string, ora: string, zona: string): number | undefined {
  const parsed = DateTime.fromFormat(`${giorno} ${ora} ${zona.replace(':', '')}`, 'dd/MM/yyyy HH:mm:ss ZZZ');
  return parsed.isValid ? parsed.toMillis() : undefined;
}

function offsetAt(epochMs: number): number {
  const hour = Math.floor(epochMs / HOUR_MS);
  if (hour !== offsetHour) {
    offsetMinutes = zone.offset(hour * HOUR_MS);
    offsetHour = hour;
  }
  return offsetMinutes;
}

function spell(epochMs: number, minutesEast: number): LegalTime {
  const local = new Date(epochMs + minutesEast * 60_000);
  const day = two(local.getUTCDate());
  const month = two(local.getUTCMonth() + 1);
  const year = String(local.getUTCFullYear());
  const hours = two(local.getUTCHours());
  const minutes = two(local.getUTCMinutes());
  const seconds = two(local.getUTCSeconds());
  const away = Math.abs(minutesEast);
  // pec-format 1.3: without the colon of RFC 6109 4.2, as every gestore writes it.
  const zona = `${minutesEast < 0 ? '-' : '+'}${two(Math.floor(away / 60))}${two(away % 60)}`;
  const ora = `${hours}:${minutes}:${seconds}`;
  return {
    epochMs,
    giorno: `${day}/${month}/${year}`,
    ora,
    zona,
    date: `${WEEKDAYS[local.getUTCDay()]}, ${local.getUTCDate()} ${MONTHS[local.getUTCMonth()]} ${year} ${ora} ${zona}`,
    compact: `${year}${month}${day}${hours}${minutes}${seconds}`,
  };
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));
