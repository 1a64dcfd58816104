/** What a mailbox's IMAP sessions are not offered. */
import { statement } from '../statement.js';
import type { Operation, ReadOperation } from '../transaction.js';
import { mailboxOf } from './accounts.js';

interface Hidden {
  readonly mailboxId: number;
  readonly capability: string;
}

const insertHidden = statement<Hidden>((db, p) =>
  db
    .insertInto('hidden_capability')
    .values({ mailbox_id: p('mailboxId'), capability: p('capability') })
    .onConflict((conflict) => conflict.doNothing()),
);
const deleteHidden = statement<Hidden>((db, p) =>
  db
    .deleteFrom('hidden_capability')
    .where('mailbox_id', '=', p('mailboxId'))
    .where('capability', '=', p('capability')),
);
const selectHidden = statement<{ mailboxId: number }, { capability: string }>((db, p) =>
  db
    .selectFrom('hidden_capability')
    .select('capability')
    .where('mailbox_id', '=', p('mailboxId'))
    .orderBy('capability'),
);

/** Hides a capability from a mailbox, or shows it again. @throws StoreConflict 'mailbox' when there is none */
export const setCapability: Operation<
  { address: string; capability: string; hidden: boolean },
  { address: string }
> = async (tx, { address, capability, hidden }) => {
  const mailbox = await mailboxOf(tx, address);
  await tx.run(hidden ? insertHidden : deleteHidden, { mailboxId: mailbox.id, capability });
  return { address: mailbox.address };
};

export const hiddenCapabilities: ReadOperation<{ mailboxId: number }, string[]> = async (tx, { mailboxId }) =>
  (await tx.all(selectHidden, { mailboxId })).map(({ capability }) => capability);
