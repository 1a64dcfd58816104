import type { Sample } from './sample.js';

export interface NamedSample {
  readonly source: string;
  readonly sample: Sample;
}

/** What most sources say. */
export interface Agreement extends Sample {
  readonly agreeing: readonly NamedSample[];
  readonly outvoted: readonly NamedSample[];
}

/** Milliseconds a source is granted beside its own error: ways there and back differ. */
const TOLERANCE = 50;

/**
 * The median of the sources that can all be right at once, if they are more than half of those that answered: one that
 * lies, or is broken, changes nothing (RFC 5905 11.2.1).
 * @returns undefined when there is no such majority
 */
export function agreementOf(samples: readonly NamedSample[]): Agreement | undefined {
  const spans = samples.map(({ sample: { utc, error } }) => ({
    from: utc - error - TOLERANCE,
    to: utc + error + TOLERANCE,
  }));
  let best: readonly NamedSample[] = [];
  // Where most spans meet one of them begins.
  for (const { from: point } of spans) {
    const meeting = samples.filter((_, index) => {
      const span = spans[index];
      return span !== undefined && span.from <= point && point <= span.to;
    });
    if (meeting.length > best.length) best = meeting;
  }
  if (best.length === 0 || 2 * best.length <= samples.length) return undefined;
  return {
    utc: median(best.map(({ sample }) => sample.utc)),
    error: Math.max(...best.map(({ sample }) => sample.error)),
    agreeing: best,
    outvoted: samples.filter((one) => !best.includes(one)),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const half = sorted.length / 2;
  const [low = 0, high = low] = sorted.slice(Math.ceil(half) - 1, Math.floor(half) + 1);
  return (low + high) / 2;
}
