/** A folder as a session sees it: what is in it, what changed since, what to answer about each message. */
import { statement } from '../statement.js';
import type { ReadOperation } from '../transaction.js';
import { type Among, type ByUid, readByUid } from './runs.js';

/** A folder at one moment. */
export interface OpenedFolder {
  readonly id: number;
  readonly name: string;
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq: number;
  /** Growing. */
  readonly uids: readonly number[];
  /** The first without \Seen, where there is one. */
  readonly firstUnseen: number | undefined;
  /** The first that came into it at the instant asked about or later. */
  readonly firstSince: number | undefined;
  /** Keywords some message has, each list as JSON. */
  readonly keywords: readonly string[];
}

type FolderFacts = Pick<OpenedFolder, 'id' | 'name' | 'uidValidity' | 'uidNext' | 'highestModseq'>;

const facts = [
  'id',
  'name',
  'uid_validity as uidValidity',
  'uid_next as uidNext',
  'highest_modseq as highestModseq',
] as const;

const selectFolder = statement<{ mailboxId: number; name: string }, FolderFacts>((db, p) =>
  db
    .selectFrom('folder')
    .select(facts)
    .where('mailbox_id', '=', p('mailboxId'))
    .where('name', '=', p('name'))
    .where('selectable', '=', 1),
);
const selectUids = statement<{ folderId: number }, { uid: number }>((db, p) =>
  db.selectFrom('message').select('uid').where('folder_id', '=', p('folderId')).orderBy('uid'),
);
const selectUnseen = statement<{ folderId: number }, { uid: number | null }>((db, p) =>
  db
    .selectFrom('message')
    .select((e) => e.fn.min<number | null>('uid').as('uid'))
    .where('folder_id', '=', p('folderId'))
    .where((e) => e(e('system', '&', e.lit(1)), '=', e.lit(0))),
);
const selectSince = statement<{ folderId: number; since: number }, { uid: number | null }>((db, p) =>
  db
    .selectFrom('message')
    .select((e) => e.fn.min<number | null>('uid').as('uid'))
    .where('folder_id', '=', p('folderId'))
    .where('saved_at', '>=', p('since')),
);
const selectKeywords = statement<{ folderId: number }, { keywords: string }>((db, p) =>
  db.selectFrom('message').select('keywords').distinct().where('folder_id', '=', p('folderId')),
);

/** The id of a folder that can be opened. */
export const folderNamed: ReadOperation<{ mailboxId: number; name: string }, number | undefined> = async (
  tx,
  request,
) => (await tx.first(selectFolder, request))?.id;

/** Undefined when there is no such folder, or only others that stand under its name. */
export const openFolder: ReadOperation<
  { mailboxId: number; name: string; since: number },
  OpenedFolder | undefined
> = async (tx, request) => {
  const folder = await tx.first(selectFolder, request);
  if (folder === undefined) return undefined;
  const place = { folderId: folder.id };
  const lists = (await tx.all(selectKeywords, place)).map(({ keywords }) => JSON.parse(keywords) as string[]);
  return {
    ...folder,
    uids: (await tx.all(selectUids, place)).map(({ uid }) => uid),
    firstSince: (await tx.first(selectSince, { ...place, since: request.since }))?.uid ?? undefined,
    firstUnseen: (await tx.first(selectUnseen, place))?.uid ?? undefined,
    keywords: [...new Set(lists.flat())],
  };
};

// --- changes ---------------------------------------------------------------------------------------------------

/** What a FETCH or a SEARCH of one message starts from. */
export interface ListedMessage {
  readonly uid: number;
  readonly modseq: number;
  readonly system: number;
  /** JSON. */
  readonly keywords: string;
  readonly contentId: number;
  readonly size: number;
  readonly internalDate: number;
  readonly savedAt: number;
}

const columns = [
  'message.uid',
  'message.modseq',
  'message.system',
  'message.keywords',
  'message.content_id as contentId',
  'message.size',
  'message.internal_date as internalDate',
  'message.saved_at as savedAt',
] as const;

export interface FolderChanges {
  readonly uidValidity: number;
  readonly uidNext: number;
  readonly highestModseq: number;
  /** Whose flags are other ones, or that are new. */
  readonly changed: readonly ListedMessage[];
  /** UIDs that went; 'unknown' when it is too long ago: those that are not there went. */
  readonly gone: readonly number[] | 'unknown';
}

const selectFacts = statement<{ folderId: number }, Omit<FolderFacts, 'id' | 'name'> & { floor: number }>(
  (db, p) =>
    db
      .selectFrom('folder')
      .select([
        'uid_validity as uidValidity',
        'uid_next as uidNext',
        'highest_modseq as highestModseq',
        'expunged_floor as floor',
      ])
      .where('id', '=', p('folderId'))
      .where('selectable', '=', 1),
);
const selectChanged = statement<{ folderId: number; since: number }, ListedMessage>((db, p) =>
  db
    .selectFrom('message')
    .select(columns)
    .where('folder_id', '=', p('folderId'))
    .where('modseq', '>', p('since'))
    .orderBy('uid'),
);
const selectGone = statement<{ folderId: number; since: number }, { uid: number }>((db, p) =>
  db
    .selectFrom('expunged')
    .select('uid')
    .where('folder_id', '=', p('folderId'))
    .where('modseq', '>', p('since'))
    .orderBy('uid'),
);

/** What happened after a modseq; undefined when the folder is gone. */
export const folderChanges: ReadOperation<
  { folderId: number; since: number },
  FolderChanges | undefined
> = async (tx, { folderId, since }) => {
  const folder = await tx.first(selectFacts, { folderId });
  if (folder === undefined) return undefined;
  const { floor, ...rest } = folder;
  if (rest.highestModseq <= since) return { ...rest, changed: [], gone: [] };
  return {
    ...rest,
    changed: await tx.all(selectChanged, { folderId, since }),
    gone: since < floor ? 'unknown' : (await tx.all(selectGone, { folderId, since })).map(({ uid }) => uid),
  };
};

// --- messages --------------------------------------------------------------------------------------------------

const listed: ByUid<ListedMessage> = {
  among: statement((db, p) =>
    db
      .selectFrom('message')
      .select(columns)
      .where('folder_id', '=', p('folderId'))
      .where('uid', 'in', p.numbers('uids'))
      .orderBy('uid'),
  ),
  between: statement((db, p) =>
    db
      .selectFrom('message')
      .select(columns)
      .where('folder_id', '=', p('folderId'))
      .where('uid', '>=', p('first'))
      .where('uid', '<=', p('last'))
      .orderBy('uid'),
  ),
};

/** Messages by growing UID; those that are gone are missing. Callers ask for some hundred at a time. */
export const listedMessages: ReadOperation<Among, ListedMessage[]> = (tx, request) =>
  readByUid(tx, listed, request);
