/** Putting messages into folders, and taking them out. */
import { StoreConflict } from '../errors.js';
import type { Deposit, MailboxState, MessageRow } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, Transaction } from '../transaction.js';
import { releaseContent } from './contents.js';

const takeUid = statement<{ mailboxId: number; folder: string }, { id: number; uid: number; modseq: number }>(
  (db, p) =>
    db
      .updateTable('folder')
      .set((e) => ({
        uid_next: e('uid_next', '+', e.lit(1)),
        highest_modseq: e('highest_modseq', '+', e.lit(1)),
      }))
      .where('mailbox_id', '=', p('mailboxId'))
      .where('name', '=', p('folder'))
      .returning((e) => ['id', e('uid_next', '-', e.lit(1)).as('uid'), 'highest_modseq as modseq']),
);

const insertMessage = statement<
  {
    mailboxId: number;
    folderId: number;
    uid: number;
    modseq: number;
    contentId: number;
    size: number;
    internalDate: number;
    flags: string;
  },
  { id: number }
>((db, p) =>
  db
    .insertInto('message')
    .values({
      mailbox_id: p('mailboxId'),
      folder_id: p('folderId'),
      uid: p('uid'),
      modseq: p('modseq'),
      content_id: p('contentId'),
      size: p('size'),
      internal_date: p('internalDate'),
      flags: p('flags'),
    })
    .returning('id'),
);

const addUsed = statement<{ mailboxId: number; size: number }>((db, p) =>
  db
    .updateTable('mailbox')
    .set((e) => ({ used: e('used', '+', p('size')) }))
    .where('id', '=', p('mailboxId')),
);

const addUsedWithinQuota = statement<{ mailboxId: number; size: number }>((db, p) =>
  db
    .updateTable('mailbox')
    .set((e) => ({ used: e('used', '+', p('size')) }))
    .where('id', '=', p('mailboxId'))
    .where((e) => e(e('used', '+', p('size')), '<=', e.ref('quota'))),
);

/**
 * Puts one message into its folder under the next UID.
 * @returns the message's id.
 * @throws StoreConflict 'quota' when the quota binds the deposit and it does not fit, 'folder' when there is no such
 *   mailbox or folder.
 */
export async function deposit(tx: Transaction, entry: Deposit, contentId: number): Promise<number> {
  const { mailboxId, folder, size } = entry;
  const place = await tx.first(takeUid, { mailboxId, folder });
  if (place === undefined) {
    throw new StoreConflict('folder', `mailbox ${mailboxId} has no folder ${folder}`, { mailboxId, folder });
  }
  const { changes } = await tx.run(entry.withinQuota ? addUsedWithinQuota : addUsed, { mailboxId, size });
  if (changes === 0) throw new StoreConflict('quota', `mailbox ${mailboxId} is full`, { mailboxId, size });
  const row = await tx.first(insertMessage, {
    mailboxId,
    folderId: place.id,
    uid: place.uid,
    modseq: place.modseq,
    contentId,
    size,
    internalDate: entry.internalDate,
    flags: JSON.stringify(entry.flags),
  });
  if (row === undefined) throw new StoreConflict('message', 'the message was not stored');
  tx.touch({ mailbox: mailboxId });
  return row.id;
}

const selectState = statement<{ id: number }, { state: MailboxState }>((db, p) =>
  db.selectFrom('mailbox').select('state').where('id', '=', p('id')),
);

/** @throws StoreConflict 'mailbox' when the mailbox is absent or no longer in the state its caller decided upon. */
export async function expectState(tx: Transaction, mailboxId: number, expected: MailboxState): Promise<void> {
  const state = (await tx.first(selectState, { id: mailboxId }))?.state;
  if (state === expected) return;
  throw new StoreConflict('mailbox', `mailbox ${mailboxId} is ${state ?? 'absent'}, not ${expected}`, {
    mailboxId,
    state: state ?? null,
    expected,
  });
}

// --- expunging -------------------------------------------------------------------------------------------------

const deleteMessage = statement<
  { mailboxId: number; id: number },
  { folderId: number; contentId: number; size: number }
>((db, p) =>
  db
    .deleteFrom('message')
    .where('id', '=', p('id'))
    .where('mailbox_id', '=', p('mailboxId'))
    .returning(['folder_id as folderId', 'content_id as contentId', 'size']),
);

const raiseModseq = statement<{ folderId: number }>((db, p) =>
  db
    .updateTable('folder')
    .set((e) => ({ highest_modseq: e('highest_modseq', '+', e.lit(1)) }))
    .where('id', '=', p('folderId')),
);

/**
 * Deletes messages of a mailbox; ids that are not its own, or gone already, are passed over. Their octets are free at
 * once, their contents go when nothing else names them.
 */
export const expunge: Operation<
  { mailboxId: number; ids: readonly number[]; now: number },
  { removed: number; freed: number }
> = async (tx, { mailboxId, ids }) => {
  const folders = new Set<number>();
  let removed = 0;
  let freed = 0;
  for (const id of ids) {
    const row = await tx.first(deleteMessage, { mailboxId, id });
    if (row === undefined) continue;
    await releaseContent(tx, row.contentId);
    folders.add(row.folderId);
    removed += 1;
    freed += row.size;
  }
  if (removed > 0) {
    await tx.run(addUsed, { mailboxId, size: -freed });
    for (const folderId of folders) await tx.run(raiseModseq, { folderId });
    tx.touch({ mailbox: mailboxId });
  }
  return { removed, freed };
};

// --- reading ---------------------------------------------------------------------------------------------------

type StoredMessage = Omit<MessageRow, 'flags'> & { readonly flags: string };

const messageColumns = [
  'message.id',
  'message.mailbox_id as mailboxId',
  'folder.name as folder',
  'message.uid',
  'message.modseq',
  'message.content_id as contentId',
  'message.size',
  'message.internal_date as internalDate',
  'message.flags',
] as const;

const selectMessages = statement<{ mailboxId: number; folder: string }, StoredMessage>((db, p) =>
  db
    .selectFrom('folder')
    .innerJoin('message', 'message.folder_id', 'folder.id')
    .select(messageColumns)
    .where('folder.mailbox_id', '=', p('mailboxId'))
    .where('folder.name', '=', p('folder'))
    .orderBy('message.uid'),
);

const selectMessage = statement<{ mailboxId: number; id: number }, StoredMessage>((db, p) =>
  db
    .selectFrom('message')
    .innerJoin('folder', 'folder.id', 'message.folder_id')
    .select(messageColumns)
    .where('message.id', '=', p('id'))
    .where('message.mailbox_id', '=', p('mailboxId')),
);

const asMessage = (row: StoredMessage): MessageRow => ({ ...row, flags: JSON.parse(row.flags) });

/** A folder's messages by growing UID. */
export const listMessages: ReadOperation<{ mailboxId: number; folder: string }, MessageRow[]> = async (
  tx,
  { mailboxId, folder },
) => (await tx.all(selectMessages, { mailboxId, folder })).map(asMessage);

export const findMessage: ReadOperation<{ mailboxId: number; id: number }, MessageRow | undefined> = async (
  tx,
  { mailboxId, id },
) => {
  const row = await tx.first(selectMessage, { mailboxId, id });
  return row === undefined ? undefined : asMessage(row);
};
