/** STORE and EXPUNGE (RFC 3501 6.4.6, 6.4.3; RFC 7162 3.1.3). */
import { changedFlags, type FlagChange, type FlagSet, sameFlags } from '../flags.js';
import { statement } from '../statement.js';
import type { Operation } from '../transaction.js';
import { expungeRows, takeModseq, type Which } from './folder-rows.js';
import { type Among, type ByUid, readByUid } from './runs.js';

interface FlagRow {
  readonly uid: number;
  readonly modseq: number;
  readonly system: number;
  readonly keywords: string;
}

const flagColumns = ['uid', 'modseq', 'system', 'keywords'] as const;

const selectFlags: ByUid<FlagRow> = {
  among: statement((db, p) =>
    db
      .selectFrom('message')
      .select(flagColumns)
      .where('folder_id', '=', p('folderId'))
      .where('uid', 'in', p.numbers('uids'))
      .orderBy('uid'),
  ),
  between: statement((db, p) =>
    db
      .selectFrom('message')
      .select(flagColumns)
      .where('folder_id', '=', p('folderId'))
      .where('uid', '>=', p('first'))
      .where('uid', '<=', p('last'))
      .orderBy('uid'),
  ),
};

const updateFlags = statement<
  Among & { readonly system: number; readonly keywords: string; readonly modseq: number }
>((db, p) =>
  db
    .updateTable('message')
    .set({ system: p('system'), keywords: p('keywords'), modseq: p('modseq') })
    .where('folder_id', '=', p('folderId'))
    .where('uid', 'in', p.numbers('uids')),
);

export interface FlagStore {
  readonly mailboxId: number;
  readonly folderId: number;
  /** Those that are gone are passed over. */
  readonly uids: readonly number[];
  readonly how: FlagChange;
  readonly flags: FlagSet;
  /** Messages changed after this modseq stay as they are (RFC 7162 3.1.3); null: all change. */
  readonly unchangedSince: number | null;
}

/** Messages that have the same flags since the same change. */
export interface FlagGroup extends FlagSet {
  readonly modseq: number;
  /** Growing. */
  readonly uids: readonly number[];
}

export interface FlagsStored {
  /** The change's; 0 when nothing changed. */
  readonly modseq: number;
  /** How every message stands now that was asked for and is there. */
  readonly groups: readonly FlagGroup[];
  /** UIDs that had changed since. */
  readonly refused: readonly number[];
}

/** What becomes of all messages with the same flags. */
interface Fate {
  readonly changes: boolean;
  readonly after: FlagSet;
  /** JSON. */
  readonly keywords: string;
}

/** Works out each set of flags once, however many messages have it. */
function fates(how: FlagChange, given: FlagSet): (row: FlagRow) => Fate {
  const known = new Map<string, Fate>();
  return ({ system, keywords }) => {
    const key = `${system} ${keywords}`;
    let fate = known.get(key);
    if (fate === undefined) {
      const before: FlagSet = { system, keywords: JSON.parse(keywords) };
      const after = changedFlags(before, how, given);
      fate = { changes: !sameFlags(before, after), after, keywords: JSON.stringify(after.keywords) };
      known.set(key, fate);
    }
    return fate;
  };
}

/** Changes flags: messages that come to the same flags in one statement. */
export const storeFlags: Operation<FlagStore, FlagsStored> = async (
  tx,
  { mailboxId, folderId, uids, how, flags, unchangedSince },
) => {
  const fateOf = fates(how, flags);
  const changing = new Map<string, Fate & { readonly uids: number[] }>();
  const standing = new Map<string, FlagGroup & { readonly uids: number[] }>();
  const refused: number[] = [];
  for (const row of await readByUid(tx, selectFlags, { folderId, uids })) {
    if (unchangedSince !== null && row.modseq > unchangedSince) {
      refused.push(row.uid);
      continue;
    }
    const fate = fateOf(row);
    const key = `${fate.changes ? '' : row.modseq} ${fate.after.system} ${fate.keywords}`;
    if (fate.changes) ofKey(changing, key, () => ({ ...fate, uids: [] })).uids.push(row.uid);
    else ofKey(standing, key, () => ({ ...fate.after, modseq: row.modseq, uids: [] })).uids.push(row.uid);
  }
  if (changing.size === 0) return { modseq: 0, groups: [...standing.values()], refused };
  const modseq = await takeModseq(tx, folderId);
  const groups: FlagGroup[] = [...standing.values()];
  for (const { after, keywords, uids: changed } of changing.values()) {
    await tx.run(updateFlags, { folderId, uids: changed, system: after.system, keywords, modseq });
    groups.push({ ...after, modseq, uids: changed });
  }
  tx.touch({ mailbox: mailboxId });
  return { modseq, groups, refused };
};

function ofKey<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}

/** Takes messages out of a folder for good. @returns the UIDs that went, growing, and the folder's modseq since then */
export const expungeMessages: Operation<
  { mailboxId: number; folderId: number; which: Which },
  readonly number[]
> = (tx, request) => expungeRows(tx, request);
