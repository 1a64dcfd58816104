/**
 * Which contents a text cannot be in. The full text index is a filter: it knows the trigrams of a text, not their order, so what
 * it lets through has to be looked at.
 */
import type { Store } from '../storage/index.js';

/** Ids of contents that one read of the text index spans: others have their turn before the next. */
const SPAN = 16_384;
/** Ids of indexed contents that are remembered: some 10 MB. */
const REMEMBERED = 250_000;

export class TextFilter {
  readonly #store: Pick<Store, 'read'>;
  /** A content that is indexed stays so, and its id never comes back. */
  readonly #indexed = new Set<number>();

  constructor(store: Pick<Store, 'read'>) {
    this.#store = store;
  }

  /** Those of these contents that are indexed and have not all of the trigrams (`fts5` query). */
  async without(query: string, contentIds: readonly number[]): Promise<Set<number>> {
    const without = new Set(await this.#indexedAmong(contentIds));
    for (const near of neighbours([...without])) {
      const matching = await this.#store.read('matchingContents', { query, contentIds: near });
      for (const contentId of matching) without.delete(contentId);
    }
    return without;
  }

  async #indexedAmong(contentIds: readonly number[]): Promise<readonly number[]> {
    const unknown = contentIds.filter((id) => !this.#indexed.has(id));
    if (unknown.length === 0) return contentIds;
    const found = new Set(await this.#store.read('indexedContents', { contentIds: unknown }));
    const indexed = contentIds.filter((id) => found.has(id) || this.#indexed.has(id));
    if (this.#indexed.size + found.size > REMEMBERED) this.#indexed.clear();
    for (const id of found) this.#indexed.add(id);
    return indexed;
  }
}

/** The ids by growing number, divided where they lie too far apart for one read. */
function* neighbours(ids: readonly number[]): Generator<readonly number[]> {
  const sorted = [...ids].sort((one, other) => one - other);
  for (let at = 0; at < sorted.length; ) {
    const limit = (sorted[at] ?? 0) + SPAN;
    let end = at + 1;
    while ((sorted[end] ?? limit) < limit) end += 1;
    yield sorted.slice(at, end);
    at = end;
  }
}
