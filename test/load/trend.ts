/** Whether a series of readings grows. */

/**
 * Theil-Sen: the median of the slopes between all pairs, so that a third of the readings may be anything.
 * @returns growth from one reading to the next; 0 for fewer than two
 */
export function slopeOf(readings: readonly number[]): number {
  const slopes: number[] = [];
  for (const [at, reading] of readings.entries()) {
    for (let later = at + 1; later < readings.length; later += 1) {
      slopes.push(((readings[later] ?? 0) - reading) / (later - at));
    }
  }
  return medianOf(slopes);
}

/** 0 for none. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? upper) + upper) / 2 : upper;
}

/** How much a series may grow from its first reading to its last. */
export interface Bound {
  /** In the unit of the readings. */
  readonly least: number;
  /** Of the median. The larger of the two counts. */
  readonly share: number;
}

export interface Verdict {
  /** By the slope, over all of the readings. */
  readonly grown: number;
  readonly allowed: number;
}

export function judge(readings: readonly number[], { least, share }: Bound): Verdict {
  return {
    grown: slopeOf(readings) * Math.max(0, readings.length - 1),
    allowed: Math.max(least, share * medianOf(readings)),
  };
}
