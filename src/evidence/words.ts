/** How instants and lists are written in both languages. */
import { legalTime } from '../pec/index.js';
import type { Sentence } from './report.js';

/** Legal time in Italy: `13/11/2018 16:39:26 +0100` and `2018-11-13 16:39:26 +0100`. */
export function instantText(epochMs: number): Sentence {
  try {
    const { giorno, ora, zona } = legalTime(epochMs);
    return { it: `${giorno} ${ora} ${zona}`, en: `${isoDay(giorno)} ${ora} ${zona}` };
  } catch (error) {
    // A certificate may name the year 1950 or 9999.
    if (!(error instanceof RangeError)) throw error;
    const text = isoTime(epochMs) ?? '?';
    return { it: text, en: text };
  }
}

/** ISO 8601 in UTC, null for what is no instant. */
export function isoTime(epochMs: number | undefined): string | null {
  const date = new Date(epochMs ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** `dd/mm/yyyy` as `yyyy-mm-dd`; anything else as it stands. */
export const isoDay = (giorno: string): string => giorno.replace(/^(\d\d)\/(\d\d)\/(\d{4})$/, '$3-$2-$1');

/** Lower-case hexadecimal. */
export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
