/** What is computed once of each content that stands in a mailbox, and the full text beside it. */
import { sql } from 'kysely';
import type { Summary } from '../records.js';
import { statement } from '../statement.js';
import type { Operation, ReadOperation, ReadTransaction, Transaction } from '../transaction.js';
import { type ByContent, readByContent } from './runs.js';

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

// --- reading ---------------------------------------------------------------------------------------------------

/** What a summary is made of. */
export type SummaryPart = Exclude<keyof Summary, 'indexed'>;

/** Those parts of a summary that were asked for. */
export type StoredSummary = { readonly contentId: number } & {
  readonly [K in Exclude<SummaryPart, 'header'>]?: Summary[K];
} & {
  /** Latin-1; null when it is long. */
  readonly header?: string | null;
};

/** `octets` is the header's length. */
type SummaryRow = StoredSummary & { readonly octets?: number | null };

const partColumns = {
  envelope: sql<string>`envelope`.as('envelope'),
  body: sql<string>`body`.as('body'),
  bodyStructure: sql<string>`body_structure`.as('bodyStructure'),
  parts: sql<string>`parts`.as('parts'),
  sort: sql<string>`sort`.as('sort'),
  preview: sql<string>`preview`.as('preview'),
  // As text it costs half. What is no ASCII in it is read again as octets.
  header: sql<string | null>`cast(header as text)`.as('header'),
  octets: sql<number | null>`length(header)`.as('octets'),
} as const;

/** A column of a summary costs as much as a row of most tables: only those that are asked for are read. */
function selectParts(parts: readonly SummaryPart[]): ByContent<SummaryRow> {
  const wanted = parts.includes('header') ? ([...parts, 'octets'] as const) : parts;
  const columns = wanted.map((part) => partColumns[part]);
  return {
    among: statement((db, p) =>
      db
        .selectFrom('summary')
        .select(['content_id as contentId', ...columns])
        .where('content_id', 'in', p.numbers('contentIds')),
    ),
    between: statement((db, p) =>
      db
        .selectFrom('summary')
        .select(['content_id as contentId', ...columns])
        .where('content_id', '>=', p('first'))
        .where('content_id', '<=', p('last')),
    ),
  };
}

const byParts = new Map<string, ByContent<SummaryRow>>();

function selecting(parts: readonly SummaryPart[]): ByContent<SummaryRow> {
  const sorted = [...new Set(parts)].sort();
  const key = sorted.join();
  const known = byParts.get(key) ?? selectParts(sorted);
  byParts.set(key, known);
  return known;
}

const selectHeader = statement<{ contentId: number }, { header: Uint8Array | null }>((db, p) =>
  db.selectFrom('summary').select('header').where('content_id', '=', p('contentId')),
);

/** UTF-8 that is no ASCII has fewer characters than octets, and what is no UTF-8 became replacement characters. */
const isAscii = (text: string, octets: number): boolean => text.length === octets && !text.includes('\ufffd');

/** The summaries of these contents, in any order; those that have none are missing. SQLite only. */
export const storedSummaries: ReadOperation<
  { contentIds: readonly number[]; parts: readonly SummaryPart[] },
  StoredSummary[]
> = async (tx, { contentIds, parts }) => {
  const rows = await readByContent(tx, selecting(parts), contentIds);
  if (!parts.includes('header')) return rows;
  const exact: StoredSummary[] = [];
  for (const { octets, ...row } of rows) {
    if (typeof row.header !== 'string' || isAscii(row.header, octets ?? -1)) exact.push(row);
    else exact.push({ ...row, header: await headerOctets(tx, row.contentId) });
  }
  return exact;
};

async function headerOctets(tx: ReadTransaction, contentId: number): Promise<string | null> {
  const header = (await tx.first(selectHeader, { contentId }))?.header ?? null;
  return header && Buffer.from(header.buffer, header.byteOffset, header.byteLength).toString('latin1');
}

const selectIndexed: ByContent<{ contentId: number }> = {
  among: statement((db, p) =>
    db
      .selectFrom('summary')
      .select('content_id as contentId')
      .where('content_id', 'in', p.numbers('contentIds'))
      .where('indexed', '=', 1),
  ),
  between: statement((db, p) =>
    db
      .selectFrom('summary')
      .select('content_id as contentId')
      .where('content_id', '>=', p('first'))
      .where('content_id', '<=', p('last'))
      .where('indexed', '=', 1),
  ),
};

/** Those of these contents whose text is in the full text index. */
export const indexedContents: ReadOperation<{ contentIds: readonly number[] }, number[]> = async (
  tx,
  { contentIds },
) => (await readByContent(tx, selectIndexed, contentIds)).map(({ contentId }) => contentId);

const selectMatching = statement<{ query: string; first: number; last: number }, { contentId: number }>(
  (db, p) =>
    sql<{ contentId: number }>`select rowid as "contentId" from content_text
      where content_text match ${p('query')} and rowid between ${p('first')} and ${p('last')}`.compile(db),
);

/**
 * Which of these contents may hold the text: those whose full text has every trigram that the query names. Only contents
 * whose summary says `indexed` can be told apart so. The index is run through once from the smallest id to the largest: asking it
 * for single ids costs a hundred times as much each. SQLite only.
 */
export const matchingContents: ReadOperation<
  { query: string; contentIds: readonly number[] },
  number[]
> = async (tx, { query, contentIds }) => {
  if (contentIds.length === 0) return [];
  const asked = new Set(contentIds);
  const [first, last] = [Math.min(...asked), Math.max(...asked)];
  const rows = await tx.all(selectMatching, { query, first, last });
  return rows.map(({ contentId }) => contentId).filter((id) => asked.has(id));
};
