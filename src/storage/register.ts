/**
 * Appending to the register: what each entry commits to, and the chain they make. An operation hands in events; the
 * engine links the entries of all the operations that survived once for each batch, just before the commit, from the
 * head read in that same transaction (another process may have written since).
 *
 * Crash point: none. Entries and what they tell of are in one transaction.
 */
import { sql } from 'kysely';
import { CHAIN_START, type LedgerEvent, leafHash, linkHash } from '../ledger/index.js';
import type { RegisterEvent } from './records.js';
import type { RegistroTable } from './schema.js';
import { statement } from './statement.js';

/** Octets of salt in each leaf. */
export const SALT_BYTES = 16;

/** The last entry of a lane. */
export interface LaneHead {
  readonly seq: number;
  readonly link: Uint8Array;
  readonly recordedAt: number;
}

export const laneHead = statement<{ lane: number }, LaneHead>((db, p) =>
  db
    .selectFrom('registro')
    .select(['seq', 'link', 'recorded_at as recordedAt'])
    .where('lane', '=', p('lane'))
    .orderBy('seq', 'desc')
    .limit(1),
);

/** Where the last sealed day ends: nothing may be recorded before. */
export const sealedUntil = statement<Record<never, never>, { until: number }>((db) =>
  db
    .selectFrom('day_seal')
    .select('recorded_to as until')
    .where('part', '=', sql<number>`0`)
    .orderBy('day', 'desc')
    .limit(1),
);

export const insertEntry = statement<RegistroTable>((db, p) =>
  db.insertInto('registro').values({
    lane: p('lane'),
    seq: p('seq'),
    identificativo: p('identificativo'),
    at: p('at'),
    event: p('event'),
    sender: p('sender'),
    recipients: p('recipients'),
    subject: p('subject'),
    related: p('related'),
    gestore: p('gestore'),
    detail: p('detail'),
    recorded_at: p('recorded_at'),
    salt: p('salt'),
    leaf: p('leaf'),
    link: p('link'),
  }),
);

/**
 * The event as it will be stored and hashed. It throws here, inside the operation that appends, what would else spoil
 * the commit of all the others.
 * @throws TypeError for what is no event.
 */
export function checkedEvent(event: RegisterEvent): RegisterEvent {
  const texts = [event.identificativo, event.event, event.sender, event.subject, event.gestore];
  const lists = [event.recipients, event.related, Object.values(event.detail)];
  const sound =
    Number.isSafeInteger(event.at) &&
    texts.every((text) => typeof text === 'string') &&
    lists.every((list) => Array.isArray(list) && list.every((text) => typeof text === 'string'));
  if (!sound) throw new TypeError(`not an event of the register: ${JSON.stringify(event)}`);
  return {
    ...event,
    identificativo: storable(event.identificativo),
    sender: storable(event.sender),
    subject: storable(event.subject),
    gestore: storable(event.gestore),
  };
}

/**
 * A database replaces half a surrogate pair, and what cannot be read back as it was hashed would break the proof of
 * every entry after it. (The lists are stored as JSON, which escapes it.)
 */
const storable = (text: string): string =>
  /\p{Surrogate}/u.test(text) ? Buffer.from(text, 'utf8').toString('utf8') : text;

/**
 * The rows that continue a lane. `recordedAt` never goes back along a lane, whatever the clock does, nor before `floor`,
 * the end of the last sealed day: a late commit never enters a sealed day.
 */
export function linkEntries(
  lane: number,
  head: LaneHead | undefined,
  events: readonly RegisterEvent[],
  now: number,
  salt: () => Uint8Array,
  floor = 0,
): RegistroTable[] {
  let seq = head?.seq ?? 0;
  let link = head?.link ?? CHAIN_START;
  const recordedAt = Math.max(now, head?.recordedAt ?? 0, floor);
  return events.map((event) => {
    seq += 1;
    const own = salt();
    const leaf = leafHash(own, ledgerEvent(event, { lane, seq, recordedAt }));
    link = linkHash(link, leaf);
    return {
      lane,
      seq,
      identificativo: event.identificativo,
      at: event.at,
      event: event.event,
      sender: event.sender,
      recipients: JSON.stringify(event.recipients),
      subject: event.subject,
      related: JSON.stringify(event.related),
      gestore: event.gestore,
      detail: JSON.stringify(event.detail),
      recorded_at: recordedAt,
      salt: own,
      leaf,
      link,
    };
  });
}

/** What an entry's leaf commits to: whoever verifies a row hashes this. */
export function ledgerEvent(
  event: RegisterEvent,
  place: { readonly lane: number; readonly seq: number; readonly recordedAt: number },
): LedgerEvent {
  return {
    lane: place.lane,
    seq: place.seq,
    recordedAt: place.recordedAt,
    identificativo: event.identificativo,
    at: event.at,
    event: event.event,
    sender: event.sender,
    recipients: event.recipients,
    subject: event.subject,
    related: event.related,
    gestore: event.gestore,
    detail: event.detail,
  };
}
