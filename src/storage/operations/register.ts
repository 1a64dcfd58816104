/** Reading the register. Its entries are written by the transaction itself (`append`), as part of what they tell of. */

import { sql } from 'kysely';
import { addressKey } from '../../pec/index.js';
import type { RegisterEvent, RegisterHead, RegisterPlace, RegisterQuery, RegisterRow } from '../records.js';
import type { RegistroTable } from '../schema.js';
import { type Statement, statement } from '../statement.js';
import type { Operation, ReadOperation, ReadTransaction } from '../transaction.js';

/** No place comes before the one or after the other. Whoever adds a row by hand may give it a negative one. */
const FIRST = Number.MIN_SAFE_INTEGER;
const LAST = Number.MAX_SAFE_INTEGER;

export const registerColumns = [
  'registro.lane',
  'registro.seq',
  'registro.identificativo',
  'registro.at',
  'registro.event',
  'registro.sender',
  'registro.recipients',
  'registro.subject',
  'registro.related',
  'registro.gestore',
  'registro.detail',
  'registro.recorded_at',
  'registro.salt',
  'registro.leaf',
  'registro.link',
] as const;

/** The text columns are JSON that `append` wrote. */
export function asRegisterRow(row: RegistroTable): RegisterRow {
  const { recorded_at: recordedAt, recipients, related, detail, ...rest } = row;
  return {
    ...rest,
    recordedAt,
    recipients: JSON.parse(recipients),
    related: JSON.parse(related),
    detail: JSON.parse(detail),
  };
}

// --- searching -------------------------------------------------------------------------------------------------

interface Conditions {
  identificativo: string;
  sender: string;
  recipient: string;
  event: string;
  from: number;
  to: number;
  lane: number;
  seq: number;
  limit: number;
}

const searchable = ['identificativo', 'sender', 'recipient', 'event', 'from', 'to', 'after'] as const;
type Searchable = (typeof searchable)[number];

const searches = new Map<string, Statement<Conditions, RegistroTable>>();

/** One statement for each set of conditions: only a condition that is there can use its index. */
function searchBy(given: readonly Searchable[]): Statement<Conditions, RegistroTable> {
  const name = given.join(' ');
  const known = searches.get(name);
  if (known !== undefined) return known;
  const made = statement<Conditions, RegistroTable>((db, p, dialect) => {
    let query = db.selectFrom('registro').select(registerColumns);
    const elements =
      dialect === 'sqlite'
        ? sql`json_each(recipients)`
        : sql`jsonb_array_elements_text(recipients::jsonb) as value`;
    const conditions: Record<Searchable, () => typeof query> = {
      identificativo: () => query.where('identificativo', '=', p('identificativo')),
      sender: () => query.where(sql`lower(sender)`, '=', p('sender')),
      recipient: () =>
        query.where(sql<boolean>`exists (select 1 from ${elements} where lower(value) = ${p('recipient')})`),
      event: () => query.where(sql<string>`event`, '=', p('event')),
      from: () => query.where('at', '>=', p('from')),
      to: () => query.where('at', '<', p('to')),
      after: () => query.where(sql<boolean>`(lane, seq) > (${p('lane')}, ${p('seq')})`),
    };
    for (const condition of given) query = conditions[condition]();
    return query.orderBy('lane').orderBy('seq').limit(p('limit'));
  });
  searches.set(name, made);
  return made;
}

/** Entries that meet every condition given, by lane and place in it. */
export const searchRegister: ReadOperation<RegisterQuery, RegisterRow[]> = async (tx, query) => {
  const given = searchable.filter((condition) => query[condition] !== undefined);
  const rows = await tx.all(searchBy(given), {
    identificativo: query.identificativo ?? '',
    sender: addressKey(query.sender ?? ''),
    recipient: addressKey(query.recipient ?? ''),
    event: query.event ?? '',
    from: query.from ?? 0,
    to: query.to ?? 0,
    lane: query.after?.lane ?? 0,
    seq: query.after?.seq ?? 0,
    limit: query.limit,
  });
  return rows.map(asRegisterRow);
};

// --- walking ---------------------------------------------------------------------------------------------------

const selectNextLane = statement<{ lane: number }, { lane: number | null }>((db, p) =>
  db
    .selectFrom('registro')
    .select((e) => e.fn.min('lane').as('lane'))
    .where('lane', '>=', p('lane')),
);

const selectHead = statement<{ lane: number }, RegisterHead>((db, p) =>
  db
    .selectFrom('registro')
    .select(['lane', 'seq', 'link'])
    .where('lane', '=', p('lane'))
    .orderBy('seq', 'desc')
    .limit(1),
);

const selectFirstSince = statement<{ lane: number; from: number }, { seq: number }>((db, p) =>
  db
    .selectFrom('registro')
    .select('seq')
    .where('lane', '=', p('lane'))
    .where('recorded_at', '>=', p('from'))
    .orderBy('recorded_at')
    .orderBy('seq')
    .limit(1),
);

const selectLastBefore = statement<{ lane: number; to: number }, { seq: number }>((db, p) =>
  db
    .selectFrom('registro')
    .select('seq')
    .where('lane', '=', p('lane'))
    .where('recorded_at', '<', p('to'))
    .orderBy('recorded_at', 'desc')
    .orderBy('seq', 'desc')
    .limit(1),
);

const selectRun = statement<{ lane: number; first: number; last: number; limit: number }, RegistroTable>(
  (db, p) =>
    db
      .selectFrom('registro')
      .select(registerColumns)
      .where('lane', '=', p('lane'))
      .where('seq', '>=', p('first'))
      .where('seq', '<=', p('last'))
      .orderBy('seq')
      .limit(p('limit')),
);

/** The lanes there are, from `first` on; the next one is looked up, not the whole register. */
export async function* lanesFrom(
  tx: ReadTransaction,
  first: number,
): AsyncGenerator<number, void, undefined> {
  let lane = (await tx.first(selectNextLane, { lane: first }))?.lane ?? null;
  while (lane !== null) {
    yield lane;
    lane = (await tx.first(selectNextLane, { lane: lane + 1 }))?.lane ?? null;
  }
}

/**
 * The register in its own order, a page at a time: all of it, or what was recorded in [recordedFrom, recordedTo).
 * Along a lane `recordedAt` never goes back, so a span of time is a run of places in each lane.
 */
export const pageRegister: ReadOperation<
  {
    after?: RegisterPlace | undefined;
    recordedFrom?: number | undefined;
    recordedTo?: number | undefined;
    limit: number;
  },
  RegisterRow[]
> = async (tx, { after, recordedFrom, recordedTo, limit }) => {
  const rows: RegisterRow[] = [];
  for await (const lane of lanesFrom(tx, after?.lane ?? FIRST)) {
    const since = recordedFrom === undefined ? undefined : { lane, from: recordedFrom };
    const before = recordedTo === undefined ? undefined : { lane, to: recordedTo };
    const first = since === undefined ? FIRST : (await tx.first(selectFirstSince, since))?.seq;
    const last = before === undefined ? LAST : (await tx.first(selectLastBefore, before))?.seq;
    if (first === undefined || last === undefined) continue;
    const next = after?.lane === lane ? after.seq + 1 : FIRST;
    const run = { lane, first: Math.max(first, next), last, limit: limit - rows.length };
    rows.push(...(await tx.all(selectRun, run)).map(asRegisterRow));
    if (rows.length >= limit) break;
  }
  return rows;
};

/** The last entry of each lane. */
export const registerHeads: ReadOperation<Record<never, never>, RegisterHead[]> = async (tx) => {
  const heads: RegisterHead[] = [];
  for await (const lane of lanesFrom(tx, 0)) {
    const head = await tx.first(selectHead, { lane });
    if (head !== undefined) heads.push(head);
  }
  return heads;
};

// --- the clock -------------------------------------------------------------------------------------------------

// The event is written out: only so the index of these entries alone is used.
const selectLastClock = statement<Record<never, never>, RegistroTable>((db) =>
  db
    .selectFrom('registro')
    .select(registerColumns)
    .where(sql<boolean>`event = 'orologio'`)
    .orderBy('lane', 'desc')
    .orderBy('seq', 'desc')
    .limit(1),
);

/** Keeps how the clock stood: an entry about no message. */
export const recordClock: Operation<RegisterEvent & { readonly event: 'orologio' }, void> = (tx, event) =>
  tx.append(event);

/** How the clock stood last. */
export const lastClock: ReadOperation<Record<never, never>, RegisterRow | undefined> = async (tx) => {
  const row = await tx.first(selectLastClock, {});
  return row === undefined ? undefined : asRegisterRow(row);
};
