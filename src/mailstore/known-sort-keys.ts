import type { Store } from '../storage/index.js';
import type { SortKeys } from './sort-keys.js';

/** Contents whose keys are remembered: some 25 MB. */
const REMEMBERED = 40_000;

/** What messages are sorted by, as it is stored; a client that sorts a folder does so again and again. A content never changes. */
export class KnownSortKeys {
  readonly #store: Pick<Store, 'read'>;
  /** The oldest first. */
  readonly #known = new Map<number, SortKeys>();

  constructor(store: Pick<Store, 'read'>) {
    this.#store = store;
  }

  /** Of each of these contents; undefined where there is no summary yet. */
  async of(contentIds: readonly number[]): Promise<(SortKeys | undefined)[]> {
    const unknown = contentIds.filter((id) => !this.#known.has(id));
    const read = new Map<number, SortKeys>();
    if (unknown.length > 0) {
      const stored = await this.#store.read('storedSummaries', { contentIds: unknown, parts: ['sort'] });
      for (const { contentId, sort = '{}' } of stored) read.set(contentId, JSON.parse(sort) as SortKeys);
    }
    const keys = contentIds.map((id) => read.get(id) ?? this.#known.get(id));
    for (const [id, each] of read) this.#known.set(id, each);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break;
      this.#known.delete(oldest);
    }
    return keys;
  }
}
