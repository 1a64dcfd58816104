/** Rows by numbers: those that stand close together are read as a run of their index, which costs less than a list of them. */
import type { Statement } from '../statement.js';
import type { ReadTransaction } from '../transaction.js';

/** All numbers from the first to the last, of which some are asked for. */
interface Run {
  readonly first: number;
  readonly last: number;
  readonly asked: ReadonlySet<number>;
}

/** Undefined where a list is cheaper. */
function runOf(numbers: readonly number[]): Run | undefined {
  const asked = new Set(numbers);
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (const each of asked) {
    if (each < first) first = each;
    if (each > last) last = each;
  }
  return last - first < 2 * asked.size ? { first, last, asked } : undefined;
}

export interface Among {
  readonly folderId: number;
  readonly uids: readonly number[];
}

/** The same reading of a folder, by a list of UIDs and by a run of them; rows by growing UID. */
export interface ByUid<R extends { readonly uid: number }> {
  readonly among: Statement<Among, R>;
  readonly between: Statement<{ folderId: number; first: number; last: number }, R>;
}

export async function readByUid<R extends { readonly uid: number }>(
  tx: ReadTransaction,
  { among, between }: ByUid<R>,
  { folderId, uids }: Among,
): Promise<R[]> {
  if (uids.length === 0) return [];
  const run = runOf(uids);
  if (run === undefined) return tx.all(among, { folderId, uids });
  const { first, last, asked } = run;
  const rows = await tx.all(between, { folderId, first, last });
  return last - first < asked.size ? rows : rows.filter(({ uid }) => asked.has(uid));
}

/** The same of contents. */
export interface ByContent<R extends { readonly contentId: number }> {
  readonly among: Statement<{ contentIds: readonly number[] }, R>;
  readonly between: Statement<{ first: number; last: number }, R>;
}

export async function readByContent<R extends { readonly contentId: number }>(
  tx: ReadTransaction,
  { among, between }: ByContent<R>,
  contentIds: readonly number[],
): Promise<R[]> {
  if (contentIds.length === 0) return [];
  const run = runOf(contentIds);
  if (run === undefined) return tx.all(among, { contentIds });
  const { first, last, asked } = run;
  const rows = await tx.all(between, { first, last });
  return rows.filter(({ contentId }) => asked.has(contentId));
}
