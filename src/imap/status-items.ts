/** STATUS (RFC 9051 6.3.11; RFC 8438 SIZE; RFC 7162 HIGHESTMODSEQ; RFC 8474 MAILBOXID; RFC 7889 APPENDLIMIT). */
import type { Folder } from '../storage/index.js';
import { type Scanner, writeMailboxName } from '../wire/imap/index.js';
import type { Context } from './command.js';
import { refusals } from './refusals.js';

/** What is not the folder's own. */
interface Known {
  /** Messages that no session was told of. */
  readonly recent: number;
  /** The same for all folders. */
  readonly appendLimit: number;
}

const ITEMS = {
  MESSAGES: (folder: Folder) => folder.messages,
  RECENT: (_: Folder, { recent }: Known) => recent,
  APPENDLIMIT: (_: Folder, { appendLimit }: Known) => appendLimit,
  UIDNEXT: (folder: Folder) => folder.uidNext,
  UIDVALIDITY: (folder: Folder) => folder.uidValidity,
  UNSEEN: (folder: Folder) => folder.unseen,
  DELETED: (folder: Folder) => folder.deleted,
  SIZE: (folder: Folder) => folder.size,
  HIGHESTMODSEQ: (folder: Folder) => folder.highestModseq,
  MAILBOXID: (folder: Folder) => `(F${folder.id})`,
} as const;
export type StatusItem = keyof typeof ITEMS;

const USES: Partial<Record<StatusItem, string>> = {
  SIZE: 'STATUS=SIZE',
  APPENDLIMIT: 'APPENDLIMIT',
  HIGHESTMODSEQ: 'CONDSTORE',
  MAILBOXID: 'OBJECTID',
};

/** The capabilities that these items are there with. */
export const usesOfStatus = (items: readonly StatusItem[]): readonly string[] =>
  items.flatMap((item) => USES[item] ?? []);

export function readStatusItems(scanner: Scanner): StatusItem[] {
  return scanner.list(() => {
    const item = scanner.keyword();
    if (!Object.hasOwn(ITEMS, item)) throw refusals.badArgument('Dato sconosciuto / Unknown status item');
    return item as StatusItem;
  });
}

export function statusLine(
  folder: Folder,
  items: readonly StatusItem[],
  known: Known,
  utf8: boolean,
): string {
  const facts = items.map((item) => `${item} ${ITEMS[item](folder, known)}`);
  return `STATUS ${writeMailboxName(folder.name, utf8)} (${facts.join(' ')})`;
}

/** How many messages of a folder no session was told of; asked of the store only where somebody wants to know. */
export async function recentIn(
  folder: Folder,
  items: readonly StatusItem[],
  { services }: Context,
): Promise<number> {
  if (!items.includes('RECENT')) return 0;
  const opened = await services.mailstore.openFolder(folder.mailboxId, folder.name, services.startedAt);
  if (opened?.firstSince === undefined) return 0;
  const first = opened.firstSince;
  return services.recent.claim(
    folder.id,
    opened.uids.filter((uid) => uid >= first),
    true,
  ).length;
}
