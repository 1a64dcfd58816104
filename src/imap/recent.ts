/**
 * Who is the first session to hear of a message (RFC 3501 2.3.2, \Recent). It is kept in memory: after a restart a message may be
 * recent to nobody, which RFC 9051 made of it for everybody.
 */
export class RecentClaims {
  /** The largest UID some session was told of, by folder. */
  readonly #claimed = new Map<number, number>();

  /** Those of the UIDs (growing) that no session had. @param look they stay unclaimed: EXAMINE changes nothing (RFC 3501 6.3.2) */
  claim(folderId: number, uids: readonly number[], look: boolean): number[] {
    const claimed = this.#claimed.get(folderId) ?? 0;
    const fresh = uids.filter((uid) => uid > claimed);
    const last = fresh.at(-1);
    if (!look && last !== undefined) this.#claimed.set(folderId, last);
    return fresh;
  }
}
