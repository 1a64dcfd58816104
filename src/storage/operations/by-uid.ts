/** Rows of one folder by their UIDs. */
import type { Statement } from '../statement.js';
import type { ReadTransaction } from '../transaction.js';

export interface Among {
  readonly folderId: number;
  readonly uids: readonly number[];
}

interface Between {
  readonly folderId: number;
  readonly first: number;
  readonly last: number;
}

/** The same reading, of a list of UIDs and of a run of them; rows by growing UID. */
export interface ByUid<R extends { readonly uid: number }> {
  readonly among: Statement<Among, R>;
  readonly between: Statement<Between, R>;
}

/** UIDs that stand close together are read as a run of the index, which costs less than a list of them. */
export async function readByUid<R extends { readonly uid: number }>(
  tx: ReadTransaction,
  { among, between }: ByUid<R>,
  { folderId, uids }: Among,
): Promise<R[]> {
  const asked = new Set(uids);
  if (asked.size === 0) return [];
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (const uid of asked) {
    if (uid < first) first = uid;
    if (uid > last) last = uid;
  }
  if (last - first >= 2 * asked.size) return tx.all(among, { folderId, uids });
  const rows = await tx.all(between, { folderId, first, last });
  return last - first < asked.size ? rows : rows.filter(({ uid }) => asked.has(uid));
}
