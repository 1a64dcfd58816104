/** What must hold between the tables and no constraint can say: looked at by the doctor, never in the way of mail. */
import { sql } from 'kysely';
import type { BlobHash, Inconsistency, Piece } from '../records.js';
import { type Statement, statement } from '../statement.js';
import type { ReadOperation } from '../transaction.js';

interface Row {
  about: string;
  /** Of all rows, also of those past the limit. */
  total: number;
}

/** Offenders named of each rule. */
const EXAMPLES = 5;

/** A rule is the query of what breaks it: one column `about`, a name for each offender. */
function rule(breakers: (dialect: 'sqlite' | 'postgres') => string): Statement<Record<never, never>, Row> {
  return statement((db, _, dialect) =>
    sql<Row>`select about, count(*) over () as total from (${sql.raw(breakers(dialect))}) as breakers limit ${sql.lit(EXAMPLES)}`.compile(
      db,
    ),
  );
}

/** Where one text stands in another, from 1; 0 when it does not. */
const place = { sqlite: 'instr', postgres: 'strpos' } as const;

/** Entries older than the register's first are purged, and so are their receipts (retention). */
/** After a purge the register begins where it ended, whatever older entries a legal hold has kept. */
const sinceRegister = (column: string): string =>
  `${column} >= coalesce((select max(recorded_to) from day_seal where part = 0 and state <> 'whole'), (select min(at) from registro))`;

const rules = {
  quota: rule(
    () => `select m.address as about from mailbox m
      where m.used <> coalesce((select sum(g.size) from message g where g.mailbox_id = m.id), 0)`,
  ),
  folder: rule(
    () => `select m.address || ' ' || f.name as about from folder f join mailbox m on m.id = f.mailbox_id
      where exists (select 1 from message g where g.folder_id = f.id
        and (g.uid >= f.uid_next or g.modseq > f.highest_modseq))`,
  ),
  "another mailbox's message": rule(
    () => `select 'message ' || g.id as about from message g join folder f on f.id = g.folder_id
      where g.mailbox_id <> f.mailbox_id`,
  ),
  size: rule(
    () => `select 'message ' || g.id as about from message g join content c on c.id = g.content_id
        where g.size <> c.size
      union all select 'queue row ' || q.id from queue q join content c on c.id = q.content_id
        where q.size <> c.size
      union all select 'receipt ' || r.id from receipt r join content c on c.id = r.content_id
        where r.size <> c.size`,
  ),
  'forgotten content': rule(
    () => `select 'content ' || c.id as about from content c
      where not exists (select 1 from message where content_id = c.id)
        and not exists (select 1 from queue where content_id = c.id)
        and not exists (select 1 from outgoing where content_id = c.id)
        and not exists (select 1 from receipt where content_id = c.id)
        and not exists (select 1 from quarantine where content_id = c.id)
        and not exists (select 1 from content_release where content_id = c.id)`,
  ),
  'forgotten blob': rule(
    () => `select b.hash as about from blob b
      where not exists (select 1 from content_blob where hash = b.hash)
        and not exists (select 1 from blob_link where hash = b.hash)`,
  ),
  queue: rule(
    () => `select 'queue row ' || id as about from queue
      where (state = 'leased') <> (lease_owner <> '' and lease_until > 0)`,
  ),
  'untracked message': rule(
    () => `select o.identificativo as about from outgoing o
      where not exists (select 1 from tracking t where t.identificativo = o.identificativo)`,
  ),
  'needless deadline': rule(
    () => `select t.identificativo || ' ' || t.recipient as about from tracking t
      where (t.outcome is not null or t.kind = 'esterno')
        and (t.next_notice_at is not null or t.next_step is not null)`,
  ),
  'half a deadline': rule(
    () => `select t.identificativo || ' ' || t.recipient as about from tracking t
      where t.outcome is null and t.kind = 'certificato'
        and (t.next_notice_at is null) <> (t.next_step is null)`,
  ),
  // RFC 6109 3.1.6: who has heard nothing for a day is told so.
  'no deadline': rule(
    () => `select t.identificativo || ' ' || t.recipient as about from tracking t
      where t.kind = 'certificato' and t.outcome is null and t.next_notice_at is null and t.next_step is null
        and ${sinceRegister('t.second_notice_at')}
        and not exists (select 1 from receipt r where r.identificativo = t.identificativo
          and r.recipient_key = t.recipient_key and r.direction = 'issued'
          and r.kind = 'preavviso-errore-consegna' and r.step = '24h')`,
  ),
  'undated outcome': rule(
    () => `select t.identificativo || ' ' || t.recipient as about from tracking t
      where (t.outcome is null) <> (t.outcome_at is null)`,
  ),
  // A fact and the receipt it was read from are one commit.
  'outcome without receipt': rule(
    () => `select t.identificativo || ' ' || t.recipient as about from tracking t
      where t.outcome is not null and ${sinceRegister('t.outcome_at')}
        and not exists (select 1 from receipt r where r.identificativo = t.identificativo
          and r.recipient_key = t.recipient_key and r.kind = replace(t.outcome, '-virus', ''))`,
  ),
  'receipt without outcome': rule(
    () => `select t.identificativo || ' ' || t.recipient as about from tracking t
      where t.kind = 'certificato' and t.outcome is null
        and exists (select 1 from receipt r where r.identificativo = t.identificativo
          and r.recipient_key = t.recipient_key and r.direction = 'received'
          and r.kind in ('avvenuta-consegna', 'errore-consegna'))`,
  ),
  // Decisions 7: what is sent again must be what was sent.
  reception: rule(
    () => `select e.identificativo || ' ' || e.recipient as about from reception e
      where not exists (select 1 from receipt r where r.id = e.presa_receipt_id and r.direction = 'issued'
          and r.kind = 'presa-in-carico' and r.origin = e.origin and r.identificativo = e.identificativo)
        or not exists (select 1 from receipt r where r.id = e.outcome_receipt_id and r.direction = 'issued'
          and r.kind in ('avvenuta-consegna', 'errore-consegna', 'rilevazione-virus') and r.origin = e.origin
          and r.identificativo = e.identificativo and r.recipient_key = e.recipient_key)`,
  ),
  // RFC 6109 2.3: whatever was issued or received is in the log.
  'unregistered message': rule(
    () => `select o.identificativo as about from outgoing o
      where ${sinceRegister('o.accepted_at')} and not exists (select 1 from registro e
        where e.identificativo = o.identificativo and e.event = 'accettazione')`,
  ),
  'unregistered receipt': rule(
    (dialect) => `select r.kind || ' ' || r.identificativo as about from receipt r
      where ${sinceRegister('r.at')} and not exists (select 1 from registro e
        where e.identificativo = r.identificativo
          and ((r.direction = 'received' and e.event = 'ricezione-notifica')
            or (r.direction = 'issued' and e.event = r.kind
              and ${place[dialect]}(e.related, r.message_id) > 0)))`,
  ),
} as const;

export type InspectionRule = keyof typeof rules;
export const inspectionRules = Object.keys(rules) as readonly InspectionRule[];

/** What breaks a rule; null when nothing does. It reads whole tables: minutes on a large store. */
export const inspectRule: ReadOperation<{ rule: InspectionRule }, Inconsistency | null> = async (
  tx,
  { rule: name },
) => inconsistency(name, await tx.all(rules[name], {}));

/** The first hundred: one damaged page is many. */
const integrity = statement<Record<never, never>, { fault: string }>((db) =>
  sql<{
    fault: string;
  }>`select integrity_check as fault from pragma_integrity_check where integrity_check <> 'ok'`.compile(db),
);

const brokenReferences = rule(
  () =>
    `select "table" || ' ' || coalesce(rowid, '') || ' -> ' || parent as about from pragma_foreign_key_check`,
);

/** What SQLite says of an index that lacks rows of its table, or has too many: the rows themselves are there. */
const INDEX_FAULT = /^(row \d+ missing from index|wrong # of entries in index|non-unique entry in index) /;

/** The file as such: its pages, its indexes, its references. SQLite only. */
export const inspectFile: ReadOperation<Record<never, never>, Inconsistency[]> = async (tx) => {
  const faults = (await tx.all(integrity, {})).map(({ fault }) => fault);
  const indexes = faults.filter((fault) => INDEX_FAULT.test(fault));
  const pages = faults.filter((fault) => !INDEX_FAULT.test(fault));
  const found = [
    listed('database', pages),
    // Of a damaged file the indexes cannot be believed to be all.
    pages.length === 0 ? listed('index', indexes) : null,
  ];
  if (pages.length === 0) found.push(inconsistency('reference', await tx.all(brokenReferences, {})));
  return found.filter((one) => one !== null);
};

const listed = (name: string, all: readonly string[]): Inconsistency | null =>
  all.length === 0 ? null : { rule: name, count: all.length, examples: all.slice(0, EXAMPLES) };

function inconsistency(name: string, rows: readonly Row[]): Inconsistency | null {
  const [first] = rows;
  return first === undefined
    ? null
    : { rule: name, count: first.total, examples: rows.map(({ about }) => about) };
}

const selectLeases = statement<
  { owner: string; limit: number },
  { id: number; owner: string; until: number }
>((db, p) =>
  db
    .selectFrom('queue')
    .select(['id', 'lease_owner as owner', 'lease_until as until'])
    .where('state', '=', 'leased')
    .where('lease_owner', '<>', '')
    .where('lease_owner', '<>', p('owner'))
    .limit(p('limit')),
);

/** Rows leased by somebody else than `owner`: another node, or this one under an earlier name. */
export const foreignLeases: ReadOperation<
  { owner: string; limit: number },
  { id: number; owner: string; until: number }[]
> = (tx, input) => tx.all(selectLeases, input);

const selectContents = statement<
  { after: number; limit: number },
  { id: number; size: number; text: number; layout: string }
>((db, p) =>
  db
    .selectFrom('content')
    .select(['id', 'size', 'layout', sql<number>`length(text)`.as('text')])
    .where('id', '>', p('after'))
    .orderBy('id')
    .limit(p('limit')),
);

const selectBlobSizes = statement<{ contentId: number }, { hash: string; size: number }>((db, p) =>
  db
    .selectFrom('content_blob')
    .innerJoin('blob', 'blob.hash', 'content_blob.hash')
    .select(['blob.hash', 'blob.size'])
    .where('content_blob.content_id', '=', p('contentId')),
);

/**
 * A page of contents by growing id: whether each can be put together from what it names, to its full size.
 * @returns the ids of those that cannot, and the last id of the page; null past the end
 */
export const inspectContents: ReadOperation<
  { after: number; limit: number },
  { broken: number[]; last: number | null }
> = async (tx, page) => {
  const rows = await tx.all(selectContents, page);
  const broken: number[] = [];
  for (const { id, size, text, layout } of rows) {
    const blobs = await tx.all(selectBlobSizes, { contentId: id });
    if (!isWhole(layout, size, text, new Map(blobs.map((blob) => [blob.hash, blob.size])))) broken.push(id);
  }
  return { broken, last: rows.at(-1)?.id ?? null };
};

function isWhole(layout: string, size: number, text: number, blobs: ReadonlyMap<string, number>): boolean {
  let length = 0;
  for (const piece of piecesOf(layout)) {
    const [offset, octets] = 'text' in piece ? piece.text : [piece.offset, piece.length];
    const room = 'text' in piece ? text : (blobs.get(piece.blob) ?? -1);
    if (offset < 0 || octets < 0 || offset + octets > room) return false;
    length += octets;
  }
  return length === size;
}

/** A layout that is no JSON reads as one that reaches beyond everything. */
function piecesOf(layout: string): readonly Piece[] {
  try {
    return JSON.parse(layout) as Piece[];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [{ text: [-1, -1] }];
  }
}

const selectBlobs = statement<
  { after: string; limit: number },
  { hash: BlobHash; size: number; large: number }
>((db, p) =>
  db
    .selectFrom('blob')
    .select((e) => ['hash', 'size', e.case().when('bytes', 'is', null).then(1).else(0).end().as('large')])
    .where('hash', '>', p('after'))
    .orderBy('hash')
    .limit(p('limit')),
);

/** A page of the blobs there are, by growing hash. */
export const listBlobs: ReadOperation<
  { after: BlobHash; limit: number },
  { hash: BlobHash; size: number; large: boolean }[]
> = async (tx, page) => (await tx.all(selectBlobs, page)).map((row) => ({ ...row, large: row.large === 1 }));

const selectNaming = statement<{ hash: string }, { hash: string }>((db, p) =>
  db.selectFrom('content_blob').select('hash').where('hash', '=', p('hash')).limit(1),
);

/** Whether a content names it: a blob that none does may wait for its file, or for the sweeper. */
export const isBlobNamed: ReadOperation<{ hash: BlobHash }, boolean> = async (tx, { hash }) =>
  (await tx.first(selectNaming, { hash })) !== undefined;
