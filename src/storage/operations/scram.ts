/** What SCRAM checks a login against: made from one password, and gone with it. */
import type { ScramCredential } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, ReadTransaction, Transaction } from '../transaction.js';

const selectScram = statement<{ mailboxId: number }, ScramCredential>((db, p) =>
  db
    .selectFrom('scram')
    .select(['iterations', 'salt', 'stored_key as storedKey', 'server_key as serverKey'])
    .where('mailbox_id', '=', p('mailboxId')),
);

const insertScram = statement<ScramCredential & { mailboxId: number }>((db, p) =>
  db
    .insertInto('scram')
    .values({
      mailbox_id: p('mailboxId'),
      iterations: p('iterations'),
      salt: p('salt'),
      stored_key: p('storedKey'),
      server_key: p('serverKey'),
    })
    .onConflict((conflict) => conflict.doNothing()),
);

const deleteScram = statement<{ mailboxId: number }>((db, p) =>
  db.deleteFrom('scram').where('mailbox_id', '=', p('mailboxId')),
);

const selectPassword = statement<{ mailboxId: number }, { passwordHash: string }>((db, p) =>
  db.selectFrom('mailbox').select('password_hash as passwordHash').where('id', '=', p('mailboxId')),
);

/** Undefined for a mailbox that has none, or is not there. */
export const scramOf = (tx: ReadTransaction, mailboxId: number): Promise<ScramCredential | undefined> =>
  tx.first(selectScram, { mailboxId });

/** The password changed: what was made from the old one goes, whether there is something new or not. */
export async function replaceScram(
  tx: Transaction,
  mailboxId: number,
  credential: ScramCredential | undefined,
): Promise<void> {
  await tx.run(deleteScram, { mailboxId });
  if (credential !== undefined) await tx.run(insertScram, { mailboxId, ...credential });
}

/**
 * Adds what was computed from a password that has just been verified, unless the mailbox has it, or another password by now.
 * @param input.passwordHash the hash the password was verified against
 * @returns whether it was added
 */
export const addScram: Operation<
  { mailboxId: number; passwordHash: string; credential: ScramCredential },
  boolean
> = async (tx, { mailboxId, passwordHash, credential }) => {
  if ((await tx.first(selectPassword, { mailboxId }))?.passwordHash !== passwordHash) return false;
  const { changes } = await tx.run(insertScram, { mailboxId, ...credential });
  return changes > 0;
};
