/**
 * Changes to the messages of one folder. Each operation takes one new modseq for all it changes (RFC 7162 3.1.2.1), and what goes
 * leaves its UID and the modseq behind, so that whoever was not looking can be told.
 */
import { sql } from 'kysely';
import { StoreConflict } from '../errors.js';
import { DELETED } from '../flags.js';
import { statement } from '../statement.js';
import type { Transaction } from '../transaction.js';
import { releaseContent } from './contents.js';

/** Expunged UIDs remembered of one folder: past it the oldest are forgotten, and `expunged_floor` says so. */
const REMEMBERED = 20_000;

const raiseModseq = statement<{ folderId: number }, { modseq: number }>((db, p) =>
  db
    .updateTable('folder')
    .set((e) => ({ highest_modseq: e('highest_modseq', '+', e.lit(1)) }))
    .where('id', '=', p('folderId'))
    .returning('highest_modseq as modseq'),
);

/** The modseq of a change that is about to be made. @throws StoreConflict 'folder' */
export async function takeModseq(tx: Transaction, folderId: number): Promise<number> {
  const row = await tx.first(raiseModseq, { folderId });
  if (row === undefined) throw new StoreConflict('folder', `no folder ${folderId}`, { folderId });
  return row.modseq;
}

export interface GoneRow {
  readonly uid: number;
  readonly folderId: number;
  readonly contentId: number;
  readonly size: number;
}

const goneColumns = ['uid', 'folder_id as folderId', 'content_id as contentId', 'size'] as const;

const deleteAll = statement<{ folderId: number }, GoneRow>((db, p) =>
  db.deleteFrom('message').where('folder_id', '=', p('folderId')).returning(goneColumns),
);
const deleteMarked = statement<{ folderId: number }, GoneRow>((db, p) =>
  db
    .deleteFrom('message')
    .where('folder_id', '=', p('folderId'))
    .where((e) => e(e('system', '&', e.lit(DELETED)), '<>', e.lit(0)))
    .returning(goneColumns),
);
const deleteMarkedAmong = statement<{ folderId: number; uids: readonly number[] }, GoneRow>((db, p) =>
  db
    .deleteFrom('message')
    .where('folder_id', '=', p('folderId'))
    .where('uid', 'in', p.numbers('uids'))
    .where((e) => e(e('system', '&', e.lit(DELETED)), '<>', e.lit(0)))
    .returning(goneColumns),
);
const deleteAmong = statement<{ folderId: number; uids: readonly number[] }, GoneRow>((db, p) =>
  db
    .deleteFrom('message')
    .where('folder_id', '=', p('folderId'))
    .where('uid', 'in', p.numbers('uids'))
    .returning(goneColumns),
);

/** Which messages of a folder: all, those marked \Deleted (among some UIDs), or the UIDs whatever their flags. */
export type Which =
  | 'all'
  | 'marked'
  | { readonly marked: readonly number[] }
  | { readonly uids: readonly number[] };

/** Takes rows out of a folder and frees what they used. @returns the UIDs that went, growing */
export async function expungeRows(
  tx: Transaction,
  { mailboxId, folderId, which }: { mailboxId: number; folderId: number; which: Which },
): Promise<number[]> {
  const rows = await deleteRows(tx, folderId, which);
  await bury(tx, mailboxId, rows);
  return rows.map(({ uid }) => uid).sort((one, other) => one - other);
}

function deleteRows(tx: Transaction, folderId: number, which: Which): Promise<GoneRow[]> {
  if (which === 'all') return tx.all(deleteAll, { folderId });
  if (which === 'marked') return tx.all(deleteMarked, { folderId });
  if ('marked' in which) return tx.all(deleteMarkedAmong, { folderId, uids: which.marked });
  return tx.all(deleteAmong, { folderId, uids: which.uids });
}

const insertExpunged = statement<{ folderId: number; uids: readonly number[]; modseq: number }>((db, p) =>
  sql`insert into expunged (folder_id, uid, modseq)
    select ${p('folderId')}, gone.value, ${p('modseq')} from ${p.numbers('uids')} as gone
    where true on conflict do nothing`.compile(db),
);

const addUsed = statement<{ mailboxId: number; size: number }>((db, p) =>
  db
    .updateTable('mailbox')
    .set((e) => ({ used: e('used', '+', p('size')) }))
    .where('id', '=', p('mailboxId')),
);

/** The room of deleted rows is free at once, their contents go when nothing else names them, their UIDs are remembered. */
export async function bury(tx: Transaction, mailboxId: number, rows: readonly GoneRow[]): Promise<void> {
  if (rows.length === 0) return;
  for (const contentId of new Set(rows.map((row) => row.contentId))) await releaseContent(tx, contentId);
  await tx.run(addUsed, { mailboxId, size: -rows.reduce((sum, { size }) => sum + size, 0) });
  await remember(tx, rows);
  tx.touch({ mailbox: mailboxId });
}

const countExpunged = statement<{ folderId: number }, { count: number }>((db, p) =>
  db
    .selectFrom('expunged')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('folder_id', '=', p('folderId')),
);
const oldestKept = statement<{ folderId: number; keep: number }, { modseq: number }>((db, p) =>
  db
    .selectFrom('expunged')
    .select('modseq')
    .where('folder_id', '=', p('folderId'))
    .orderBy('modseq', 'desc')
    .offset(p('keep'))
    .limit(1),
);
const forgetExpunged = statement<{ folderId: number; floor: number }>((db, p) =>
  db.deleteFrom('expunged').where('folder_id', '=', p('folderId')).where('modseq', '<=', p('floor')),
);
const raiseFloor = statement<{ folderId: number; floor: number }>((db, p) =>
  db
    .updateTable('folder')
    .set({ expunged_floor: p('floor') })
    .where('id', '=', p('folderId')),
);

async function remember(tx: Transaction, rows: readonly GoneRow[]): Promise<void> {
  for (const folderId of new Set(rows.map((row) => row.folderId))) {
    const modseq = await takeModseq(tx, folderId);
    const uids = rows.filter((row) => row.folderId === folderId).map(({ uid }) => uid);
    await tx.run(insertExpunged, { folderId, uids, modseq });
    const count = (await tx.first(countExpunged, { folderId }))?.count ?? 0;
    if (count <= REMEMBERED) continue;
    const floor = (await tx.first(oldestKept, { folderId, keep: REMEMBERED / 2 }))?.modseq ?? modseq;
    await tx.run(forgetExpunged, { folderId, floor });
    await tx.run(raiseFloor, { folderId, floor });
  }
}
