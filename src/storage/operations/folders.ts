/** The folders of a mailbox. */
import type { Folder, SpecialUse } from '../records.js';
import { statement } from '../statement.js';
import type { ReadOperation, Transaction } from '../transaction.js';

/** What every mailbox is born with (interfaces, Mail). */
export const standardFolders: readonly { readonly name: string; readonly specialUse: SpecialUse | null }[] = [
  { name: 'INBOX', specialUse: null },
  { name: 'Posta inviata', specialUse: 'sent' },
  { name: 'Bozze', specialUse: 'drafts' },
  { name: 'Cestino', specialUse: 'trash' },
  { name: 'Archivio', specialUse: 'archive' },
];

const insertFolder = statement<{
  mailboxId: number;
  name: string;
  specialUse: SpecialUse | null;
  uidValidity: number;
}>((db, p) =>
  db.insertInto('folder').values({
    mailbox_id: p('mailboxId'),
    name: p('name'),
    special_use: p('specialUse'),
    uid_validity: p('uidValidity'),
    uid_next: 1,
    highest_modseq: 1,
  }),
);

const selectFolders = statement<{ mailboxId: number }, Folder>((db, p) =>
  db
    .selectFrom('folder')
    .leftJoin('message', 'message.folder_id', 'folder.id')
    .select((e) => [
      'folder.id',
      'folder.mailbox_id as mailboxId',
      'folder.name',
      'folder.special_use as specialUse',
      'folder.uid_validity as uidValidity',
      'folder.uid_next as uidNext',
      'folder.highest_modseq as highestModseq',
      e.fn.count<number>('message.id').as('messages'),
      e.fn.coalesce(e.fn.sum<number>('message.size'), e.lit(0)).as('size'),
    ])
    .where('folder.mailbox_id', '=', p('mailboxId'))
    .groupBy('folder.id')
    .orderBy('folder.id'),
);

/** Seconds, so that the value fits the 32 bits IMAP gives it (RFC 3501 2.3.1.1). */
const uidValidityAt = (now: number): number => Math.max(1, Math.floor(now / 1000) % 2 ** 32);

export async function createStandardFolders(
  tx: Transaction,
  { mailboxId, now }: { mailboxId: number; now: number },
): Promise<void> {
  const uidValidity = uidValidityAt(now);
  for (const { name, specialUse } of standardFolders) {
    await tx.run(insertFolder, { mailboxId, name, specialUse, uidValidity });
  }
}

export const listFolders: ReadOperation<{ mailboxId: number }, Folder[]> = (tx, { mailboxId }) =>
  tx.all(selectFolders, { mailboxId });
