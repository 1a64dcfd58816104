/**
 * Claims on the outbound queue: who may try which rows, and until when. Each raises the row's fence.
 */
import type { QueueKind, QueueRow } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, ReadTransaction, Transaction } from '../transaction.js';
import { asRow, columns, type StoredRow } from './queue-row.js';

// --- scopes ----------------------------------------------------------------------------------------------------

/** A part of the queue: rows of these kinds, to these destinations (lower case). */
export interface QueueScope {
  readonly kinds: readonly QueueKind[];
  /** Only these destinations; all when not given. */
  readonly within?: readonly string[] | undefined;
  /** But not these. */
  readonly except: readonly string[];
}

/**
 * What a clock that was set back makes of times written before: a row whose time is later than anybody would have
 * planned now is taken for due. Epoch milliseconds; without them every time is believed.
 */
export interface BelievedTimes {
  readonly latestAttempt?: number | undefined;
  readonly latestLease?: number | undefined;
  /** Rows the caller is working on: their leases do not run out for him. */
  readonly inHand?: readonly number[] | undefined;
}

const KINDS: readonly QueueKind[] = ['envelope', 'notification', 'ordinary', 'dsn', 'forward', 'notice'];

interface Times {
  readonly now: number;
  readonly latestAttempt: number;
  readonly latestLease: number;
  readonly inHand: readonly number[];
  readonly kinds: readonly QueueKind[];
}

const timesOf = (now: number, times: BelievedTimes): Times => ({
  now,
  latestAttempt: times.latestAttempt ?? Number.MAX_SAFE_INTEGER,
  latestLease: times.latestLease ?? Number.MAX_SAFE_INTEGER,
  inHand: times.inHand ?? [],
  kinds: KINDS,
});

const endedLease = statement<Times, { id: number }>((db, p) =>
  db
    .selectFrom('queue')
    .select('id')
    .where('state', '=', 'leased')
    .where((e) => e.or([e('lease_until', '<=', p('now')), e('lease_until', '>', p('latestLease'))]))
    .where('id', 'not in', p.each('inHand'))
    .limit(1),
);

const impossibleAttempt = statement<Times, { id: number }>((db, p) =>
  db
    .selectFrom('queue')
    .select('id')
    .where('state', '=', 'due')
    .where('kind', 'in', p.each('kinds'))
    .where('next_attempt', '>', p('latestAttempt'))
    .limit(1),
);

const returnEnded = statement<Times>((db, p) =>
  db
    .updateTable('queue')
    .set({ state: 'due', lease_owner: '', lease_until: 0 })
    .where('state', '=', 'leased')
    .where((e) => e.or([e('lease_until', '<=', p('now')), e('lease_until', '>', p('latestLease'))]))
    .where('id', 'not in', p.each('inHand')),
);

const bringForward = statement<Times>((db, p) =>
  db
    .updateTable('queue')
    .set({ next_attempt: p('now') })
    .where('state', '=', 'due')
    .where('kind', 'in', p.each('kinds'))
    .where('next_attempt', '>', p('latestAttempt')),
);

/** Makes due what waits, or is leased, longer than anybody would have planned now, and what was leased long enough. */
async function mend(tx: Transaction, times: Times): Promise<void> {
  await tx.run(returnEnded, times);
  await tx.run(bringForward, times);
}

// --- claims ----------------------------------------------------------------------------------------------------

interface Due {
  readonly id: number;
  readonly contentId: number;
  readonly destination: string;
  readonly nextAttempt: number;
}

const dueColumns = ['id', 'content_id as contentId', 'destination', 'next_attempt as nextAttempt'] as const;

const selectDueOfKind = statement<
  { now: number; kind: QueueKind; except: readonly string[]; limit: number },
  Due
>((db, p) =>
  db
    .selectFrom('queue')
    .select(dueColumns)
    .where('state', '=', 'due')
    .where('kind', '=', p('kind'))
    .where('next_attempt', '<=', p('now'))
    .where('destination', 'not in', p.each('except'))
    .orderBy('next_attempt')
    .orderBy('id')
    .limit(p('limit')),
);

const selectDueWithin = statement<
  {
    now: number;
    kinds: readonly QueueKind[];
    within: readonly string[];
    except: readonly string[];
    limit: number;
  },
  Due
>((db, p) =>
  db
    .selectFrom('queue')
    .select(dueColumns)
    .where('state', '=', 'due')
    .where('destination', 'in', p.each('within'))
    .where('next_attempt', '<=', p('now'))
    .where('destination', 'not in', p.each('except'))
    .where('kind', 'in', p.each('kinds'))
    .orderBy('next_attempt')
    .orderBy('id')
    .limit(p('limit')),
);

/** Oldest first. */
async function dueRows(tx: ReadTransaction, scope: QueueScope, now: number, limit: number): Promise<Due[]> {
  const { kinds, within, except } = scope;
  if (within !== undefined) return tx.all(selectDueWithin, { now, kinds, within, except, limit });
  const rows: Due[] = [];
  for (const kind of kinds) rows.push(...(await tx.all(selectDueOfKind, { now, kind, except, limit })));
  rows.sort((one, other) => one.nextAttempt - other.nextAttempt || one.id - other.id);
  return rows.slice(0, limit);
}

const leaseGroup = statement<
  {
    contentId: number;
    destination: string;
    kinds: readonly QueueKind[];
    now: number;
    owner: string;
    leaseUntil: number;
  },
  StoredRow
>((db, p) =>
  db
    .updateTable('queue')
    .set((e) => ({
      state: 'leased',
      fence: e('fence', '+', e.lit(1)),
      lease_owner: p('owner'),
      lease_until: p('leaseUntil'),
    }))
    .where('content_id', '=', p('contentId'))
    .where('destination', '=', p('destination'))
    .where('state', '=', 'due')
    .where('next_attempt', '<=', p('now'))
    .where('kind', 'in', p.each('kinds'))
    .returning(columns),
);

/**
 * Leases rows of a scope that are due, or whose lease ran out, oldest first: about `limit` of them, since all due rows
 * of one content and destination come together (one SMTP transaction).
 */
export const claimDue: Operation<
  Partial<QueueScope> & BelievedTimes & { now: number; owner: string; leaseUntil: number; limit: number },
  QueueRow[]
> = async (tx, input) => {
  const { now, owner, leaseUntil, limit, kinds = KINDS, within, except = [] } = input;
  await mend(tx, timesOf(now, input));
  const claimed: QueueRow[] = [];
  const seen = new Set<string>();
  for (const { contentId, destination } of await dueRows(tx, { kinds, within, except }, now, limit)) {
    const group = `${contentId} ${destination}`;
    if (seen.has(group)) continue;
    seen.add(group);
    const rows = await tx.all(leaseGroup, { contentId, destination, kinds, now, owner, leaseUntil });
    claimed.push(...rows.map(asRow).sort((one, other) => one.id - other.id));
    if (claimed.length >= limit) break;
  }
  return claimed;
};

const returnOwn = statement<{ owner: string; inHand: readonly number[] }>((db, p) =>
  db
    .updateTable('queue')
    .set({ state: 'due', lease_owner: '', lease_until: 0 })
    .where('state', '=', 'leased')
    .where('lease_owner', '=', p('owner'))
    .where('id', 'not in', p.each('inHand')),
);

/** A node takes back what it has leased, but for the rows it has in hand: at once after a restart. */
export const releaseOwn: Operation<
  { owner: string; inHand?: readonly number[] | undefined },
  { released: number }
> = async (tx, { owner, inHand = [] }) => {
  const { changes } = await tx.run(returnOwn, { owner, inHand });
  if (changes > 0) tx.touch({ queue: true });
  return { released: changes };
};

// --- reading ---------------------------------------------------------------------------------------------------

const selectNext = statement<{ kind: QueueKind }, { at: number | null }>((db, p) =>
  db
    .selectFrom('queue')
    .select((e) => e.fn.min('next_attempt').as('at'))
    .where('state', '=', 'due')
    .where('kind', '=', p('kind')),
);

/** When the next row falls due, leases aside; null when none waits. */
export const nextAttemptAt: ReadOperation<Record<never, never>, number | null> = async (tx) => {
  const times: number[] = [];
  for (const kind of KINDS) {
    const at = (await tx.first(selectNext, { kind }))?.at ?? null;
    if (at !== null) times.push(at);
  }
  return times.length === 0 ? null : Math.min(...times);
};

/**
 * Which scopes a claim would give rows of, and when the next row falls due: asked before claiming, so that what is idle
 * costs no write. Where some lease or some time is no longer believed, every scope may have rows.
 */
export const dueScopes: ReadOperation<
  BelievedTimes & { now: number; scopes: readonly QueueScope[] },
  { due: boolean[]; nextAttempt: number | null }
> = async (tx, input) => {
  const { now, scopes } = input;
  const times = timesOf(now, input);
  const mending =
    (await tx.first(endedLease, times)) !== undefined ||
    (await tx.first(impossibleAttempt, times)) !== undefined;
  const due: boolean[] = [];
  for (const scope of scopes) due.push(mending || (await dueRows(tx, scope, now, 1)).length > 0);
  return { due, nextAttempt: await nextAttemptAt(tx, {}) };
};
