/** STORE and EXPUNGE (RFC 3501 6.4.6, 6.4.3; RFC 7162 3.1.3). */
import { changedFlags, type FlagChange, type FlagSet, sameFlags } from '../flags.js';
import { statement } from '../statement.js';
import type { Operation } from '../transaction.js';
import { expungeRows, takeModseq, type Which } from './folder-rows.js';

interface FlagRow {
  readonly id: number;
  readonly uid: number;
  readonly modseq: number;
  readonly system: number;
  readonly keywords: string;
}

const selectFlags = statement<{ folderId: number; uids: readonly number[] }, FlagRow>((db, p) =>
  db
    .selectFrom('message')
    .select(['id', 'uid', 'modseq', 'system', 'keywords'])
    .where('folder_id', '=', p('folderId'))
    .where('uid', 'in', p.numbers('uids'))
    .orderBy('uid'),
);

const updateFlags = statement<{ id: number; system: number; keywords: string; modseq: number }>((db, p) =>
  db
    .updateTable('message')
    .set({ system: p('system'), keywords: p('keywords'), modseq: p('modseq') })
    .where('id', '=', p('id')),
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

/** A message's flags as they stand. */
export interface FlagState extends FlagSet {
  readonly uid: number;
  readonly modseq: number;
}

/**
 * Changes flags.
 * @returns the state of every message that was asked for and is there; `refused`: the UIDs that had changed since
 */
export const storeFlags: Operation<
  FlagStore,
  { states: readonly FlagState[]; refused: readonly number[] }
> = async (tx, { mailboxId, folderId, uids, how, flags, unchangedSince }) => {
  const states: FlagState[] = [];
  const refused: number[] = [];
  let modseq = 0;
  for (const row of await tx.all(selectFlags, { folderId, uids })) {
    const before: FlagSet = { system: row.system, keywords: JSON.parse(row.keywords) };
    if (unchangedSince !== null && row.modseq > unchangedSince) {
      refused.push(row.uid);
      continue;
    }
    const after = changedFlags(before, how, flags);
    if (sameFlags(before, after)) {
      states.push({ uid: row.uid, modseq: row.modseq, ...before });
      continue;
    }
    if (modseq === 0) modseq = await takeModseq(tx, folderId);
    await tx.run(updateFlags, {
      id: row.id,
      system: after.system,
      keywords: JSON.stringify(after.keywords),
      modseq,
    });
    states.push({ uid: row.uid, modseq, ...after });
  }
  if (modseq > 0) tx.touch({ mailbox: mailboxId });
  return { states, refused };
};

/** Takes messages out of a folder for good. @returns the UIDs that went, growing, and the folder's modseq since then */
export const expungeMessages: Operation<
  { mailboxId: number; folderId: number; which: Which },
  readonly number[]
> = (tx, request) => expungeRows(tx, request);
