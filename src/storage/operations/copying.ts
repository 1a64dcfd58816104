/** Messages that come into a folder from another one, or from a client: copies share their content. */
import { StoreConflict } from '../errors.js';
import type { Deposit, PackedRope } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, Transaction } from '../transaction.js';
import { storeContent } from './contents.js';
import { expungeRows } from './folder-rows.js';
import { deposit } from './mail.js';

interface SourceRow {
  readonly uid: number;
  readonly contentId: number;
  readonly size: number;
  readonly internalDate: number;
  readonly system: number;
  readonly keywords: string;
}

const sourceColumns = [
  'uid',
  'content_id as contentId',
  'size',
  'internal_date as internalDate',
  'system',
  'keywords',
] as const;

const selectSources = statement<{ folderId: number; uids: readonly number[] }, SourceRow>((db, p) =>
  db
    .selectFrom('message')
    .select(sourceColumns)
    .where('folder_id', '=', p('folderId'))
    .where('uid', 'in', p.numbers('uids'))
    .orderBy('uid'),
);
const selectAllSources = statement<{ folderId: number }, SourceRow>((db, p) =>
  db.selectFrom('message').select(sourceColumns).where('folder_id', '=', p('folderId')).orderBy('uid'),
);

const takeUids = statement<
  { folderId: number; count: number },
  { first: number; modseq: number; uidValidity: number }
>((db, p) =>
  db
    .updateTable('folder')
    .set((e) => ({
      uid_next: e('uid_next', '+', p('count')),
      highest_modseq: e('highest_modseq', '+', e.lit(1)),
    }))
    .where('id', '=', p('folderId'))
    .returning((e) => [
      e('uid_next', '-', p('count')).as('first'),
      'highest_modseq as modseq',
      'uid_validity as uidValidity',
    ]),
);

const insertCopy = statement<
  SourceRow & { mailboxId: number; folderId: number; modseq: number; savedAt: number }
>((db, p) =>
  db.insertInto('message').values({
    mailbox_id: p('mailboxId'),
    folder_id: p('folderId'),
    uid: p('uid'),
    modseq: p('modseq'),
    content_id: p('contentId'),
    size: p('size'),
    internal_date: p('internalDate'),
    system: p('system'),
    keywords: p('keywords'),
    saved_at: p('savedAt'),
  }),
);

const selectTarget = statement<{ mailboxId: number; name: string }, { id: number }>((db, p) =>
  db
    .selectFrom('folder')
    .select('id')
    .where('mailbox_id', '=', p('mailboxId'))
    .where('name', '=', p('name'))
    .where('selectable', '=', 1),
);

const addUsedWithinQuota = statement<{ mailboxId: number; size: number }>((db, p) =>
  db
    .updateTable('mailbox')
    .set((e) => ({ used: e('used', '+', p('size')) }))
    .where('id', '=', p('mailboxId'))
    .where((e) => e(e('used', '+', p('size')), '<=', e.ref('quota'))),
);
const addUsed = statement<{ mailboxId: number; size: number }>((db, p) =>
  db
    .updateTable('mailbox')
    .set((e) => ({ used: e('used', '+', p('size')) }))
    .where('id', '=', p('mailboxId')),
);

/** What UIDPLUS tells (RFC 4315 3): the target's UIDVALIDITY, and the UIDs side by side. */
export interface Copied {
  readonly uidValidity: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

interface CopyRequest {
  readonly mailboxId: number;
  readonly folderId: number;
  /** Those that are gone are passed over. */
  readonly uids: readonly number[];
  /** Name of the folder they go to. */
  readonly target: string;
  readonly now: number;
}

async function copyRows(
  tx: Transaction,
  rows: readonly SourceRow[],
  to: { readonly mailboxId: number; readonly folderId: number; readonly now: number },
): Promise<Copied> {
  const place = await tx.first(takeUids, { folderId: to.folderId, count: rows.length });
  if (place === undefined) throw new StoreConflict('folder', `no folder ${to.folderId}`);
  let uid = place.first;
  for (const row of rows) {
    await tx.run(insertCopy, {
      ...row,
      uid,
      mailboxId: to.mailboxId,
      folderId: to.folderId,
      modseq: place.modseq,
      savedAt: to.now,
    });
    uid += 1;
  }
  tx.touch({ mailbox: to.mailboxId });
  return {
    uidValidity: place.uidValidity,
    from: rows.map((row) => row.uid),
    to: rows.map((_, index) => place.first + index),
  };
}

async function targetOf(tx: Transaction, { mailboxId, target }: CopyRequest): Promise<number> {
  const row = await tx.first(selectTarget, { mailboxId, name: target });
  if (row !== undefined) return row.id;
  throw new StoreConflict('folder', `mailbox ${mailboxId} has no folder ${target}`, { folder: target });
}

/**
 * Copies messages, all or none; a copy weighs as much as its original.
 * @throws StoreConflict 'folder' when the target is none, 'quota'
 */
export const copyMessages: Operation<CopyRequest, Copied> = async (tx, request) => {
  const { mailboxId, folderId, uids, now } = request;
  const target = await targetOf(tx, request);
  const rows = await tx.all(selectSources, { folderId, uids });
  const size = rows.reduce((sum, row) => sum + row.size, 0);
  const { changes } = await tx.run(addUsedWithinQuota, { mailboxId, size });
  if (changes === 0) throw new StoreConflict('quota', `mailbox ${mailboxId} is full`, { mailboxId, size });
  return copyRows(tx, rows, { mailboxId, folderId: target, now });
};

/** Moves messages in one transaction (RFC 6851): each is in one of the folders at any time. @throws StoreConflict 'folder' */
export const moveMessages: Operation<CopyRequest, Copied> = async (tx, request) => {
  const { mailboxId, folderId, uids, now } = request;
  const target = await targetOf(tx, request);
  const rows = await tx.all(selectSources, { folderId, uids });
  return moveRows(tx, rows, { mailboxId, from: folderId, to: target, now });
};

interface Move {
  readonly mailboxId: number;
  readonly from: number;
  readonly to: number;
  readonly now: number;
}

export async function moveAllRows(tx: Transaction, move: Move): Promise<void> {
  await moveRows(tx, await tx.all(selectAllSources, { folderId: move.from }), move);
}

async function moveRows(
  tx: Transaction,
  rows: readonly SourceRow[],
  { mailboxId, from, to, now }: Move,
): Promise<Copied> {
  // What is taken out below is given back then: a full mailbox can be tidied.
  await tx.run(addUsed, { mailboxId, size: rows.reduce((sum, row) => sum + row.size, 0) });
  const copied = await copyRows(tx, rows, { mailboxId, folderId: to, now });
  await expungeRows(tx, { mailboxId, folderId: from, which: { uids: copied.from } });
  return copied;
}

/** A message a client puts into a folder (RFC 3501 6.3.11). */
export interface Appended extends Pick<Deposit, 'internalDate' | 'flags'> {
  readonly content: PackedRope;
}

const selectUidValidity = statement<{ mailboxId: number; name: string }, { uidValidity: number }>((db, p) =>
  db
    .selectFrom('folder')
    .select('uid_validity as uidValidity')
    .where('mailbox_id', '=', p('mailboxId'))
    .where('name', '=', p('name'))
    .where('selectable', '=', 1),
);

interface Placing {
  readonly mailboxId: number;
  readonly folder: string;
  readonly now: number;
}

async function uidValidityOf(tx: Transaction, { mailboxId, folder }: Placing): Promise<number> {
  const place = await tx.first(selectUidValidity, { mailboxId, name: folder });
  if (place !== undefined) return place.uidValidity;
  throw new StoreConflict('folder', `mailbox ${mailboxId} has no folder ${folder}`, { folder });
}

/** Appends messages, all or none (RFC 3502). @throws StoreConflict 'folder', 'quota', 'blob' */
export const appendMessages: Operation<
  { mailboxId: number; folder: string; messages: readonly Appended[]; now: number },
  { uidValidity: number; uids: readonly number[] }
> = async (tx, { mailboxId, folder, messages, now }) => {
  const uidValidity = await uidValidityOf(tx, { mailboxId, folder, now });
  const uids: number[] = [];
  for (const { content, internalDate, flags } of messages) {
    const contentId = await storeContent(tx, content);
    const entry = {
      mailboxId,
      folder,
      size: content.size,
      internalDate,
      savedAt: now,
      flags,
      withinQuota: true,
    };
    uids.push((await deposit(tx, entry, contentId)).uid);
  }
  return { uidValidity, uids };
};

/**
 * Puts a message into a folder and takes another out of its own (RFC 8508). The room of the old one is free for the new one, and one
 * that is no larger finds room in a full mailbox too.
 * @throws StoreConflict 'message' when the old one is gone, 'folder', 'quota', 'blob'
 */
export const replaceMessage: Operation<
  Placing & { folderId: number; uid: number; message: Appended },
  { uidValidity: number; uid: number }
> = async (tx, { mailboxId, folderId, uid, folder, message, now }) => {
  const uidValidity = await uidValidityOf(tx, { mailboxId, folder, now });
  const [old] = await tx.all(selectSources, { folderId, uids: [uid] });
  if (old === undefined)
    throw new StoreConflict('message', `no message ${uid} in folder ${folderId}`, { uid });
  const { content, internalDate, flags } = message;
  const { size } = content;
  // Stored before the old one goes: what both have in common stays.
  const contentId = await storeContent(tx, content);
  await expungeRows(tx, { mailboxId, folderId, which: { uids: [uid] } });
  const withinQuota = size > old.size;
  const entry = { mailboxId, folder, size, internalDate, savedAt: now, flags, withinQuota };
  return { uidValidity, uid: (await deposit(tx, entry, contentId)).uid };
};
