import type { Store } from '../storage/index.js';
import { readLdif } from './ldif.js';
import { type ProviderRecord, readProviderRecords } from './provider-record.js';

/** One version of a source as it was seen, with the span of time in which it was. */
export interface Version {
  readonly records: readonly ProviderRecord[];
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

/**
 * What some sources have said so far, by the dated snapshots. When a source was last read says nothing of its age, for
 * reading it again makes it young.
 */
export async function historyOf(
  store: Pick<Store, 'read'>,
  sources: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly Version[]>> {
  const history = new Map<string, Version[]>();
  for (const snapshot of await store.read('listSnapshots', { kind: 'directory' })) {
    const { source, hash, firstSeenAt, lastSeenAt } = snapshot;
    if (!sources.has(source)) continue;
    const bytes = await store.read('snapshotBytes', { kind: 'directory', source, hash });
    if (bytes === undefined) continue;
    const { records } = readProviderRecords(readLdif(bytes));
    history.set(source, [...(history.get(source) ?? []), { records, firstSeenAt, lastSeenAt }]);
  }
  return history;
}

/** Epoch milliseconds since which a source has said something without a break. */
export function saidSince(
  versions: readonly Version[],
  isSaidBy: (record: ProviderRecord) => boolean,
): number {
  const says = ({ records }: Version): boolean => records.some(isSaidBy);
  const lastWithout = Math.max(
    ...versions.filter((version) => !says(version)).map(({ lastSeenAt }) => lastSeenAt),
  );
  // A version that was taken back and came again, to the byte, counts from after what was last seen in between.
  return Math.min(
    ...versions
      .filter(says)
      .map(({ firstSeenAt }) => (firstSeenAt > lastWithout ? firstSeenAt : lastWithout + 1)),
  );
}
