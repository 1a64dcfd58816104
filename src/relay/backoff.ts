export interface Backoff {
  /** Milliseconds after the first failure. */
  readonly first: number;
  /** Milliseconds at most. */
  readonly max: number;
}

/**
 * Milliseconds to wait after a failure: doubled each time, spread by a quarter either way so that what failed together
 * does not come back together.
 * @param attempts failures before this one
 * @param random uniform in [0, 1)
 */
export function retryDelay({ first, max }: Backoff, attempts: number, random: number): number {
  const plain = Math.min(max, first * 2 ** Math.min(attempts, 40));
  return Math.round(plain * (0.75 + random / 2));
}
