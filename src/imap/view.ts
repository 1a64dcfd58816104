import { lowerBound } from '../wire/imap/index.js';

/**
 * A folder's messages as one client counts them (RFC 9051 2.3.1.2): a sequence number is a place in the list of UIDs the client
 * was told of, and moves only when the client is told.
 *
 * Invariant: `uids` grows strictly; a UID leaves only by `remove`, whose answer is what EXPUNGE tells.
 */
export class View {
  readonly #uids: number[];

  constructor(uids: readonly number[]) {
    this.#uids = uids.slice();
  }

  get uids(): readonly number[] {
    return this.#uids;
  }

  get size(): number {
    return this.#uids.length;
  }

  /** The largest UID; 0 when there is none. */
  get lastUid(): number {
    return this.#uids.at(-1) ?? 0;
  }

  /** Undefined when there is no message of that number. */
  uidAt(sequence: number): number | undefined {
    return this.#uids[sequence - 1];
  }

  /** 0 when the client was not told of it. */
  sequenceOf(uid: number): number {
    const at = lowerBound(this.#uids, uid);
    return this.#uids[at] === uid ? at + 1 : 0;
  }

  /** New messages, of growing UIDs past the last; others are passed over. */
  append(uids: readonly number[]): number[] {
    const fresh: number[] = [];
    for (const uid of uids) {
      if (uid <= this.lastUid) continue;
      this.#uids.push(uid);
      fresh.push(uid);
    }
    return fresh;
  }

  /**
   * Takes messages out, one after the other.
   * @returns the number each had at its moment, in the order of the telling: from the last to the first, so that none moves another
   */
  remove(uids: Iterable<number>): number[] {
    const places = [...new Set(uids)].map((uid) => this.sequenceOf(uid)).filter((sequence) => sequence > 0);
    places.sort((one, other) => other - one);
    if (places.length > 64) {
      const gone = new Set(places);
      const kept = this.#uids.filter((_, at) => !gone.has(at + 1));
      this.#uids.length = 0;
      for (const uid of kept) this.#uids.push(uid);
    } else for (const sequence of places) this.#uids.splice(sequence - 1, 1);
    return places;
  }
}
