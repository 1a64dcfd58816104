/** Putting messages into folders, and taking them out. */
import { StoreConflict } from '../errors.js';
import { flagNames, flagSetOf } from '../flags.js';
import type { Deposit, MailboxState, MessageRow } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, Transaction } from '../transaction.js';
import { bury, type GoneRow } from './folder-rows.js';
import { owe } from './summaries.js';

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
      .where('selectable', '=', 1)
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
    system: number;
    keywords: string;
    savedAt: number;
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
      system: p('system'),
      keywords: p('keywords'),
      saved_at: p('savedAt'),
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
 * @returns the message's id and its UID.
 * @throws StoreConflict 'quota' when the quota binds the deposit and it does not fit, 'folder' when there is no such
 *   mailbox or folder.
 */
export async function deposit(
  tx: Transaction,
  entry: Omit<Deposit, 'content'>,
  contentId: number,
): Promise<{ id: number; uid: number }> {
  const { mailboxId, folder, size } = entry;
  const place = await tx.first(takeUid, { mailboxId, folder });
  if (place === undefined) {
    throw new StoreConflict('folder', `mailbox ${mailboxId} has no folder ${folder}`, { mailboxId, folder });
  }
  const { changes } = await tx.run(entry.withinQuota ? addUsedWithinQuota : addUsed, { mailboxId, size });
  if (changes === 0) throw new StoreConflict('quota', `mailbox ${mailboxId} is full`, { mailboxId, size });
  const { system, keywords } = flagSetOf(entry.flags);
  const row = await tx.first(insertMessage, {
    mailboxId,
    folderId: place.id,
    uid: place.uid,
    modseq: place.modseq,
    contentId,
    size,
    internalDate: entry.internalDate,
    system,
    keywords: JSON.stringify(keywords),
    savedAt: entry.savedAt ?? entry.internalDate,
  });
  if (row === undefined) throw new StoreConflict('message', 'the message was not stored');
  await owe(tx, contentId);
  tx.touch({ mailbox: mailboxId });
  return { id: row.id, uid: place.uid };
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

const deleteMessage = statement<{ mailboxId: number; id: number }, GoneRow>((db, p) =>
  db
    .deleteFrom('message')
    .where('id', '=', p('id'))
    .where('mailbox_id', '=', p('mailboxId'))
    .returning(['uid', 'folder_id as folderId', 'content_id as contentId', 'size']),
);

/**
 * Deletes messages of a mailbox; ids that are not its own, or gone already, are passed over. Their octets are free at
 * once, their contents go when nothing else names them.
 */
export const expunge: Operation<
  { mailboxId: number; ids: readonly number[]; now: number },
  { removed: number; freed: number }
> = async (tx, { mailboxId, ids }) => {
  const gone: GoneRow[] = [];
  for (const id of ids) {
    const row = await tx.first(deleteMessage, { mailboxId, id });
    if (row !== undefined) gone.push(row);
  }
  await bury(tx, mailboxId, gone);
  return { removed: gone.length, freed: gone.reduce((sum, { size }) => sum + size, 0) };
};

// --- reading ---------------------------------------------------------------------------------------------------

type StoredMessage = Omit<MessageRow, 'flags'> & { readonly system: number; readonly keywords: string };

const messageColumns = [
  'message.id',
  'message.mailbox_id as mailboxId',
  'folder.name as folder',
  'message.uid',
  'message.modseq',
  'message.content_id as contentId',
  'message.size',
  'message.internal_date as internalDate',
  'message.system',
  'message.keywords',
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

const asMessage = ({ system, keywords, ...row }: StoredMessage): MessageRow => ({
  ...row,
  flags: flagNames({ system, keywords: JSON.parse(keywords) }),
});

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
