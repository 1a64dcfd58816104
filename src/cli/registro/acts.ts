import type { Act } from '../../storage/index.js';
import type { Run } from '../command.js';
import { instant } from '../dates.js';
import { withStore } from '../store.js';

const PAGE = 500;

export const run: Run = (call) => {
  const from = instant(call.option('from'), '--from', 0) ?? Number.NEGATIVE_INFINITY;
  const to = instant(call.option('to'), '--to', 1) ?? Number.POSITIVE_INFINITY;
  const action = call.option('action');
  return withStore(call, async ({ store }) => {
    const found: Act[] = [];
    for (let after = 0; ; ) {
      const acts = await store.read('pageActs', { after, limit: PAGE });
      found.push(
        ...acts.filter(
          (act) => act.at >= from && act.at < to && (action === undefined || act.action === action),
        ),
      );
      const last = acts.at(-1);
      if (last === undefined) break;
      after = last.seq;
    }
    call.list(found.map(actView), [
      ['NR', ({ seq }) => seq],
      ['AT', ({ at }) => at],
      ['WHO', ({ actor }) => actor],
      ['ACTION', (act) => act.action],
      ['TARGET', ({ target }) => target],
      [
        'DETAIL',
        ({ detail }) =>
          Object.entries(detail)
            .map(([name, text]) => `${name}=${text}`)
            .join(' '),
      ],
    ]);
    return 0;
  });
};

const actView = ({ seq, at, actor, action, target, detail }: Act) => ({
  seq,
  at: new Date(at).toISOString(),
  actor,
  action,
  target,
  detail,
});
