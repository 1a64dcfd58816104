/**
 * The outbound queue. A row is due, leased to a relay until a time, or held for the operator; it goes when it is
 * settled as done. Every claim raises the row's fence, and a settlement quotes the fence of its claim: a relay that
 * slept past its lease cannot undo what the next one did.
 *
 * Crash points: a crash after the peer's 250 and before the settlement leaves a lease that runs out (or that the
 * restarted node takes back), and the row is sent again: the peer knows the repetition by its key.
 */
import { StoreConflict } from '../errors.js';
import type { Changes, QueueRow, RecipientFact } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, ReadTransaction, Transaction } from '../transaction.js';
import { apply } from './changes.js';
import { releaseContent } from './contents.js';
import { asRow, columns, type StoredRow } from './queue-row.js';
import { record } from './tracking.js';

// --- settlements -----------------------------------------------------------------------------------------------

const selectRow = statement<{ id: number }, StoredRow>((db, p) =>
  db.selectFrom('queue').select(columns).where('id', '=', p('id')),
);

const deleteRow = statement<{ id: number }>((db, p) => db.deleteFrom('queue').where('id', '=', p('id')));

const updateAttempt = statement<{
  id: number;
  state: 'due' | 'held';
  nextAttempt: number;
  error: string;
}>((db, p) =>
  db
    .updateTable('queue')
    .set((e) => ({
      state: p('state'),
      next_attempt: p('nextAttempt'),
      last_error: p('error'),
      attempts: e('attempts', '+', e.lit(1)),
      lease_owner: '',
      lease_until: 0,
    }))
    .where('id', '=', p('id')),
);

/** What came of one claimed row. 'retry' needs `nextAttempt`; `error` is the peer's answer or ours. */
export interface Settlement {
  readonly id: number;
  readonly fence: number;
  readonly result: 'done' | 'retry' | 'held';
  /** Attempts before this one, as the claim had them: by them a repetition knows what is settled already. */
  readonly attempts?: number | undefined;
  readonly nextAttempt?: number | undefined;
  readonly error?: string | undefined;
}

/**
 * Ends an attempt, with the notices and the facts that follow from it. A row that the operator dropped meanwhile is
 * passed over; one that he held stays held unless it is done. A repetition of a settlement that is on the disk changes nothing.
 * @returns `effective`: for each fact, whether the tracking moved.
 * @throws StoreConflict 'fence' when a row was claimed again since, 'state' when a fact that must move the tracking
 *   does not, and what `Changes` can throw.
 */
export const settle: Operation<
  Changes & {
    rows: readonly Settlement[];
    facts: readonly RecipientFact[];
    /** The facts come with notices of ours: one that no longer moves the tracking undoes the whole commit. */
    mustMove?: boolean | undefined;
    /** The same was asked before, and nobody knows whether it was committed: DSNs and register entries have no key. */
    again?: boolean | undefined;
  },
  { effective: boolean[] }
> = async (tx, input) => {
  if (input.again === true && (await isSettled(tx, input.rows))) {
    return { effective: input.facts.map(() => false) };
  }
  for (const row of input.rows) await settleRow(tx, row);
  if (input.rows.length > 0) tx.touch({ queue: true });
  await apply(tx, input);
  return { effective: await record(tx, input.facts, input.mustMove) };
};

/** Whether none of the rows is as its claim left it. */
async function isSettled(tx: Transaction, rows: readonly Settlement[]): Promise<boolean> {
  for (const { id, attempts } of rows) {
    const row = await tx.first(selectRow, { id });
    if (row !== undefined && row.attempts === attempts) return false;
  }
  return true;
}

async function settleRow(tx: Transaction, settlement: Settlement): Promise<void> {
  const { id, fence, result } = settlement;
  const row = await tx.first(selectRow, { id });
  if (row === undefined) return;
  if (row.fence !== fence) {
    throw new StoreConflict('fence', `queue row ${id} was claimed again`, { id, fence, now: row.fence });
  }
  if (result === 'done') {
    await remove(tx, row);
    return;
  }
  await tx.run(updateAttempt, {
    id,
    state: result === 'held' || row.state === 'held' ? 'held' : 'due',
    nextAttempt: settlement.nextAttempt ?? row.nextAttempt,
    error: settlement.error ?? '',
  });
}

async function remove(tx: Transaction, row: StoredRow): Promise<void> {
  await tx.run(deleteRow, { id: row.id });
  await releaseContent(tx, row.contentId);
}

// --- the operator ----------------------------------------------------------------------------------------------

const updateState = statement<{ id: number; state: 'due' | 'held'; nextAttempt: number }>((db, p) =>
  db
    .updateTable('queue')
    .set({ state: p('state'), next_attempt: p('nextAttempt'), lease_owner: '', lease_until: 0 })
    .where('id', '=', p('id')),
);

async function existing(tx: ReadTransaction, id: number): Promise<StoredRow> {
  const row = await tx.first(selectRow, { id });
  if (row === undefined) throw new StoreConflict('queue', `no queue row ${id}`, { id });
  return row;
}

/** Keeps a row from being tried. One that is being tried now may still come to its end. @throws StoreConflict 'queue'. */
export const queueHold: Operation<{ id: number }, void> = async (tx, { id }) => {
  const row = await existing(tx, id);
  await tx.run(updateState, { id, state: 'held', nextAttempt: row.nextAttempt });
};

/**
 * Makes a row due at `now` (at its creation, when `now` is not given: at once). One that is being tried is left to
 * its attempt. @throws StoreConflict 'queue'.
 */
export const queueRetry: Operation<{ id: number; now?: number | undefined }, void> = async (
  tx,
  { id, now },
) => {
  const row = await existing(tx, id);
  if (row.state === 'leased') return;
  await tx.run(updateState, { id, state: 'due', nextAttempt: now ?? row.createdAt });
  tx.touch({ queue: true });
};

/** Takes a row out of the queue, whatever its state. @throws StoreConflict 'queue' when there is none. */
export const queueDrop: Operation<{ id: number }, void> = async (tx, { id }) => {
  await remove(tx, await existing(tx, id));
};

// --- reading ---------------------------------------------------------------------------------------------------

const selectRows = statement<Record<never, never>, StoredRow>((db) =>
  db.selectFrom('queue').select(columns).orderBy('id'),
);

const countRows = statement<Record<never, never>, { state: QueueRow['state']; rows: number }>((db) =>
  db
    .selectFrom('queue')
    .select((e) => ['state', e.fn.countAll<number>().as('rows')])
    .groupBy('state'),
);

export const listQueue: ReadOperation<Record<never, never>, QueueRow[]> = async (tx) =>
  (await tx.all(selectRows, {})).map(asRow);

export const findQueueRow: ReadOperation<{ id: number }, QueueRow | undefined> = async (tx, { id }) => {
  const row = await tx.first(selectRow, { id });
  return row === undefined ? undefined : asRow(row);
};

/** How many rows are due, leased and held. */
export const countQueue: ReadOperation<Record<never, never>, Record<QueueRow['state'], number>> = async (
  tx,
) => {
  const totals = { due: 0, leased: 0, held: 0 };
  for (const { state, rows } of await tx.all(countRows, {})) totals[state] = rows;
  return totals;
};
