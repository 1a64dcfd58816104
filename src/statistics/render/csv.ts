import type { Statistics } from '../collect.js';
import { type CountName, countNames } from '../counts.js';

/** A line a day and a line for the whole, RFC 4180 with a byte order mark, for spreadsheets. */
export function statisticsCsv({ days, total }: Statistics): string {
  const names = Object.keys(countNames) as CountName[];
  const lines = [
    ['giorno', ...names],
    ...days.map(({ day, counts }) => [day, ...names.map((name) => String(counts[name]))]),
    ['totale', ...names.map((name) => String(total[name]))],
  ];
  return `\ufeff${lines.map((line) => line.join(',')).join('\r\n')}\r\n`;
}
