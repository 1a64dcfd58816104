/** Messages in folders, as the contracts of IMAP's operations need them. */
import { Rope } from '../../../src/rope/index.js';
import type { Store } from '../../../src/storage/index.js';
import { NOW } from './records.js';

export const SEEN = 1;
export const FLAGGED = 4;
export const DELETED = 8;

/** Appends texts to a folder. @returns their UIDs */
export async function append(
  store: Store,
  mailboxId: number,
  texts: readonly string[],
  { folder = 'INBOX', flags = [] as readonly string[], now = NOW } = {},
): Promise<readonly number[]> {
  const messages = await Promise.all(
    texts.map(async (text) => ({ content: await store.pack(Rope.of(text)), flags, internalDate: NOW })),
  );
  return (await store.write('appendMessages', { mailboxId, folder, messages, now })).uids;
}

/** A folder as a session opens it. */
export async function opened(store: Store, mailboxId: number, name = 'INBOX', since = 0) {
  const folder = await store.read('openFolder', { mailboxId, name, since });
  if (folder === undefined) throw new Error(`no folder ${name}`);
  return folder;
}

/** What happened in a folder after a modseq. */
export async function changesOf(store: Store, folderId: number, since: number) {
  const changes = await store.read('folderChanges', { folderId, since });
  if (changes === undefined) throw new Error(`no folder ${folderId}`);
  return changes;
}

/** Its folders by name, as far as anybody may see them. */
export async function folderNames(store: Store, mailboxId: number): Promise<string[]> {
  const folders = await store.read('listFolders', { mailboxId });
  return folders.map(({ name, selectable }) => (selectable ? name : `(${name})`)).sort();
}

export const usedOf = async (store: Store, id: number): Promise<number | undefined> =>
  (await store.read('findMailboxById', { id }))?.used;
