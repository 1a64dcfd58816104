import type { RegisterQuery, RegisterRow, Store } from '../../storage/index.js';
import { type Run, UsageError } from '../command.js';
import { instant } from '../dates.js';
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

function limit(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new UsageError(`--limit ${text}: not a number`);
  return Number(text);
}
