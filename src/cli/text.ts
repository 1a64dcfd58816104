/** How values look to eyes. */

const units = ['KB', 'MB', 'GB', 'TB'] as const;

/** Octets with the unit the configuration would use: `30MB`, `812 B`. */
export function sizeText(octets: number): string {
  let amount = octets;
  let unit = '';
  for (const next of units) {
    if (amount < 1024) break;
    amount /= 1024;
    unit = next;
  }
  if (unit === '') return `${octets} B`;
  return `${Number(amount.toFixed(amount < 10 ? 1 : 0))}${unit}`;
}

/** An instant in UTC, to the second. */
export function timeText(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}
