/**
 * Deleting the days of the register whose time is over, and keeping what a legal hold names.
 *
 * Crash point: a day is first marked, together with the proofs of what is held, then its entries go a few at a time, then it
 * is marked again. Between the marks its entries may be there or not; the next run goes on.
 */
import { sql } from 'kysely';
import { StoreConflict } from '../errors.js';
import type { DayState, HeldEntry, HeldPlace, LegalHold, SealedLane } from '../records.js';
import type { DaySealTable, HeldEntryTable, LegalHoldTable } from '../schema.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, ReadTransaction } from '../transaction.js';

const HASH = 32;

// --- holds -----------------------------------------------------------------------------------------------------

const selectHolds = statement<Record<never, never>, LegalHoldTable>((db) =>
  db.selectFrom('legal_hold').selectAll().orderBy('created_at').orderBy('identificativo'),
);
const selectPurging = statement<Record<never, never>, { day: string }>((db) =>
  db.selectFrom('day_seal').select('day').where('state', '=', sql<DayState>`'purging'`).limit(1),
);
const insertHold = statement<LegalHoldTable>((db, p) =>
  db
    .insertInto('legal_hold')
    .values({ identificativo: p('identificativo'), reason: p('reason'), created_at: p('created_at') })
    .onConflict((conflict) => conflict.doNothing()),
);
const deleteHold = statement<{ identificativo: string }>((db, p) =>
  db.deleteFrom('legal_hold').where('identificativo', '=', p('identificativo')),
);
const deleteHeldRows = statement<{ identificativo: string }>((db, p) =>
  db
    .deleteFrom('registro')
    .where('identificativo', '=', p('identificativo'))
    .where(
      sql<boolean>`exists (select 1 from held_entry h where h.lane = registro.lane and h.seq = registro.seq)`,
    ),
);
const deleteHeldEntries = statement<{ identificativo: string }>((db, p) =>
  db.deleteFrom('held_entry').where('identificativo', '=', p('identificativo')),
);
const countEntries = statement<{ identificativo: string }, { rows: number }>((db, p) =>
  db
    .selectFrom('registro')
    .select((e) => e.fn.countAll<number>().as('rows'))
    .where('identificativo', '=', p('identificativo')),
);

/** Legal holds, the oldest first. */
export const listHolds: ReadOperation<Record<never, never>, LegalHold[]> = async (tx) =>
  (await tx.all(selectHolds, {})).map(({ created_at: createdAt, ...hold }) => ({ ...hold, createdAt }));

/**
 * Keeps what is registered about one message from being deleted.
 * @returns how many entries there are about it
 * @throws StoreConflict 'hold' when it is held already, or a day is being deleted at this moment
 */
export const addHold: Operation<
  { identificativo: string; reason: string; now: number },
  { entries: number }
> = async (tx, { identificativo, reason, now }) => {
  // Of a day that is half deleted nothing can be proved any more.
  if ((await tx.first(selectPurging, {})) !== undefined)
    throw new StoreConflict('hold', 'a day of the register is being deleted: try again in a minute');
  const { changes } = await tx.run(insertHold, { identificativo, reason, created_at: now });
  if (changes === 0) throw new StoreConflict('hold', `${identificativo} is held already`);
  return { entries: (await tx.first(countEntries, { identificativo }))?.rows ?? 0 };
};

/** Ends a hold; what was kept beyond its time goes at once. @throws StoreConflict 'hold' when there is none */
export const removeHold: Operation<{ identificativo: string }, { removed: number }> = async (tx, hold) => {
  if ((await tx.run(deleteHold, hold)).changes === 0)
    throw new StoreConflict('hold', `${hold.identificativo} is not held`);
  const { changes } = await tx.run(deleteHeldRows, hold);
  await tx.run(deleteHeldEntries, hold);
  return { removed: changes };
};

// --- deleting --------------------------------------------------------------------------------------------------

type Run = { lane: number; first: number; last: number };

const selectHeldIn = statement<Run, HeldPlace>((db, p) =>
  db
    .selectFrom('registro')
    .innerJoin('legal_hold', 'legal_hold.identificativo', 'registro.identificativo')
    .select(['registro.lane', 'registro.seq', 'registro.identificativo'])
    .where('registro.lane', '=', p('lane'))
    .where('registro.seq', '>=', p('first'))
    .where('registro.seq', '<=', p('last'))
    .orderBy('registro.seq'),
);
const selectOldestKept = statement<Record<never, never>, DaySealTable>((db) =>
  db
    .selectFrom('day_seal')
    .selectAll()
    .where('part', '=', sql<number>`0`)
    .where('state', '<>', sql<DayState>`'purged'`)
    .orderBy('day')
    .limit(1),
);
const selectLater = statement<{ lane: number; last: number }, { seq: number }>((db, p) =>
  db.selectFrom('registro').select('seq').where('lane', '=', p('lane')).where('seq', '>', p('last')).limit(1),
);
const insertHeld = statement<HeldEntryTable>((db, p) =>
  db
    .insertInto('held_entry')
    .values({
      lane: p('lane'),
      seq: p('seq'),
      identificativo: p('identificativo'),
      day: p('day'),
      position: p('position'),
      size: p('size'),
      path: p('path'),
    })
    .onConflict((conflict) => conflict.doNothing()),
);
const setState = statement<{ day: string; state: DayState }>((db, p) =>
  db
    .updateTable('day_seal')
    .set({ state: p('state') })
    .where('day', '=', p('day')),
);
const deleteRun = statement<Run>((db, p) =>
  db
    .deleteFrom('registro')
    .where('lane', '=', p('lane'))
    .where('seq', '>=', p('first'))
    .where('seq', '<=', p('last'))
    .where(
      sql<boolean>`not exists (select 1 from held_entry h where h.lane = registro.lane and h.seq = registro.seq)`,
    ),
);
const selectHeld = statement<{ lane: number; seq: number; limit: number }, HeldEntryTable>((db, p) =>
  db
    .selectFrom('held_entry')
    .selectAll()
    .where(sql<boolean>`(lane, seq) > (${p('lane')}, ${p('seq')})`)
    .orderBy('lane')
    .orderBy('seq')
    .limit(p('limit')),
);

/** The entries of a sealed span that legal holds name. */
export const heldIn: ReadOperation<{ lanes: readonly SealedLane[] }, HeldPlace[]> = (tx, { lanes }) =>
  heldOf(tx, lanes);

async function heldOf(tx: ReadTransaction, lanes: readonly SealedLane[]): Promise<HeldPlace[]> {
  const held: HeldPlace[] = [];
  for (const { lane, first, last } of lanes)
    held.push(...(await tx.all(selectHeldIn, { lane, first, last })));
  return held;
}

/** What is held beyond its day, by place, a page at a time. */
export const pageHeld: ReadOperation<
  { after?: { lane: number; seq: number } | undefined; limit: number },
  HeldEntry[]
> = async (tx, { after, limit }) => {
  const rows = await tx.all(selectHeld, { lane: after?.lane ?? -1, seq: after?.seq ?? 0, limit });
  return rows.map(({ path, position: index, ...row }) => ({ ...row, index, path: hashesIn(path) }));
};

const hashesIn = (path: Uint8Array): Uint8Array[] =>
  Array.from({ length: Math.floor(path.length / HASH) }, (_, at) =>
    path.subarray(at * HASH, (at + 1) * HASH),
  );

/**
 * Marks the oldest day as being deleted, and keeps the proofs of what is held of it.
 * @throws StoreConflict 'seal' when it is not the oldest, has no file, or is where a lane ends; 'hold' when what is held is
 *   not what was proved
 */
export const beginPurge: Operation<{ day: string; proofs: readonly HeldEntry[] }, void> = async (
  tx,
  { day, proofs },
) => {
  const oldest = await tx.first(selectOldestKept, {});
  if (oldest?.day !== day) throw new StoreConflict('seal', `${day} is not the oldest day kept`);
  if (oldest.state === 'purging') return;
  if (oldest.file_hash === null) throw new StoreConflict('seal', `${day} has no file yet`);
  const lanes: readonly SealedLane[] = JSON.parse(oldest.lanes);
  for (const { lane, last } of lanes) {
    // The next entry of a lane links to the last one.
    if ((await tx.first(selectLater, { lane, last })) === undefined)
      throw new StoreConflict('seal', `${day}: nothing follows in lane ${lane}`);
  }
  const held = await heldOf(tx, lanes);
  const proved = new Set(proofs.map(({ lane, seq }) => `${lane} ${seq}`));
  if (held.length !== proofs.length || held.some(({ lane, seq }) => !proved.has(`${lane} ${seq}`)))
    throw new StoreConflict('hold', `${day}: holds have changed meanwhile`);
  for (const { path, index: position, ...proof } of proofs)
    await tx.run(insertHeld, { ...proof, position, path: Buffer.concat(path) });
  await tx.run(setState, { day, state: 'purging' });
};

/** Deletes entries `first` to `last` of one lane of a day that is being deleted, but for those held. */
export const purgeRun: Operation<Run & { day: string }, { removed: number }> = async (
  tx,
  { day, lane, first, last },
) => {
  const oldest = await tx.first(selectOldestKept, {});
  const lanes: readonly SealedLane[] = oldest === undefined ? [] : JSON.parse(oldest.lanes);
  const own = lanes.find((one) => one.lane === lane);
  if (oldest?.day !== day || oldest.state !== 'purging' || own === undefined)
    throw new StoreConflict('seal', `${day} is not being deleted`);
  const run = { lane, first: Math.max(first, own.first), last: Math.min(last, own.last) };
  return { removed: (await tx.run(deleteRun, run)).changes };
};

/** Marks a day as deleted. */
export const endPurge: Operation<{ day: string }, void> = async (tx, { day }) => {
  const oldest = await tx.first(selectOldestKept, {});
  if (oldest?.day !== day || oldest.state !== 'purging')
    throw new StoreConflict('seal', `${day} is not being deleted`);
  await tx.run(setState, { day, state: 'purged' });
};

/** The oldest day whose entries are not all deleted. */
export const oldestKeptDay: ReadOperation<
  Record<never, never>,
  { day: string; part: number } | undefined
> = async (tx) => {
  const row = await tx.first(selectOldestKept, {});
  return row === undefined ? undefined : { day: row.day, part: row.part };
};
