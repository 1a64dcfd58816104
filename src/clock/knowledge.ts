/** What is known of the system clock, and what follows from it (decisions 30). */

/** "Un minuto secondo" (DM 2/11/2005 art. 9), milliseconds. */
export const LIMIT = 1_000;

/**
 * The worst rate at which a computer's clock may go and still be disciplined at all (RFC 5905 A.5.5.6, MAXFREQ: 500 ppm).
 * In the time a measurement holds such a clock goes wrong by 0.9 s.
 */
const WORST_RATE = 500e-6;
/** Milliseconds for which a measurement holds. */
export const HOLDS = 30 * 60_000;

/** Milliseconds; times are of the monotonic clock, offsets what UTC is ahead of the system clock. */
export type Knowledge =
  /** Nobody is asked: no source is configured, or `testing` takes the system clock as true. */
  | { readonly kind: 'unwatched' }
  | { readonly kind: 'nothing' }
  /** An earlier process ended with a clock known to be wrong. */
  | { readonly kind: 'found-wrong'; readonly offset: number }
  | { readonly kind: 'measured'; readonly utc: number; readonly at: number; readonly offset: number };

export type Verdict =
  | { readonly kind: 'unwatched' }
  | { readonly kind: 'exact'; readonly offset: number }
  /** Unknown is not wrong: certification goes on, with an alarm. */
  | { readonly kind: 'unmeasured' }
  | { readonly kind: 'wrong'; readonly offset: number };

/** How the clock stands at this moment: a step since the last measurement shows at once. */
export function judgeClock(
  known: Knowledge,
  now: { readonly wall: number; readonly steady: number },
): Verdict {
  switch (known.kind) {
    case 'unwatched':
      return { kind: 'unwatched' };
    case 'nothing':
      return { kind: 'unmeasured' };
    // What was found wrong stays wrong until it is found right.
    case 'found-wrong':
      return { kind: 'wrong', offset: known.offset };
    case 'measured': {
      const age = now.steady - known.at;
      const offset = known.utc + now.steady - now.wall;
      const worn = age > HOLDS ? age * WORST_RATE : 0;
      if (Math.abs(known.offset) > LIMIT && Math.abs(offset) > LIMIT) return { kind: 'wrong', offset };
      if (Math.abs(offset) - worn > LIMIT) return { kind: 'wrong', offset };
      return age > HOLDS ? { kind: 'unmeasured' } : { kind: 'exact', offset };
    }
  }
}
