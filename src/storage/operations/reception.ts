/** The commits of the incoming point, and the receipts they leave. */

import { addressKey } from '../../pec/index.js';
import { StoreConflict } from '../errors.js';
import type { Changes, MailboxState, NewReception, ReceiptRow, ReceptionRow } from '../records.js';
import type { ReceptionTable } from '../schema.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, ReadTransaction, Transaction } from '../transaction.js';
import { apply } from './changes.js';
import { expectState } from './mail.js';

const insertReception = statement<ReceptionTable>((db, p) =>
  db
    .insertInto('reception')
    .values({
      origin: p('origin'),
      identificativo: p('identificativo'),
      recipient_key: p('recipient_key'),
      recipient: p('recipient'),
      digest: p('digest'),
      at: p('at'),
      presa_receipt_id: p('presa_receipt_id'),
      outcome_receipt_id: p('outcome_receipt_id'),
    })
    .onConflict((conflict) => conflict.doNothing()),
);

/**
 * Takes charge of what came in, or of whatever an incoming transaction comes to: an anomaly, ordinary mail.
 * @throws StoreConflict 'mailbox' when a mailbox is not in the state the caller decided upon, 'reception' when a
 *   recipient of that envelope was answered already (look it up and answer again), and what `Changes` can throw.
 */
export const commitReception: Operation<
  Changes & {
    reception: readonly NewReception[];
    expect: readonly { mailboxId: number; state: MailboxState }[];
  },
  void
> = async (tx, input) => {
  for (const { mailboxId, state } of input.expect) await expectState(tx, mailboxId, state);
  // Before the receipts, which have unique keys of their own: a repetition must be told from a doubled receipt.
  for (const entry of input.reception) await requireNew(tx, entry);
  const { receiptIds } = await apply(tx, input);
  for (const entry of input.reception) await receive(tx, entry, receiptIds);
};

async function requireNew(
  tx: Transaction,
  { origin, identificativo, recipient }: NewReception,
): Promise<void> {
  const found = await tx.first(selectReceptionDigest, { origin, identificativo, key: addressKey(recipient) });
  if (found !== undefined) throw taken(origin, identificativo, recipient);
}

async function receive(tx: Transaction, entry: NewReception, receiptIds: readonly number[]): Promise<void> {
  const { origin, identificativo, recipient } = entry;
  const { changes } = await tx.run(insertReception, {
    origin,
    identificativo,
    recipient_key: addressKey(recipient),
    recipient,
    digest: entry.digest,
    at: entry.at,
    presa_receipt_id: receiptAt(receiptIds, entry.presaInCarico),
    outcome_receipt_id: receiptAt(receiptIds, entry.finalOutcome),
  });
  if (changes === 0) throw taken(origin, identificativo, recipient);
}

const taken = (origin: string, identificativo: string, recipient: string): StoreConflict =>
  new StoreConflict('reception', `${recipient} of ${identificativo} was answered already`, {
    origin,
    identificativo,
    recipient,
  });

function receiptAt(ids: readonly number[], index: number): number {
  const id = ids[index];
  if (id === undefined) throw new StoreConflict('receipt', `the commit has no receipt ${index}`, { index });
  return id;
}

// --- reading ---------------------------------------------------------------------------------------------------

const selectReceptionDigest = statement<
  { origin: string; identificativo: string; key: string },
  { digest: string }
>((db, p) =>
  db
    .selectFrom('reception')
    .select('digest')
    .where('origin', '=', p('origin'))
    .where('identificativo', '=', p('identificativo'))
    .where('recipient_key', '=', p('key')),
);

type StoredReception = Omit<ReceptionRow, 'presaInCarico' | 'finalOutcome'> & {
  readonly presaId: number;
  readonly outcomeId: number;
};

const selectReceptions = statement<{ origin: string; identificativo: string }, StoredReception>((db, p) =>
  db
    .selectFrom('reception')
    .select([
      'origin',
      'identificativo',
      'recipient',
      'digest',
      'at',
      'presa_receipt_id as presaId',
      'outcome_receipt_id as outcomeId',
    ])
    .where('origin', '=', p('origin'))
    .where('identificativo', '=', p('identificativo'))
    .orderBy('recipient_key'),
);

const receiptColumns = [
  'id',
  'direction',
  'origin',
  'identificativo',
  'kind',
  'recipient',
  'step',
  'message_id as messageId',
  'content_id as contentId',
  'size',
  'at',
] as const;

const selectReceipt = statement<{ id: number }, ReceiptRow>((db, p) =>
  db.selectFrom('receipt').select(receiptColumns).where('id', '=', p('id')),
);

const selectReceipts = statement<{ identificativo: string }, ReceiptRow>((db, p) =>
  db
    .selectFrom('receipt')
    .select(receiptColumns)
    .where('identificativo', '=', p('identificativo'))
    .orderBy('id'),
);

/** How this gestore answered for each recipient of an envelope; empty when it never saw it. */
export const findReception: ReadOperation<
  { origin: string; identificativo: string },
  ReceptionRow[]
> = async (tx, { origin, identificativo }) => {
  const rows: ReceptionRow[] = [];
  for (const { presaId, outcomeId, ...row } of await tx.all(selectReceptions, { origin, identificativo })) {
    const presaInCarico = await receiptOf(tx, presaId);
    rows.push({ ...row, presaInCarico, finalOutcome: await receiptOf(tx, outcomeId) });
  }
  return rows;
};

async function receiptOf(tx: ReadTransaction, id: number): Promise<ReceiptRow> {
  const row = await tx.first(selectReceipt, { id });
  if (row === undefined) throw new StoreConflict('receipt', `no receipt ${id}`, { id });
  return row;
}

/** The notifications kept about a message, issued and received, in the order in which they were stored. */
export const findReceipts: ReadOperation<{ identificativo: string }, ReceiptRow[]> = (
  tx,
  { identificativo },
) => tx.all(selectReceipts, { identificativo });
