/** Where the directory of gestori comes from, and every version of trust that was seen. */
import { StoreConflict } from '../errors.js';
import type { DirectorySnapshot, DirectorySourceRow } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, Transaction } from '../transaction.js';

const upsertSource = statement<DirectorySourceRow>((db, p) =>
  db
    .insertInto('directory_source')
    .values({
      id: p('id'),
      kind: p('kind'),
      ldif: p('ldif'),
      trust: p('trust'),
      loaded_at: p('loadedAt'),
    })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({
        kind: p('kind'),
        ldif: p('ldif'),
        trust: p('trust'),
        loaded_at: p('loadedAt'),
      }),
    ),
);

const deleteSource = statement<{ id: string }>((db, p) =>
  db.deleteFrom('directory_source').where('id', '=', p('id')),
);

const selectSources = statement<Record<never, never>, DirectorySourceRow>((db) =>
  db
    .selectFrom('directory_source')
    .select(['id', 'kind', 'ldif', 'trust', 'loaded_at as loadedAt'])
    .orderBy('loaded_at')
    .orderBy('id'),
);

/** Stores a source, or its new version. */
export const putDirectorySource: Operation<DirectorySourceRow, void> = async (tx, source) => {
  await tx.run(upsertSource, source);
  await directoryChanged(tx);
};

/** @throws StoreConflict 'directory-source' when there is none. */
export const removeDirectorySource: Operation<{ id: string }, void> = async (tx, { id }) => {
  const { changes } = await tx.run(deleteSource, { id });
  if (changes === 0) throw new StoreConflict('directory-source', `no directory source ${id}`, { id });
  await directoryChanged(tx);
};

/** In the order in which they were loaded. */
export const listDirectorySources: ReadOperation<Record<never, never>, DirectorySourceRow[]> = (tx) =>
  tx.all(selectSources, {});

interface NewSnapshot {
  readonly kind: DirectorySnapshot['kind'];
  readonly source: string;
  readonly hash: string;
  readonly bytes: Uint8Array;
  readonly at: number;
}

const upsertSnapshot = statement<NewSnapshot>((db, p) =>
  db
    .insertInto('directory_snapshot')
    .values({
      kind: p('kind'),
      source: p('source'),
      hash: p('hash'),
      bytes: p('bytes'),
      first_seen_at: p('at'),
      last_seen_at: p('at'),
    })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'source', 'hash']).doUpdateSet({ last_seen_at: p('at') }),
    ),
);

const selectSnapshots = statement<{ kind: DirectorySnapshot['kind'] }, DirectorySnapshot>((db, p) =>
  db
    .selectFrom('directory_snapshot')
    .select((e) => [
      'kind',
      'source',
      'hash',
      e.fn<number>('length', ['bytes']).as('size'),
      'first_seen_at as firstSeenAt',
      'last_seen_at as lastSeenAt',
    ])
    .where('kind', '=', p('kind'))
    .orderBy('first_seen_at')
    .orderBy('source'),
);

const selectSnapshot = statement<
  { kind: DirectorySnapshot['kind']; source: string; hash: string },
  { bytes: Uint8Array }
>((db, p) =>
  db
    .selectFrom('directory_snapshot')
    .select('bytes')
    .where('kind', '=', p('kind'))
    .where('source', '=', p('source'))
    .where('hash', '=', p('hash')),
);

/** Keeps a version, or that it was seen again. */
export const putSnapshot: Operation<NewSnapshot, void> = async (tx, snapshot) => {
  await tx.run(upsertSnapshot, snapshot);
};

export const listSnapshots: ReadOperation<{ kind: DirectorySnapshot['kind'] }, DirectorySnapshot[]> = (
  tx,
  { kind },
) => tx.all(selectSnapshots, { kind });

export const snapshotBytes: ReadOperation<
  { kind: DirectorySnapshot['kind']; source: string; hash: string },
  Uint8Array | undefined
> = async (tx, key) => (await tx.first(selectSnapshot, key))?.bytes;

// --- versions --------------------------------------------------------------------------------------------------

const raiseVersion = statement<Record<never, never>>((db) =>
  db.updateTable('directory_version').set((e) => ({ version: e('version', '+', e.lit(1)) })),
);

const selectVersion = statement<Record<never, never>, { version: number }>((db) =>
  db.selectFrom('directory_version').select('version'),
);

/** Part of every operation that adds, changes or removes a domain or a source. */
export async function directoryChanged(tx: Transaction): Promise<void> {
  await tx.run(raiseVersion, {});
}

/** Changes whenever a domain or a source does: a cheap question to ask before trusting what was read earlier. */
export const directoryMark: ReadOperation<Record<never, never>, string> = async (tx) =>
  String((await tx.first(selectVersion, {}))?.version);
