/** What became of each recipient of our users' messages, and the silence notices (RFC 6109 3.1.6). */

import { addressKey } from '../../pec/index.js';
import { StoreConflict } from '../errors.js';
import type {
  Changes,
  DueNotice,
  NoticePlace,
  NoticeStep,
  Outgoing,
  RecipientFact,
  TrackingRow,
} from '../records.js';
import type { OutgoingTable, TrackingTable } from '../schema.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, ReadTransaction, Transaction } from '../transaction.js';
import { apply } from './changes.js';

// --- facts -----------------------------------------------------------------------------------------------------

interface FactKey {
  identificativo: string;
  key: string;
  at: number;
}

// RFC 6109 3.1.6: a presa in carico disarms the first notice, the second waits for the consegna.
const markTaken = statement<FactKey>((db, p) =>
  db
    .updateTable('tracking')
    .set((e) => ({
      taken_at: p('at'),
      next_notice_at: e
        .case()
        .when('next_step', '=', '12h')
        .then(e.ref('second_notice_at'))
        .else(e.ref('next_notice_at'))
        .end(),
      next_step: e
        .case()
        .when('next_step', '=', '12h')
        .then(e.val<NoticeStep>('24h'))
        .else(e.ref('next_step'))
        .end(),
    }))
    .where('identificativo', '=', p('identificativo'))
    .where('recipient_key', '=', p('key'))
    .where('taken_at', 'is', null),
);

// Decisions 2: one final outcome. It may come after the 24 h notice, and none comes after it.
const markOutcome = statement<FactKey & { outcome: NonNullable<TrackingTable['outcome']> }>((db, p) =>
  db
    .updateTable('tracking')
    .set({ outcome: p('outcome'), outcome_at: p('at'), next_notice_at: null, next_step: null })
    .where('identificativo', '=', p('identificativo'))
    .where('recipient_key', '=', p('key'))
    .where('outcome', 'is', null),
);

/**
 * @param mustMove whether the caller has looked at the tracking and counts on every fact changing it
 * @returns for each fact whether it changed anything: an unknown recipient or a second outcome does not.
 * @throws StoreConflict 'state' when one that must move does not: another fact came in between.
 */
export async function record(
  tx: Transaction,
  facts: readonly RecipientFact[],
  mustMove = false,
): Promise<boolean[]> {
  const effective: boolean[] = [];
  for (const { identificativo, recipient, fact, at } of facts) {
    const place = { identificativo, key: addressKey(recipient), at };
    const { changes } =
      fact === 'presa-in-carico'
        ? await tx.run(markTaken, place)
        : await tx.run(markOutcome, { ...place, outcome: fact });
    if (mustMove && changes === 0) {
      throw new StoreConflict('state', `${recipient} of ${identificativo} no longer awaits ${fact}`, {
        identificativo,
        recipient,
        fact,
      });
    }
    effective.push(changes > 0);
  }
  return effective;
}

// --- notices ---------------------------------------------------------------------------------------------------

const markFirstNotice = statement<Omit<FactKey, 'at'>>((db, p) =>
  db
    .updateTable('tracking')
    .set((e) => ({ next_notice_at: e.ref('second_notice_at'), next_step: '24h' }))
    .where('identificativo', '=', p('identificativo'))
    .where('recipient_key', '=', p('key'))
    .where('next_step', '=', '12h'),
);

const markSecondNotice = statement<Omit<FactKey, 'at'>>((db, p) =>
  db
    .updateTable('tracking')
    .set({ next_notice_at: null, next_step: null })
    .where('identificativo', '=', p('identificativo'))
    .where('recipient_key', '=', p('key'))
    .where('next_step', 'is not', null),
);

/**
 * Issues silence notices and moves each recipient to its next deadline. The second notice may be issued without the
 * first, after a stop longer than both.
 * @throws StoreConflict 'state' when a recipient no longer waits for that notice: its receipt came in between.
 */
export const commitNotice: Operation<
  Changes & { notices: readonly { identificativo: string; recipient: string; step: NoticeStep }[] },
  void
> = async (tx, input) => {
  for (const { identificativo, recipient, step } of input.notices) {
    const mark = step === '12h' ? markFirstNotice : markSecondNotice;
    const { changes } = await tx.run(mark, { identificativo, key: addressKey(recipient) });
    if (changes > 0) continue;
    throw new StoreConflict('state', `${recipient} of ${identificativo} waits for no ${step} notice`, {
      identificativo,
      recipient,
      step,
    });
  }
  await apply(tx, input);
};

const trackingColumns = [
  'identificativo',
  'recipient',
  'kind',
  'gestore',
  'first_notice_at as firstNoticeAt',
  'second_notice_at as secondNoticeAt',
  'taken_at as takenAt',
  'outcome',
  'outcome_at as outcomeAt',
] as const;

type DueRow = TrackingRow & { readonly step: NoticeStep; readonly dueAt: number };

interface DueQuery {
  now: number;
  limit: number;
  afterAt: number;
  afterId: string;
  afterKey: string;
}

const selectDue = statement<DueQuery, DueRow>((db, p) =>
  db
    .selectFrom('tracking')
    .select(trackingColumns)
    .select((e) => [
      e.ref('next_step').$castTo<NoticeStep>().as('step'),
      e.ref('next_notice_at').$castTo<number>().as('dueAt'),
    ])
    .where('next_notice_at', 'is not', null)
    .where('next_notice_at', '<=', p('now'))
    .where('next_notice_at', '>=', p('afterAt'))
    .where((e) =>
      e.or([
        e('next_notice_at', '>', p('afterAt')),
        e('identificativo', '>', p('afterId')),
        e.and([e('identificativo', '=', p('afterId')), e('recipient_key', '>', p('afterKey'))]),
      ]),
    )
    .orderBy('next_notice_at')
    .orderBy('identificativo')
    .orderBy('recipient_key')
    .limit(p('limit')),
);

const selectNextNotice = statement<Record<never, never>, { at: number | null }>((db) =>
  db
    .selectFrom('tracking')
    .select((e) => e.fn.min('next_notice_at').as('at'))
    .where('next_notice_at', 'is not', null),
);

/** Recipients whose next silence notice is due at `now`, the oldest first; `after` is where the page before ended. */
export const dueNotices: ReadOperation<
  { now: number; limit: number; after?: NoticePlace | undefined },
  DueNotice[]
> = async (tx, { now, limit, after }) => {
  const known = new Map<string, Outgoing>();
  const due: DueNotice[] = [];
  const rows = await tx.all(selectDue, {
    now,
    limit,
    afterAt: after?.dueAt ?? Number.MIN_SAFE_INTEGER,
    afterId: after?.identificativo ?? '',
    afterKey: addressKey(after?.recipient ?? ''),
  });
  for (const { step, dueAt, ...tracking } of rows) {
    const { identificativo } = tracking;
    const outgoing = known.get(identificativo) ?? (await findOutgoing(tx, { identificativo }));
    if (outgoing === undefined) continue;
    known.set(identificativo, outgoing);
    due.push({ step, dueAt, tracking, outgoing });
  }
  return due;
};

/** When the next silence notice falls due; null when none is awaited. */
export const nextNoticeAt: ReadOperation<Record<never, never>, number | null> = async (tx) =>
  (await tx.first(selectNextNotice, {}))?.at ?? null;

// --- outgoing messages -----------------------------------------------------------------------------------------

const selectOutgoing = statement<{ identificativo: string }, Omit<Outgoing, 'tracking'>>((db, p) =>
  db
    .selectFrom('outgoing')
    .select([
      'identificativo',
      'mailbox_id as mailboxId',
      'sender',
      'msgid',
      'subject',
      'reply_to as replyTo',
      'accepted_at as acceptedAt',
      'content_id as contentId',
    ])
    .where('identificativo', '=', p('identificativo')),
);

const selectTracking = statement<{ identificativo: string }, TrackingRow>((db, p) =>
  db
    .selectFrom('tracking')
    .select(trackingColumns)
    .where('identificativo', '=', p('identificativo'))
    .orderBy('recipient_key'),
);

/** A message of our users with what became of each recipient. */
export async function findOutgoing(
  tx: ReadTransaction,
  { identificativo }: { identificativo: string },
): Promise<Outgoing | undefined> {
  const row = await tx.first(selectOutgoing, { identificativo });
  return row === undefined
    ? undefined
    : { ...row, tracking: await tx.all(selectTracking, { identificativo }) };
}

export const insertOutgoing = statement<OutgoingTable>((db, p) =>
  db
    .insertInto('outgoing')
    .values({
      identificativo: p('identificativo'),
      mailbox_id: p('mailbox_id'),
      sender: p('sender'),
      msgid: p('msgid'),
      subject: p('subject'),
      reply_to: p('reply_to'),
      accepted_at: p('accepted_at'),
      content_id: p('content_id'),
    })
    .onConflict((conflict) => conflict.doNothing()),
);

type FirstTracking = Omit<TrackingTable, 'taken_at' | 'outcome' | 'outcome_at'>;

export const insertTracking = statement<FirstTracking>((db, p) =>
  db
    .insertInto('tracking')
    .values({
      identificativo: p('identificativo'),
      recipient_key: p('recipient_key'),
      recipient: p('recipient'),
      kind: p('kind'),
      gestore: p('gestore'),
      first_notice_at: p('first_notice_at'),
      second_notice_at: p('second_notice_at'),
      next_notice_at: p('next_notice_at'),
      next_step: p('next_step'),
      taken_at: null,
      outcome: null,
      outcome_at: null,
    })
    .onConflict((conflict) => conflict.doNothing()),
);
