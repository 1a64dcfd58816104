/** What every commit may carry (records, `Changes`), written in the order in which one part names another. */

import { addressKey } from '../../pec/index.js';
import { StoreConflict } from '../errors.js';
import type { Changes, ContentRef, KeptReceipt, NewQueueRow } from '../records.js';
import type { QueueTable, ReceiptTable } from '../schema.js';
import { statement } from '../statement.js';
import type { Transaction } from '../transaction.js';
import { contentSize, storeContent } from './contents.js';
import { deposit } from './mail.js';
import { setApart } from './quarantine.js';

/** Where the new rows are, index by index as in the `Changes`. */
export interface Applied {
  readonly receiptIds: readonly number[];
  /** The stored content behind a reference. @throws StoreConflict 'content' when there is none. */
  contentId(ref: ContentRef): Promise<number>;
}

interface Located {
  readonly id: number;
  readonly size: number;
}

/**
 * @throws StoreConflict 'receipt' when a notification exists already, 'quota', 'folder', 'blob', 'content'.
 */
export async function apply(tx: Transaction, changes: Changes): Promise<Applied> {
  const stored: Located[] = [];
  for (const packed of changes.contents) {
    stored.push({ id: await storeContent(tx, packed), size: packed.size });
  }
  const locate = async (ref: ContentRef): Promise<Located> => {
    if ('id' in ref) return { id: ref.id, size: await contentSize(tx, ref.id) };
    const found = stored[ref.new];
    if (found === undefined) throw new StoreConflict('content', `no new content ${ref.new}`);
    return found;
  };
  const receiptIds: number[] = [];
  for (const receipt of changes.receipts) {
    receiptIds.push(await keep(tx, receipt, await locate(receipt.content)));
  }
  for (const entry of changes.deposits) await deposit(tx, entry, (await locate(entry.content)).id);
  for (const row of changes.queue) await enqueue(tx, row, (await locate(row.content)).id);
  if (changes.queue.length > 0) tx.touch({ queue: true });
  for (const entry of changes.quarantine ?? []) await setApart(tx, entry, (await locate(entry.content)).id);
  for (const event of changes.events) await tx.append(event);
  return { receiptIds, contentId: async (ref) => (await locate(ref)).id };
}

const insertReceipt = statement<Omit<ReceiptTable, 'id'>, { id: number }>((db, p) =>
  db
    .insertInto('receipt')
    .values({
      direction: p('direction'),
      origin: p('origin'),
      identificativo: p('identificativo'),
      kind: p('kind'),
      recipient_key: p('recipient_key'),
      recipient: p('recipient'),
      step: p('step'),
      message_id: p('message_id'),
      content_id: p('content_id'),
      size: p('size'),
      at: p('at'),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id'),
);

async function keep(tx: Transaction, receipt: KeptReceipt, content: Located): Promise<number> {
  const { direction, origin, identificativo, kind, recipient, step, at } = receipt;
  const row = await tx.first(insertReceipt, {
    direction,
    origin,
    identificativo,
    kind,
    recipient_key: addressKey(recipient),
    recipient,
    step,
    message_id: receipt.messageId,
    content_id: content.id,
    size: content.size,
    at,
  });
  if (row !== undefined) return row.id;
  throw new StoreConflict('receipt', `${identificativo} has its ${kind} ${recipient} already`, {
    direction,
    origin,
    identificativo,
    kind,
    recipient,
    step,
  });
}

type FirstQueueRow = Omit<
  QueueTable,
  'id' | 'state' | 'attempts' | 'last_error' | 'fence' | 'lease_owner' | 'lease_until'
>;

const insertQueueRow = statement<FirstQueueRow>((db, p) =>
  db.insertInto('queue').values({
    kind: p('kind'),
    identificativo: p('identificativo'),
    sender: p('sender'),
    subject: p('subject'),
    origin: p('origin'),
    content_id: p('content_id'),
    size: p('size'),
    mail_from: p('mail_from'),
    recipient: p('recipient'),
    destination: p('destination'),
    eight_bit: p('eight_bit'),
    next_attempt: p('next_attempt'),
    give_up_at: p('give_up_at'),
    created_at: p('created_at'),
    state: 'due',
    attempts: 0,
    last_error: '',
    fence: 0,
    lease_owner: '',
    lease_until: 0,
  }),
);

async function enqueue(tx: Transaction, row: NewQueueRow, contentId: number): Promise<void> {
  await tx.run(insertQueueRow, {
    kind: row.kind,
    identificativo: row.identificativo,
    sender: row.sender,
    subject: row.subject,
    origin: row.origin,
    content_id: contentId,
    size: row.size,
    mail_from: row.mailFrom,
    recipient: row.recipient,
    destination: addressKey(row.destination),
    eight_bit: row.eightBit ? 1 : 0,
    next_attempt: row.nextAttempt,
    give_up_at: row.giveUpAt,
    created_at: row.nextAttempt,
  });
}
