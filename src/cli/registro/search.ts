import { DateTime } from 'luxon';
import type { RegisterQuery, RegisterRow, Store } from '../../storage/index.js';
import { type Run, UsageError } from '../command.js';
import { withStore } from '../store.js';
import { entryColumns, entryView } from './view.js';

const page = 1000;

export const run: Run = (call) => {
  const query = {
    identificativo: call.option('identificativo'),
    sender: call.option('sender'),
    recipient: call.option('recipient'),
    event: call.option('event'),
    from: instant(call.option('from'), '--from', 0),
    to: instant(call.option('to'), '--to', 1),
  };
  const most = limit(call.option('limit'));
  return withStore(call, async ({ store }) => {
    const rows = await searchAll(store, query, most);
    // Lanes grow beside each other: what happened first comes first.
    rows.sort((a, b) => a.at - b.at || a.lane - b.lane || a.seq - b.seq);
    call.list(rows.map(entryView), entryColumns);
    return 0;
  });
};

async function searchAll(
  store: Store,
  query: Omit<RegisterQuery, 'limit' | 'after'>,
  most: number,
): Promise<RegisterRow[]> {
  const found: RegisterRow[] = [];
  for (;;) {
    const last = found.at(-1);
    const after = last && { lane: last.lane, seq: last.seq };
    const rows = await store.read('searchRegister', {
      ...query,
      limit: Math.min(page, most - found.length),
      after,
    });
    found.push(...rows);
    if (rows.length < page || found.length >= most) return found;
  }
}

/**
 * An instant in the legal time of Italy, as everything users see. A date alone means its first moment, or with
 * `daysOn` 1 the first of the next day, so that `--to` includes the day it names.
 */
function instant(text: string | undefined, option: string, daysOn: 0 | 1): number | undefined {
  if (text === undefined) return undefined;
  const time = DateTime.fromISO(text, { zone: 'Europe/Rome' });
  if (!time.isValid)
    throw new UsageError(`${option} ${text}: not a date such as 2026-11-22 or 2026-11-22T10:30:00`);
  return (/^\d{4}-\d{2}-\d{2}$/.test(text) ? time.plus({ days: daysOn }) : time).toMillis();
}

function limit(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new UsageError(`--limit ${text}: not a number`);
  return Number(text);
}
