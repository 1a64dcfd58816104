/** What is computed once of each content that stands in a mailbox, and the full text beside it. */
import { sql } from 'kysely';
import type { Summary } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, Transaction } from '../transaction.js';

const insertDue = statement<{ contentId: number }>((db, p) =>
  sql`insert into summary_due (content_id) select ${p('contentId')}
    where not exists (select 1 from summary where content_id = ${p('contentId')})
    on conflict do nothing`.compile(db),
);

/** Says that a content came into a mailbox and wants its summary. */
export async function owe(tx: Transaction, contentId: number): Promise<void> {
  await tx.run(insertDue, { contentId });
}

const selectDue = statement<{ limit: number }, { contentId: number }>((db, p) =>
  db.selectFrom('summary_due').select('content_id as contentId').orderBy('content_id').limit(p('limit')),
);

/** Contents without a summary, the oldest first. */
export const dueSummaries: ReadOperation<{ limit: number }, number[]> = async (tx, page) =>
  (await tx.all(selectDue, page)).map(({ contentId }) => contentId);

const deleteDue = statement<{ contentId: number }>((db, p) =>
  db.deleteFrom('summary_due').where('content_id', '=', p('contentId')),
);
const deleteSummary = statement<{ contentId: number }>((db, p) =>
  db.deleteFrom('summary').where('content_id', '=', p('contentId')),
);
const deleteText = statement<{ contentId: number }>((db, p) =>
  db.deleteFrom('content_text').where('rowid', '=', p('contentId')),
);

/** A content that goes takes with it what was computed of it. */
export async function forgetSummary(tx: Transaction, contentId: number): Promise<void> {
  await tx.run(deleteDue, { contentId });
  const { changes } = await tx.run(deleteSummary, { contentId });
  if (changes > 0) await tx.run(deleteText, { contentId });
}

interface SummaryParameters extends Omit<Summary, 'indexed'> {
  readonly contentId: number;
  readonly indexed: number;
}

// A content that was swept meanwhile gets none.
const insertSummary = statement<SummaryParameters>((db, p) =>
  sql`insert into summary (content_id, header, envelope, body, body_structure, parts, sort, preview, indexed)
    select id, ${p('header')}, ${p('envelope')}, ${p('body')}, ${p('bodyStructure')}, ${p('parts')}, ${p('sort')},
      ${p('preview')}, ${p('indexed')}
    from content where id = ${p('contentId')} on conflict do nothing`.compile(db),
);
const insertText = statement<{ contentId: number; text: string }>((db, p) =>
  db.insertInto('content_text').values({ rowid: p('contentId'), text: p('text') }),
);

/** Keeps summaries, each once. @returns how many were new */
export const putSummaries: Operation<
  { entries: readonly { readonly contentId: number; readonly summary: Summary; readonly text: string }[] },
  number
> = async (tx, { entries }) => {
  let kept = 0;
  for (const { contentId, summary, text } of entries) {
    await tx.run(deleteDue, { contentId });
    const { changes } = await tx.run(insertSummary, {
      contentId,
      ...summary,
      indexed: summary.indexed ? 1 : 0,
    });
    if (changes === 0) continue;
    kept += 1;
    if (summary.indexed) await tx.run(insertText, { contentId, text });
  }
  return kept;
};
