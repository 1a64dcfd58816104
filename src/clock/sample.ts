/**
 * What a source says of the time. It is kept against the monotonic clock, so that setting the system clock, even while it
 * is asked, changes nothing in it.
 */
export interface Sample {
  /** UTC minus the monotonic clock, milliseconds. */
  readonly utc: number;
  /** Milliseconds by which it may be wrong. */
  readonly error: number;
}

/** Somebody to ask for the time. */
export interface TimeSource {
  /** As the configuration names it. */
  readonly name: string;
  /** @throws Error when there is no answer to be believed; the message says why */
  measure(): Promise<Sample>;
}

/** Milliseconds that never go back and jump never, the same in every thread. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;
