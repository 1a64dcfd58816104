/**
 * Sealing days of the register. A day is closed by one commit, which fixes its root; file and time stamps come after and
 * are kept the first time they are told, so that a day never has two.
 *
 * Invariant: once closed, a day takes no entry (`linkEntries`), and days are closed in order, none left out.
 */
import { sql } from 'kysely';
import { StoreConflict } from '../errors.js';
import type { DaySeal, LaneEnd, RegisterEvent, RegisterRow, SealedLane } from '../records.js';
import type { DaySealTable, RegistroTable } from '../schema.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, ReadTransaction } from '../transaction.js';
import { asRegisterRow, lanesFrom, registerColumns } from './register.js';

type Key = { day: string; part: number };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const asSeal = (row: DaySealTable): DaySeal => ({
  day: row.day,
  part: row.part,
  recordedFrom: row.recorded_from,
  recordedTo: row.recorded_to,
  entries: row.entries,
  lanes: JSON.parse(row.lanes),
  root: row.root,
  sealedAt: row.sealed_at,
  fileHash: row.file_hash,
  csvHash: row.csv_hash,
  rootToken: row.root_token,
  fileToken: row.file_token,
  state: row.state,
});

// --- reading ---------------------------------------------------------------------------------------------------

const selectSeal = statement<Key, DaySealTable>((db, p) =>
  db.selectFrom('day_seal').selectAll().where('part', '=', p('part')).where('day', '=', p('day')),
);

const selectLastDay = statement<Record<never, never>, DaySealTable>((db) =>
  db.selectFrom('day_seal').selectAll().where('part', '=', sql<number>`0`).orderBy('day', 'desc').limit(1),
);

const selectSeals = statement<Key & { limit: number }, DaySealTable>((db, p) =>
  db
    .selectFrom('day_seal')
    .selectAll()
    .where(sql<boolean>`(day, part) > (${p('day')}, ${p('part')})`)
    .orderBy('day')
    .orderBy('part')
    .limit(p('limit')),
);

const selectUnfinished = statement<{ stamped: number }, DaySealTable>((db, p) =>
  db
    .selectFrom('day_seal')
    .selectAll()
    .where('state', '=', sql<'whole'>`'whole'`)
    .where(
      sql<boolean>`(file_hash is null or (${p('stamped')} = 1 and (root_token is null or file_token is null)))`,
    )
    .orderBy('day')
    .orderBy('part'),
);

const selectEnd = statement<{ lane: number; to: number }, { last: number; link: Uint8Array }>((db, p) =>
  db
    .selectFrom('registro')
    .select(['seq as last', 'link'])
    .where('lane', '=', p('lane'))
    .where('recorded_at', '<', p('to'))
    .orderBy('recorded_at', 'desc')
    .orderBy('seq', 'desc')
    .limit(1),
);

const selectFirstRecorded = statement<{ lane: number }, { at: number }>((db, p) =>
  db
    .selectFrom('registro')
    .select('recorded_at as at')
    .where('lane', '=', p('lane'))
    .orderBy('recorded_at')
    .limit(1),
);

const selectRun = statement<{ lane: number; first: number; last: number; limit: number }, RegistroTable>(
  (db, p) =>
    db
      .selectFrom('registro')
      .select(registerColumns)
      .where('lane', '=', p('lane'))
      .where('seq', '>=', p('first'))
      .where('seq', '<=', p('last'))
      .orderBy('seq')
      .limit(p('limit')),
);

/** One seal, or undefined. */
export const findSeal: ReadOperation<Key, DaySeal | undefined> = async (tx, key) => {
  const row = await tx.first(selectSeal, key);
  return row === undefined ? undefined : asSeal(row);
};

/** The last whole day that was sealed. */
export const lastSealedDay: ReadOperation<Record<never, never>, DaySeal | undefined> = async (tx) => {
  const row = await tx.first(selectLastDay, {});
  return row === undefined ? undefined : asSeal(row);
};

/** Seals by day and part, a page at a time. */
export const pageSeals: ReadOperation<{ after?: Key | undefined; limit: number }, DaySeal[]> = async (
  tx,
  { after, limit },
) => (await tx.all(selectSeals, { day: after?.day ?? '', part: after?.part ?? -1, limit })).map(asSeal);

/** Seals that still lack their file, or where stamps are wanted one of them. */
export const unfinishedSeals: ReadOperation<{ stamped: boolean }, DaySeal[]> = async (tx, { stamped }) =>
  (await tx.all(selectUnfinished, { stamped: stamped ? 1 : 0 })).map(asSeal);

/** When the first entry there is was recorded, epoch milliseconds; null without entries. */
export const firstRecordedAt: ReadOperation<Record<never, never>, number | null> = async (tx) => {
  let first: number | null = null;
  for await (const lane of lanesFrom(tx, 0)) {
    const at = (await tx.first(selectFirstRecorded, { lane }))?.at;
    if (at !== undefined) first = Math.min(first ?? at, at);
  }
  return first;
};

/** Where each lane stood at an instant: what was recorded before `to`, or else where the last sealed day left it. */
export const laneEnds: ReadOperation<{ to: number }, LaneEnd[]> = async (tx, { to }) =>
  endsOf(tx, to, (await lastSealedDay(tx, {}))?.lanes ?? []);

async function endsOf(tx: ReadTransaction, to: number, sealed: readonly SealedLane[]): Promise<LaneEnd[]> {
  const ends = new Map<number, LaneEnd>(sealed.map(({ lane, last, after }) => [lane, { lane, last, after }]));
  for await (const lane of lanesFrom(tx, 0)) {
    const end = await tx.first(selectEnd, { lane, to });
    const known = ends.get(lane)?.last ?? 0;
    // After a purge only what is held is left of the days before.
    if (end !== undefined && end.last > known) ends.set(lane, { lane, last: end.last, after: hex(end.link) });
  }
  return [...ends.values()].sort((a, b) => a.lane - b.lane);
}

/** Entries `first` to `last` of a lane, a page at a time. */
export const pageRun: ReadOperation<
  { lane: number; first: number; last: number; limit: number },
  RegisterRow[]
> = async (tx, run) => (await tx.all(selectRun, run)).map(asRegisterRow);

// --- writing ---------------------------------------------------------------------------------------------------

const insertSeal = statement<DaySealTable>((db, p) =>
  db.insertInto('day_seal').values({
    part: p('part'),
    day: p('day'),
    recorded_from: p('recorded_from'),
    recorded_to: p('recorded_to'),
    entries: p('entries'),
    lanes: p('lanes'),
    root: p('root'),
    sealed_at: p('sealed_at'),
    file_hash: p('file_hash'),
    csv_hash: p('csv_hash'),
    root_token: p('root_token'),
    file_token: p('file_token'),
    state: p('state'),
  }),
);

const selectLastPart = statement<{ day: string }, { part: number | null }>((db, p) =>
  db
    .selectFrom('day_seal')
    .select((e) => e.fn.max('part').as('part'))
    .where('day', '=', p('day')),
);

export interface Closing {
  readonly day: string;
  /** Whether the day is over; else this is a part of it. */
  readonly whole: boolean;
  readonly recordedFrom: number;
  readonly recordedTo: number;
  readonly entries: number;
  readonly lanes: readonly SealedLane[];
  readonly root: Uint8Array;
  readonly sealedAt: number;
  /** The day before, null for the first that is sealed at all. */
  readonly previous: string | null;
  readonly event: RegisterEvent & { readonly event: 'sigillo' };
}

/**
 * Closes a day, or seals a part of it. A whole day that is closed already is given back as it is, whatever was said of
 * it now.
 * @throws StoreConflict 'seal' when the day before is not the last one closed, or entries have come meanwhile
 */
export const closeDay: Operation<Closing, DaySeal> = async (tx, closing) => {
  const { day, whole, previous } = closing;
  const known = await tx.first(selectSeal, { day, part: 0 });
  if (known !== undefined) {
    if (whole) return asSeal(known);
    throw new StoreConflict('seal', `${day} is sealed as a whole`);
  }
  const last = await tx.first(selectLastDay, {});
  if ((last?.day ?? null) !== previous) {
    throw new StoreConflict('seal', `${day}: the last sealed day is ${last?.day ?? 'none'}`);
  }
  const before: readonly SealedLane[] = last === undefined ? [] : asSeal(last).lanes;
  const ends = whole ? await endsOf(tx, closing.recordedTo, before) : [];
  const asSaid = ends.every(({ lane, last: end, after }) =>
    closing.lanes.some((one) => one.lane === lane && one.last === end && one.after === after),
  );
  if (!asSaid) throw new StoreConflict('seal', `${day}: entries have come meanwhile`);
  const part = whole ? 0 : ((await tx.first(selectLastPart, { day }))?.part ?? 0) + 1;
  const row: DaySealTable = {
    part,
    day,
    recorded_from: closing.recordedFrom,
    recorded_to: closing.recordedTo,
    entries: closing.entries,
    lanes: JSON.stringify(closing.lanes),
    root: closing.root,
    sealed_at: closing.sealedAt,
    file_hash: null,
    csv_hash: null,
    root_token: null,
    file_token: null,
    state: 'whole',
  };
  await tx.run(insertSeal, row);
  await tx.append(closing.event);
  return asSeal(row);
};

const setFiles = statement<Key & { file: string; csv: string }>((db, p) =>
  db
    .updateTable('day_seal')
    .set({ file_hash: p('file'), csv_hash: p('csv') })
    .where('part', '=', p('part'))
    .where('day', '=', p('day'))
    .where('file_hash', 'is', null),
);

const setToken = (column: 'root_token' | 'file_token') =>
  statement<Key & { token: Uint8Array }>((db, p) =>
    db
      .updateTable('day_seal')
      .set({ [column]: p('token') })
      .where('part', '=', p('part'))
      .where('day', '=', p('day'))
      .where(column, 'is', null),
  );
const setRootToken = setToken('root_token');
const setFileToken = setToken('file_token');

/** Keeps the hashes of a day's files; what was kept first stays. */
export const putDayFiles: Operation<Key & { file: string; csv: string }, DaySeal> = async (tx, input) => {
  await tx.run(setFiles, input);
  return sealAt(tx, input);
};

/** Keeps a time stamp; the first one stays. */
export const putDayToken: Operation<Key & { over: 'root' | 'file'; token: Uint8Array }, DaySeal> = async (
  tx,
  { day, part, over, token },
) => {
  await tx.run(over === 'root' ? setRootToken : setFileToken, { day, part, token });
  return sealAt(tx, { day, part });
};

async function sealAt(tx: ReadTransaction, { day, part }: Key): Promise<DaySeal> {
  const row = await tx.first(selectSeal, { day, part });
  if (row === undefined) throw new StoreConflict('seal', `${day} is not sealed`);
  return asSeal(row);
}
