import { DateTime } from 'luxon';
import type { Presence } from '../storage/index.js';

/** DM 2/11/2005 art. 14: of each four months, that much at least. */
export const REQUIRED = 0.998;

/** [from, to), epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** How long of four months somebody served. */
export interface Availability extends Span {
  /** `2026-09 - 2026-12` */
  readonly period: string;
  /** 0 to 1, of what was observed. */
  readonly share: number;
  readonly meets: boolean;
  readonly outages: number;
  /** The longest one; null where there was none. */
  readonly longest: Span | null;
}

/** A process that starts again so soon is no outage: connections are taken by the system meanwhile. */
const RESTART = 10_000;

/**
 * Availability of each period of four months that a span touches, from the moments in which any node said that it serves.
 * A period counts from the first sign there is, up to `now`.
 */
export function availabilityOf(
  presences: readonly Presence[],
  { from, to }: Span,
  now: number,
): Availability[] {
  const served = union(presences);
  const first = served[0]?.from;
  if (first === undefined) return [];
  return periodsOf({ from: Math.max(from, first), to: Math.min(to, now) }).flatMap(({ period, ...span }) => {
    const whole = span.to - span.from;
    const outages = gaps(served, span).filter((gap) => gap.to - gap.from > RESTART);
    const lost = outages.reduce((sum, gap) => sum + gap.to - gap.from, 0);
    const share = whole === 0 ? 1 : 1 - lost / whole;
    const longest = outages.reduce<Span | null>(
      (worst, gap) => (worst === null || gap.to - gap.from > worst.to - worst.from ? gap : worst),
      null,
    );
    return [{ period, ...span, share, meets: share >= REQUIRED, outages: outages.length, longest }];
  });
}

function union(presences: readonly Presence[]): Span[] {
  const spans: { from: number; to: number }[] = [];
  for (const { since, until } of [...presences].sort((a, b) => a.since - b.since)) {
    const last = spans.at(-1);
    if (last !== undefined && since <= last.to) last.to = Math.max(last.to, until);
    else spans.push({ from: since, to: until });
  }
  return spans;
}

/** A sign is given each minute: what came after the last one is not known to be an outage yet. */
const UNKNOWN = 3.5 * 60_000;

function gaps(served: readonly Span[], { from, to }: Span): Span[] {
  const found: Span[] = [];
  let at = from;
  for (const span of served) {
    if (span.to <= from || span.from >= to) continue;
    if (span.from > at) found.push({ from: at, to: span.from });
    at = Math.max(at, span.to);
  }
  if (to - at > UNKNOWN) found.push({ from: at, to });
  return found;
}

function periodsOf({ from, to }: Span): (Span & { readonly period: string })[] {
  const found: (Span & { readonly period: string })[] = [];
  const begin = DateTime.fromMillis(from, { zone: 'Europe/Rome' });
  let start = begin.startOf('year').plus({ months: 4 * Math.floor((begin.month - 1) / 4) });
  while (start.toMillis() < to) {
    const end = start.plus({ months: 4 });
    found.push({
      period: `${start.toFormat('yyyy-MM')} - ${end.minus({ days: 1 }).toFormat('yyyy-MM')}`,
      from: Math.max(from, start.toMillis()),
      to: Math.min(to, end.toMillis()),
    });
    start = end;
  }
  return found;
}
