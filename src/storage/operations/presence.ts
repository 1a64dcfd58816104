/** When nodes served. A span grows while its node says that it is there; what lies between spans is an outage. */
import type { Presence } from '../records.js';
import type { PresenceTable } from '../schema.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation } from '../transaction.js';

const selectLast = statement<{ node: string }, PresenceTable>((db, p) =>
  db
    .selectFrom('presence')
    .select(['node', 'since', 'until'])
    .where('node', '=', p('node'))
    .orderBy('since', 'desc')
    .limit(1),
);

const insert = statement<PresenceTable>((db, p) =>
  db
    .insertInto('presence')
    .values({ node: p('node'), since: p('since'), until: p('until') })
    .onConflict((conflict) => conflict.doNothing()),
);

const grow = statement<PresenceTable>((db, p) =>
  db
    .updateTable('presence')
    .set({ until: p('until') })
    .where('node', '=', p('node'))
    .where('since', '=', p('since')),
);

const selectBetween = statement<{ from: number; to: number }, PresenceTable>((db, p) =>
  db
    .selectFrom('presence')
    .select(['node', 'since', 'until'])
    .where('until', '>=', p('from'))
    .where('since', '<', p('to'))
    .orderBy('since'),
);

/**
 * A node says that it serves.
 * @param input.begins true at its start: whatever came before is over
 * @param input.patience milliseconds after which silence was an outage
 */
export const recordPresence: Operation<
  { node: string; now: number; begins: boolean; patience: number },
  void
> = async (tx, { node, now, begins, patience }) => {
  const last = await tx.first(selectLast, { node });
  // A clock set back begins a span too: no span ever shrinks.
  const goesOn = last !== undefined && now >= last.until && now - last.until <= patience;
  if (goesOn && !begins) await tx.run(grow, { ...last, until: now });
  else await tx.run(insert, { node, since: now, until: now });
};

/** Spans that touch a time, by their beginning. */
export const presenceBetween: ReadOperation<{ from: number; to: number }, Presence[]> = (tx, span) =>
  tx.all(selectBetween, span);
