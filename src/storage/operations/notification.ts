/** Notifications that came back about our users' messages. */
import { StoreConflict } from '../errors.js';
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
 *   the tracking does not, or when this one came in since the caller judged it, and what `Changes` can throw.
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
    // Its events tell of notices that were made for it: with a fact among them they would tell of what never was.
    if (input.mustMove === true && input.facts.length > 0) throw alreadySeen(input.digest);
    for (const event of input.events) await tx.append({ ...event, detail: { ...event.detail, ...REPEATED } });
    return { repeated: true, effective: input.facts.map(() => false) };
  }
  await apply(tx, input);
  return { repeated: false, effective: await record(tx, input.facts, input.mustMove) };
};

const REPEATED = { ripetuta: 'identica' } as const;

const alreadySeen = (digest: string): StoreConflict =>
  new StoreConflict('state', 'the notification came in meanwhile', { digest });

const latest = (entries: readonly { readonly at: number }[]): number =>
  entries.reduce((last, { at }) => Math.max(last, at), 0);
