/** Certified senders of whose messages to a mailbox somebody outside is told. */
import { addressKey } from '../../pec/index.js';
import { StoreConflict } from '../errors.js';
import type { WatchedSender } from '../records.js';
import type { WatchedSenderTable } from '../schema.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation } from '../transaction.js';
import { mailboxOf } from './accounts.js';

/** Addresses that are told about one mailbox, at most: each message certified may call for a notice to each. */
const MOST = 100;

const insert = statement<WatchedSenderTable>((db, p) =>
  db
    .insertInto('watched_sender')
    .values({
      mailbox_id: p('mailbox_id'),
      sender_key: p('sender_key'),
      notified_key: p('notified_key'),
      sender: p('sender'),
      notified: p('notified'),
      created_at: p('created_at'),
    })
    .onConflict((conflict) => conflict.doNothing()),
);

const remove = statement<{ mailboxId: number; senderKey: string; notifiedKey: string }>((db, p) =>
  db
    .deleteFrom('watched_sender')
    .where('mailbox_id', '=', p('mailboxId'))
    .where('sender_key', '=', p('senderKey'))
    .where('notified_key', '=', p('notifiedKey')),
);

const select = statement<{ mailboxId: number }, WatchedSender>((db, p) =>
  db
    .selectFrom('watched_sender')
    .innerJoin('mailbox', 'mailbox.id', 'watched_sender.mailbox_id')
    .select([
      'mailbox.address as mailbox',
      'watched_sender.sender',
      'watched_sender.notified',
      'watched_sender.created_at as createdAt',
    ])
    .where('mailbox_id', '=', p('mailboxId'))
    .orderBy('sender_key')
    .orderBy('notified_key'),
);

const selectNotified = statement<{ mailboxId: number; senderKey: string }, { notified: string }>((db, p) =>
  db
    .selectFrom('watched_sender')
    .select('notified')
    .where('mailbox_id', '=', p('mailboxId'))
    .where('sender_key', '=', p('senderKey'))
    .orderBy('notified_key'),
);

interface Watch {
  readonly mailbox: string;
  readonly sender: string;
  readonly notified: string;
}

/** @throws StoreConflict 'mailbox' when there is none, 'watched-sender' when it stands already or there are too many. */
export const watchSender: Operation<Watch & { now: number }, WatchedSender> = async (
  tx,
  { mailbox, sender, notified, now },
) => {
  const { id, address } = await mailboxOf(tx, mailbox);
  const { length } = await tx.all(select, { mailboxId: id });
  if (length >= MOST) throw new StoreConflict('watched-sender', `${address} has ${MOST} of them already`);
  const { changes } = await tx.run(insert, {
    mailbox_id: id,
    sender_key: addressKey(sender),
    notified_key: addressKey(notified),
    sender,
    notified,
    created_at: now,
  });
  if (changes === 0) throw new StoreConflict('watched-sender', `${notified} is told of ${sender} already`);
  return { mailbox: address, sender, notified, createdAt: now };
};

/** @throws StoreConflict 'mailbox', 'watched-sender' when there is no such thing. */
export const unwatchSender: Operation<Watch, void> = async (tx, { mailbox, sender, notified }) => {
  const { id } = await mailboxOf(tx, mailbox);
  const keys = { mailboxId: id, senderKey: addressKey(sender), notifiedKey: addressKey(notified) };
  const { changes } = await tx.run(remove, keys);
  if (changes === 0) throw new StoreConflict('watched-sender', `${notified} is not told of ${sender}`);
};

/** @throws StoreConflict 'mailbox' when there is none. */
export const watchedSenders: ReadOperation<{ mailbox: string }, WatchedSender[]> = async (
  tx,
  { mailbox },
) => {
  const { id } = await mailboxOf(tx, mailbox);
  return tx.all(select, { mailboxId: id });
};

/** Who is told of a message of this sender's to this mailbox. */
export const notifiedOf: ReadOperation<{ mailboxId: number; sender: string }, string[]> = async (
  tx,
  { mailboxId, sender },
) => {
  const rows = await tx.all(selectNotified, { mailboxId, senderKey: addressKey(sender) });
  return rows.map(({ notified }) => notified);
};
