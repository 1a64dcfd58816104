/** Now, where it is at hand: ten thousand messages whose summaries are stored wait for none of them. */
export type Soon<T> = T | Promise<T>;

/** Goes on at once where it can. */
export const after = <T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> =>
  value instanceof Promise ? value.then(next) : next(value);
