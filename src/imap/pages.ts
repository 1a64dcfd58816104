/** Messages asked of the store at once: the other sessions have their turn between two pages. */
const PAGE = 250;

export function* pagesOf<T>(values: readonly T[], page = PAGE): Generator<readonly T[]> {
  for (let at = 0; at < values.length; at += page) yield values.slice(at, at + page);
}
