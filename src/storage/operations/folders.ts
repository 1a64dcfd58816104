/** The folders of a mailbox, and the names its user subscribed to. */
import { StoreConflict } from '../errors.js';
import { DELETED, SEEN } from '../flags.js';
import type { Folder, NamedFolder, SpecialUse } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, Transaction } from '../transaction.js';
import { moveAllRows } from './copying.js';
import { expungeRows } from './folder-rows.js';

/** What every mailbox is born with (interfaces, Mail). */
export const standardFolders: readonly { readonly name: string; readonly specialUse: SpecialUse | null }[] = [
  { name: 'INBOX', specialUse: null },
  { name: 'Posta inviata', specialUse: 'sent' },
  { name: 'Bozze', specialUse: 'drafts' },
  { name: 'Cestino', specialUse: 'trash' },
  { name: 'Archivio', specialUse: 'archive' },
];

const SEPARATOR = '/';

const insertFolder = statement<
  { mailboxId: number; name: string; specialUse: SpecialUse | null; uidValidity: number },
  { id: number }
>((db, p) =>
  db
    .insertInto('folder')
    .values({
      mailbox_id: p('mailboxId'),
      name: p('name'),
      special_use: p('specialUse'),
      uid_validity: p('uidValidity'),
      uid_next: 1,
      highest_modseq: 1,
    })
    .returning('id'),
);

const factColumns = [
  'folder.id',
  'folder.mailbox_id as mailboxId',
  'folder.name',
  'folder.special_use as specialUse',
  'folder.uid_validity as uidValidity',
  'folder.uid_next as uidNext',
  'folder.highest_modseq as highestModseq',
  'folder.selectable',
] as const;

const selectFacts = statement<
  { mailboxId: number },
  Omit<NamedFolder, 'selectable'> & { selectable: number }
>((db, p) =>
  db.selectFrom('folder').select(factColumns).where('mailbox_id', '=', p('mailboxId')).orderBy('id'),
);

const selectFolders = statement<{ mailboxId: number }, Omit<Folder, 'selectable'> & { selectable: number }>(
  (db, p) =>
    db
      .selectFrom('folder')
      .leftJoin('message', 'message.folder_id', 'folder.id')
      .select((e) => [
        ...factColumns,
        e.fn.count<number>('message.id').as('messages'),
        e.fn.coalesce(e.fn.sum<number>('message.size'), e.lit(0)).as('size'),
        e.fn
          .count<number>(
            e
              .case()
              .when(e('message.system', '&', e.lit(SEEN)), '=', e.lit(0))
              .then(e.ref('message.id'))
              .end(),
          )
          .as('unseen'),
        e.fn
          .count<number>(
            e
              .case()
              .when(e('message.system', '&', e.lit(DELETED)), '<>', e.lit(0))
              .then(e.ref('message.id'))
              .end(),
          )
          .as('deleted'),
      ])
      .where('folder.mailbox_id', '=', p('mailboxId'))
      .groupBy('folder.id')
      .orderBy('folder.id'),
);

interface FolderName {
  readonly id: number;
  readonly name: string;
  readonly selectable: number;
}

const selectNames = statement<{ mailboxId: number }, FolderName>((db, p) =>
  db
    .selectFrom('folder')
    .select(['id', 'name', 'selectable'])
    .where('mailbox_id', '=', p('mailboxId'))
    .orderBy('id'),
);

const nextUidValidity = statement<{ mailboxId: number; seconds: number }, { uidValidity: number }>((db, p) =>
  db
    .updateTable('mailbox')
    .set((e) => ({
      last_uid_validity: e
        .case()
        .when('last_uid_validity', '>=', p('seconds'))
        .then(e('last_uid_validity', '+', e.lit(1)))
        .else(p('seconds'))
        .end(),
    }))
    .where('id', '=', p('mailboxId'))
    .returning('last_uid_validity as uidValidity'),
);

/**
 * No two folders of a mailbox ever had the same, whatever their names were (RFC 3501 2.3.1.1). Seconds, so that it fits the
 * 32 bits that IMAP gives it.
 */
async function takeUidValidity(tx: Transaction, mailboxId: number, now: number): Promise<number> {
  const row = await tx.first(nextUidValidity, { mailboxId, seconds: Math.max(1, Math.floor(now / 1000)) });
  if (row === undefined) throw new StoreConflict('mailbox', `no mailbox ${mailboxId}`, { mailboxId });
  return row.uidValidity;
}

export async function createStandardFolders(
  tx: Transaction,
  { mailboxId, now }: { mailboxId: number; now: number },
): Promise<void> {
  for (const { name, specialUse } of standardFolders) {
    const uidValidity = await takeUidValidity(tx, mailboxId, now);
    await tx.run(insertFolder, { mailboxId, name, specialUse, uidValidity });
    await tx.run(insertSubscription, { mailboxId, name });
  }
}

/** Without a look at what is in them. */
export const namedFolders: ReadOperation<{ mailboxId: number }, NamedFolder[]> = async (tx, { mailboxId }) =>
  (await tx.all(selectFacts, { mailboxId })).map((row) => ({ ...row, selectable: row.selectable === 1 }));

export const listFolders: ReadOperation<{ mailboxId: number }, Folder[]> = async (tx, { mailboxId }) =>
  (await tx.all(selectFolders, { mailboxId })).map((row) => ({ ...row, selectable: row.selectable === 1 }));

// --- making, removing, renaming --------------------------------------------------------------------------------

interface Named {
  readonly mailboxId: number;
  readonly name: string;
  readonly now: number;
}

/** A name that others stand under becomes a folder again: none that anybody knew (RFC 3501 2.3.1.1). */
const revive = statement<{ id: number; specialUse: SpecialUse | null; uidValidity: number }>((db, p) =>
  db
    .updateTable('folder')
    .set({ selectable: 1, special_use: p('specialUse'), uid_validity: p('uidValidity') })
    .where('id', '=', p('id')),
);
/** A folder becomes a name that others stand under, and is of no use. */
const hollow = statement<{ id: number }>((db, p) =>
  db.updateTable('folder').set({ selectable: 0, special_use: null }).where('id', '=', p('id')),
);

/**
 * Makes a folder, and those it stands under where they are missing. A name that only others stood under becomes a folder.
 * @throws StoreConflict 'folder-exists'
 */
export const createFolder: Operation<
  Named & { specialUse: SpecialUse | null },
  { uidValidity: number }
> = async (tx, { mailboxId, name, specialUse, now }) => {
  const names = new Map((await tx.all(selectNames, { mailboxId })).map((folder) => [folder.name, folder]));
  const there = names.get(name);
  if (there !== undefined && there.selectable === 1)
    throw new StoreConflict('folder-exists', `mailbox ${mailboxId} has a folder ${name}`, { name });
  for (const parent of parentsOf(name)) {
    if (names.has(parent)) continue;
    const uidValidity = await takeUidValidity(tx, mailboxId, now);
    await tx.run(insertFolder, { mailboxId, name: parent, specialUse: null, uidValidity });
  }
  const uidValidity = await takeUidValidity(tx, mailboxId, now);
  if (there === undefined) await tx.run(insertFolder, { mailboxId, name, specialUse, uidValidity });
  else await tx.run(revive, { id: there.id, specialUse, uidValidity });
  tx.touch({ mailbox: mailboxId });
  return { uidValidity };
};

function* parentsOf(name: string): Generator<string> {
  for (let at = name.indexOf(SEPARATOR); at >= 0; at = name.indexOf(SEPARATOR, at + 1)) {
    if (at > 0) yield name.slice(0, at);
  }
}

const isUnder = (name: string, parent: string): boolean => name.startsWith(parent + SEPARATOR);

const deleteExpunged = statement<{ id: number }>((db, p) =>
  db.deleteFrom('expunged').where('folder_id', '=', p('id')),
);
const deleteFolderRow = statement<{ id: number }>((db, p) =>
  db.deleteFrom('folder').where('id', '=', p('id')),
);

/**
 * Removes a folder and its messages. One that others stand under stays as their name (RFC 3501 6.3.4).
 * @throws StoreConflict 'folder' when there is none, 'folder-children' when it is only such a name already
 */
export const deleteFolder: Operation<Omit<Named, 'now'>, void> = async (tx, { mailboxId, name }) => {
  const names = await tx.all(selectNames, { mailboxId });
  const folder = names.find((each) => each.name === name);
  if (folder === undefined) throw absent(mailboxId, name);
  const parent = names.some((each) => isUnder(each.name, name));
  if (parent && folder.selectable === 0)
    throw new StoreConflict('folder-children', `others stand under ${name}`, { name });
  await expungeRows(tx, { mailboxId, folderId: folder.id, which: 'all' });
  if (parent) await tx.run(hollow, { id: folder.id });
  else {
    await tx.run(deleteExpunged, { id: folder.id });
    await tx.run(deleteFolderRow, { id: folder.id });
  }
  tx.touch({ mailbox: mailboxId });
};

const absent = (mailboxId: number, name: string): StoreConflict =>
  new StoreConflict('folder', `mailbox ${mailboxId} has no folder ${name}`, { mailboxId, folder: name });

const updateName = statement<{ id: number; name: string }>((db, p) =>
  db
    .updateTable('folder')
    .set({ name: p('name') })
    .where('id', '=', p('id')),
);

/**
 * Renames a folder with all that stand under it; the folders the new name stands under are made. INBOX gives its messages to
 * the new folder and stays, empty (RFC 3501 6.3.5).
 * @throws StoreConflict 'folder' when there is none, 'folder-exists' when the new name, or one under it, is taken
 */
export const renameFolder: Operation<Omit<Named, 'name'> & { from: string; to: string }, void> = async (
  tx,
  { mailboxId, from, to, now },
) => {
  const names = await tx.all(selectNames, { mailboxId });
  const folder = names.find((each) => each.name === from);
  if (folder === undefined) throw absent(mailboxId, from);
  if (isUnder(to, from) && from !== 'INBOX')
    throw new StoreConflict('folder-exists', `${to} would stand under itself`, { name: to });
  if (from === 'INBOX') {
    await createFolder(tx, { mailboxId, name: to, specialUse: null, now });
    const made = (await tx.all(selectNames, { mailboxId })).find((each) => each.name === to);
    if (made !== undefined) await moveAllRows(tx, { mailboxId, from: folder.id, to: made.id, now });
    return;
  }
  const moved = names.filter((each) => each.name === from || isUnder(each.name, from));
  const taken = new Set(names.filter((each) => !moved.includes(each)).map((each) => each.name));
  const renamed = moved.map((each) => ({ id: each.id, name: to + each.name.slice(from.length) }));
  const clash = renamed.find(({ name }) => taken.has(name));
  if (clash !== undefined)
    throw new StoreConflict('folder-exists', `mailbox ${mailboxId} has a folder ${clash.name}`, {
      name: clash.name,
    });
  for (const each of renamed) await tx.run(updateName, each);
  for (const parent of parentsOf(to)) {
    if (taken.has(parent)) continue;
    const uidValidity = await takeUidValidity(tx, mailboxId, now);
    await tx.run(insertFolder, { mailboxId, name: parent, specialUse: null, uidValidity });
  }
  tx.touch({ mailbox: mailboxId });
};

// --- subscriptions ---------------------------------------------------------------------------------------------

const insertSubscription = statement<{ mailboxId: number; name: string }>((db, p) =>
  db
    .insertInto('subscription')
    .values({ mailbox_id: p('mailboxId'), name: p('name') })
    .onConflict((conflict) => conflict.doNothing()),
);
const deleteSubscription = statement<{ mailboxId: number; name: string }>((db, p) =>
  db.deleteFrom('subscription').where('mailbox_id', '=', p('mailboxId')).where('name', '=', p('name')),
);
const selectSubscriptions = statement<{ mailboxId: number }, { name: string }>((db, p) =>
  db.selectFrom('subscription').select('name').where('mailbox_id', '=', p('mailboxId')).orderBy('name'),
);

export const setSubscription: Operation<
  { mailboxId: number; name: string; subscribed: boolean },
  void
> = async (tx, { mailboxId, name, subscribed }) => {
  await tx.run(subscribed ? insertSubscription : deleteSubscription, { mailboxId, name });
};

export const listSubscriptions: ReadOperation<{ mailboxId: number }, string[]> = async (tx, { mailboxId }) =>
  (await tx.all(selectSubscriptions, { mailboxId })).map(({ name }) => name);
