/** What the gestore asks of the store to know whether it may take more mail. */
import { sql } from 'kysely';
import { statement } from '../statement.js';
import type { Operation, ReadOperation } from '../transaction.js';

const rewriteMark = statement<Record<never, never>>((db) =>
  db.updateTable('directory_version').set((e) => ({ version: e('version', '+', e.lit(0)) })),
);

/** Changes nothing, and yet must reach the disk like any other commit. */
export const proveWriting: Operation<Record<never, never>, void> = async (tx) => {
  await tx.run(rewriteMark, {});
};

const countUpTo = statement<{ limit: number }, { rows: number }>((db, p) =>
  db
    .selectFrom((e) =>
      e
        .selectFrom('queue')
        .select(sql<number>`1`.as('one'))
        .where('state', 'in', ['due', 'leased'])
        .limit(p('limit'))
        .as('waiting'),
    )
    .select((e) => e.fn.countAll<number>().as('rows')),
);

/** Rows of the queue that wait or are being sent, but no more than `limit`: counting must not become the load. */
export const countWaiting: ReadOperation<{ limit: number }, number> = async (tx, { limit }) =>
  (await tx.first(countUpTo, { limit }))?.rows ?? 0;
