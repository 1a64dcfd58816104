/** Notifications that came back about our users' messages. */
import type { Changes, RecipientFact } from '../records.js';
import { statement } from '../statement.js';
import type { Operation } from '../transaction.js';
import { apply } from './changes.js';
import { record } from './tracking.js';

const insertSeen = statement<{ digest: string; at: number }>((db, p) =>
  db
    .insertInto('seen_notification')
    .values({ digest: p('digest'), at: p('at') })
    .onConflict((conflict) => conflict.doNothing()),
);

/**
 * Stores a notification and what it tells. Of a byte-identical one only the events are written (decisions 7).
 * @returns `effective`: for each fact, whether the tracking moved.
 * @throws StoreConflict 'receipt' when another notification holds the same place, 'state' when a fact that must move
 *   the tracking does not, and what `Changes` can throw.
 */
export const commitNotification: Operation<
  Changes & {
    /** SHA-256 of the notification's bytes. */
    digest: string;
    facts: readonly RecipientFact[];
    /** The facts were judged against the tracking: one that no longer moves it undoes the whole commit. */
    mustMove?: boolean | undefined;
  },
  { repeated: boolean; effective: boolean[] }
> = async (tx, input) => {
  const at = latest([...input.events, ...input.facts, ...input.receipts]);
  const { changes } = await tx.run(insertSeen, { digest: input.digest, at });
  if (changes === 0) {
    for (const event of input.events) await tx.append(event);
    return { repeated: true, effective: input.facts.map(() => false) };
  }
  await apply(tx, input);
  return { repeated: false, effective: await record(tx, input.facts, input.mustMove) };
};

const latest = (entries: readonly { readonly at: number }[]): number =>
  entries.reduce((last, { at }) => Math.max(last, at), 0);
