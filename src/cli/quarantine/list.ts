import type { QuarantinedRow, Store } from '../../storage/index.js';
import type { Run } from '../command.js';
import { instant } from '../dates.js';
import { withStore } from '../store.js';
import { sizeText } from '../text.js';
import { quarantineView } from './entry.js';

const PAGE = 1000;

export const run: Run = (call) => {
  const from = instant(call.option('from'), '--from', 0);
  const to = instant(call.option('to'), '--to', 1);
  return withStore(call, async ({ store }) => {
    call.list((await listAll(store, { from, to })).map(quarantineView), [
      ['AT', ({ at }) => `${at.slice(0, 19)}Z`],
      ['ID', ({ id }) => id],
      ['KIND', ({ kind }) => kind],
      ['VIRUS', ({ virus }) => virus],
      ['SENDER', ({ sender }) => sender],
      ['GESTORE', ({ gestore }) => gestore],
      ['SIZE', ({ size }) => sizeText(size)],
      ['IDENTIFICATIVO', ({ identificativo }) => identificativo || '-'],
    ]);
    return 0;
  });
};

async function listAll(
  store: Store,
  within: { readonly from: number | undefined; readonly to: number | undefined },
): Promise<QuarantinedRow[]> {
  const found: QuarantinedRow[] = [];
  for (;;) {
    const rows = await store.read('listQuarantine', { ...within, after: found.at(-1), limit: PAGE });
    found.push(...rows);
    if (rows.length < PAGE) return found;
  }
}
