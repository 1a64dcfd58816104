import type { Mailbox, RegisterRow, Store } from '../storage/index.js';
import { type Availability, availabilityOf, type Span } from './availability.js';
import { type Counts, DayCounts } from './counts.js';
import { type DelaySummary, Delays } from './delays.js';

/** What happened in a time, for the operator and for AgID. */
export interface Statistics extends Span {
  readonly gestore: string;
  readonly mailboxes: readonly MailboxCount[];
  readonly days: readonly { readonly day: string; readonly counts: Counts }[];
  readonly total: Counts;
  /** From the instant a message stands for to its entry in the register, which the 250 follows. */
  readonly acceptance: DelaySummary;
  /** From acceptance to the arrival of the recipient's consegna. */
  readonly delivery: DelaySummary;
  readonly availability: readonly Availability[];
}

export interface MailboxCount {
  readonly domain: string;
  readonly active: number;
  readonly suspended: number;
  readonly revoked: number;
}

const PAGE = 1000;
/** Acceptances whose consegna is awaited, at most: older ones are dropped from the measure of delays. */
const AWAITED = 200_000;

/** @param now epoch milliseconds */
export async function collect(
  store: Pick<Store, 'read'>,
  gestore: string,
  span: Span,
  now: number,
): Promise<Statistics> {
  const days = new DayCounts();
  const acceptance = new Delays();
  const delivery = new Delays();
  const accepted = new Map<string, number>();
  for await (const row of rows(store, span)) {
    days.add(row);
    if (row.event === 'accettazione') {
      acceptance.add(row.recordedAt - row.at);
      accepted.set(row.identificativo, row.at);
      const [oldest] = accepted.keys();
      if (accepted.size > AWAITED && oldest !== undefined) accepted.delete(oldest);
    }
    const since = accepted.get(row.identificativo);
    if (isConsegna(row) && since !== undefined) delivery.add(row.recordedAt - since);
  }
  const presences = await store.read('presenceBetween', span);
  return {
    gestore,
    ...span,
    mailboxes: byDomain(await store.read('listMailboxes', {})),
    days: days.days(),
    total: days.total(),
    acceptance: acceptance.summary(),
    delivery: delivery.summary(),
    availability: availabilityOf(presences, span, now),
  };
}

const isConsegna = ({ event, detail }: RegisterRow): boolean =>
  event === 'ricezione-notifica' && detail.tipo === 'avvenuta-consegna' && detail.ripetuta === undefined;

/** In the order of each lane: what a message brings about comes after it. */
async function* rows(store: Pick<Store, 'read'>, { from, to }: Span): AsyncGenerator<RegisterRow> {
  for (let after: { lane: number; seq: number } | undefined; ; ) {
    const page: RegisterRow[] = await store.read('searchRegister', { from, to, limit: PAGE, after });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = { lane: last.lane, seq: last.seq };
  }
}

function byDomain(mailboxes: readonly Mailbox[]): MailboxCount[] {
  const counts = new Map<string, { domain: string; active: number; suspended: number; revoked: number }>();
  for (const { domain, state, kind } of mailboxes) {
    if (kind !== 'user') continue;
    const count = counts.get(domain) ?? { domain, active: 0, suspended: 0, revoked: 0 };
    count[state] += 1;
    counts.set(domain, count);
  }
  return [...counts.values()].sort((a, b) => (a.domain < b.domain ? -1 : 1));
}
