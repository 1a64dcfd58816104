/** The index of the quarantine. Its rows are written with whatever was found infected (`apply`). */
import { StoreConflict } from '../errors.js';
import type { NewQuarantined, QuarantinedRow, QuarantinePlace } from '../quarantined.js';
import type { RegisterEvent } from '../records.js';
import type { QuarantineTable } from '../schema.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, Transaction } from '../transaction.js';
import { releaseContent } from './contents.js';

const insertQuarantined = statement<QuarantineTable>((db, p) =>
  db.insertInto('quarantine').values({
    id: p('id'),
    at: p('at'),
    kind: p('kind'),
    identificativo: p('identificativo'),
    gestore: p('gestore'),
    sender: p('sender'),
    recipients: p('recipients'),
    subject: p('subject'),
    virus: p('virus'),
    engine: p('engine'),
    sha256: p('sha256'),
    size: p('size'),
    key_id: p('key_id'),
    content_id: p('content_id'),
  }),
);

export async function setApart(tx: Transaction, entry: NewQuarantined, contentId: number): Promise<void> {
  const { content: _, keyId, recipients, ...row } = entry;
  await tx.run(insertQuarantined, {
    ...row,
    recipients: JSON.stringify(recipients),
    key_id: keyId,
    content_id: contentId,
  });
}

const selectExpired = statement<{ before: number; limit: number }, { id: string; contentId: number }>(
  (db, p) =>
    db
      .selectFrom('quarantine')
      .select(['id', 'content_id as contentId'])
      .where('at', '<', p('before'))
      .orderBy('at')
      .orderBy('id')
      .limit(p('limit')),
);
const deleteQuarantined = statement<{ id: string }>((db, p) =>
  db.deleteFrom('quarantine').where('id', '=', p('id')),
);

/**
 * Forgets what came in before an instant, the oldest first, at most `limit` a call; the sweeper removes the ciphertext.
 * @returns `more` when another call has work
 */
export const purgeQuarantine: Operation<
  { before: number; limit: number },
  { purged: number; more: boolean }
> = async (tx, { before, limit }) => {
  const expired = await tx.all(selectExpired, { before, limit });
  for (const { id, contentId } of expired) {
    await tx.run(deleteQuarantined, { id });
    await releaseContent(tx, contentId);
  }
  return { purged: expired.length, more: expired.length === limit };
};

/** Registers that an administrator takes a message out. @throws StoreConflict 'content' when it is not there any more */
export const registerExport: Operation<{ id: string; event: RegisterEvent }, void> = async (
  tx,
  { id, event },
) => {
  const row = await tx.first(selectOne, { id });
  if (row === undefined) throw new StoreConflict('content', `${id} is not in the quarantine`, { id });
  await tx.append(event);
};

// --- reading ---------------------------------------------------------------------------------------------------

type StoredRow = Omit<QuarantinedRow, 'recipients'> & { readonly recipients: string };

const columns = [
  'quarantine.id',
  'quarantine.at',
  'quarantine.kind',
  'quarantine.identificativo',
  'quarantine.gestore',
  'quarantine.sender',
  'quarantine.recipients',
  'quarantine.subject',
  'quarantine.virus',
  'quarantine.engine',
  'quarantine.sha256',
  'quarantine.size',
  'quarantine.key_id as keyId',
  'quarantine.content_id as contentId',
  'content.size as sealedSize',
] as const;

const selectOne = statement<{ id: string }, StoredRow>((db, p) =>
  db
    .selectFrom('quarantine')
    .innerJoin('content', 'content.id', 'quarantine.content_id')
    .select(columns)
    .where('quarantine.id', '=', p('id')),
);

const selectPage = statement<{ from: number; to: number; at: number; id: string; limit: number }, StoredRow>(
  (db, p) =>
    db
      .selectFrom('quarantine')
      .innerJoin('content', 'content.id', 'quarantine.content_id')
      .select(columns)
      .where('quarantine.at', '>=', p('from'))
      .where('quarantine.at', '<', p('to'))
      .where('quarantine.at', '>=', p('at'))
      .where((e) => e.or([e('quarantine.at', '>', p('at')), e('quarantine.id', '>', p('id'))]))
      .orderBy('quarantine.at')
      .orderBy('quarantine.id')
      .limit(p('limit')),
);

const selectKeys = statement<Record<never, never>, { keyId: string; messages: number }>((db) =>
  db
    .selectFrom('quarantine')
    .select((e) => ['key_id as keyId', e.fn.countAll<number>().as('messages')])
    .groupBy('key_id')
    .orderBy('key_id'),
);

const asRow = (row: StoredRow): QuarantinedRow => ({ ...row, recipients: JSON.parse(row.recipients) });

/** A page of what is kept, the oldest first: `from` <= at < `to`, epoch milliseconds. */
export const listQuarantine: ReadOperation<
  {
    from?: number | undefined;
    to?: number | undefined;
    after?: QuarantinePlace | undefined;
    limit: number;
  },
  QuarantinedRow[]
> = async (tx, { from, to, after, limit }) => {
  const rows = await tx.all(selectPage, {
    from: from ?? Number.MIN_SAFE_INTEGER,
    to: to ?? Number.MAX_SAFE_INTEGER,
    at: after?.at ?? Number.MIN_SAFE_INTEGER,
    id: after?.id ?? '',
    limit,
  });
  return rows.map(asRow);
};

export const findQuarantined: ReadOperation<{ id: string }, QuarantinedRow | undefined> = async (
  tx,
  { id },
) => {
  const row = await tx.first(selectOne, { id });
  return row === undefined ? undefined : asRow(row);
};

/** The keys that messages lie under, and how many under each. */
export const quarantineKeys: ReadOperation<Record<never, never>, { keyId: string; messages: number }[]> = (
  tx,
) => tx.all(selectKeys, {});
