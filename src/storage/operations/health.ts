/** What the gestore asks of the store to know whether it may take more mail. */
import { sql } from 'kysely';
import { statement } from '../statement.js';
import type { Operation, ReadOperation } from '../transaction.js';

/** No content has this id. */
const NOBODY = 0;

const addNobody = statement<{ id: number }>((db, p) =>
  db
    .insertInto('content_release')
    .values({ content_id: p('id') })
    .onConflict((conflict) => conflict.doNothing()),
);
const removeNobody = statement<{ id: number }>((db, p) =>
  db.deleteFrom('content_release').where('content_id', '=', p('id')),
);

/**
 * Changes nothing, and yet must reach the disk like any other commit. An update to the same value would not do: SQLite
 * sees that nothing differs and writes nothing.
 */
export const proveWriting: Operation<Record<never, never>, void> = async (tx) => {
  await tx.run(addNobody, { id: NOBODY });
  await tx.run(removeNobody, { id: NOBODY });
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
