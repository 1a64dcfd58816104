/** The commits of the access point: a message of our users accepted or refused, all of it or nothing. */

import { addressKey } from '../../pec/index.js';
import { StoreConflict } from '../errors.js';
import type { Changes, NewOutgoing } from '../records.js';
import type { Operation, Transaction } from '../transaction.js';
import { apply } from './changes.js';
import { expectState } from './mail.js';
import { insertOutgoing, insertTracking } from './tracking.js';

/**
 * Accepts a message: after this the sender is owed every receipt of it.
 * @throws StoreConflict 'mailbox' when the sender may no longer send, 'outgoing' when the identificativo is taken,
 *   and what `Changes` can throw.
 */
export const commitSubmission: Operation<Changes & { outgoing: NewOutgoing }, void> = async (tx, input) => {
  await expectState(tx, input.outgoing.mailboxId, 'active');
  const applied = await apply(tx, input);
  await track(tx, input.outgoing, await applied.contentId(input.outgoing.content));
};

/** Refuses a message with a non-accettazione: no queue, no tracking. */
export const commitRefusal: Operation<Changes, void> = async (tx, input) => {
  await apply(tx, input);
};

async function track(tx: Transaction, outgoing: NewOutgoing, contentId: number): Promise<void> {
  const { identificativo } = outgoing;
  const { changes } = await tx.run(insertOutgoing, {
    identificativo,
    mailbox_id: outgoing.mailboxId,
    sender: outgoing.sender,
    msgid: outgoing.msgid,
    subject: outgoing.subject,
    reply_to: outgoing.replyTo,
    accepted_at: outgoing.acceptedAt,
    content_id: contentId,
  });
  if (changes === 0)
    throw new StoreConflict('outgoing', `${identificativo} exists already`, { identificativo });
  for (const { recipient, kind, gestore, firstNoticeAt, secondNoticeAt } of outgoing.recipients) {
    const next = firstNoticeAt ?? secondNoticeAt;
    // Decisions 14: a recipient is listed once, however often and in whatever case it was given.
    await tx.run(insertTracking, {
      identificativo,
      recipient_key: addressKey(recipient),
      recipient,
      kind,
      gestore,
      first_notice_at: firstNoticeAt,
      second_notice_at: secondNoticeAt,
      next_notice_at: next,
      next_step: next === null ? null : firstNoticeAt === null ? '24h' : '12h',
    });
  }
}
