import type { Statistics } from '../statistics/index.js';
import { type Call, type Run, UsageError } from './command.js';
import { instant } from './dates.js';
import { withStore } from './store.js';

export const run: Run = (call) => {
  const now = Date.now();
  const to = Math.min(instant(call.option('to'), '--to', 1) ?? now, now);
  const from = instant(call.option('from'), '--from', 0);
  if (from === undefined) throw new UsageError('--from is missing');
  if (from >= to) throw new UsageError('--from must be before --to, and in the past');
  if ([call.json, call.flag('csv'), call.flag('html')].filter(Boolean).length > 1)
    throw new UsageError('one of --json, --csv and --html');
  return withStore(call, async ({ config, store }) => {
    const { collect, statisticsCsv, statisticsHtml } = await import('../statistics/index.js');
    const statistics = await collect(store, config.provider.name, { from, to }, now);
    if (call.json) call.print(JSON.stringify(view(statistics), null, 2));
    else if (call.flag('csv')) call.surroundings.out(statisticsCsv(statistics));
    else if (call.flag('html')) call.surroundings.out(statisticsHtml(statistics));
    else await summary(call, statistics);
    return 0;
  });
};

const iso = (epochMs: number): string => new Date(epochMs).toISOString();
const spanView = ({ from, to }: { from: number; to: number }) => ({ from: iso(from), to: iso(to) });

const view = (statistics: Statistics) => ({
  ...statistics,
  ...spanView(statistics),
  availability: statistics.availability.map(({ longest, ...period }) => ({
    ...period,
    ...spanView(period),
    longest: longest === null ? null : spanView(longest),
  })),
});

async function summary(call: Call, { total, availability, mailboxes }: Statistics): Promise<void> {
  const { countNames } = await import('../statistics/index.js');
  for (const [name, english] of Object.entries(countNames))
    call.print(`${english.padEnd(24)}${total[name as keyof typeof total]}`);
  const active = mailboxes.reduce((sum, count) => sum + count.active, 0);
  call.print(`${'active mailboxes'.padEnd(24)}${active}`);
  for (const { period, share, meets, outages } of availability) {
    const verdict = meets ? 'at least' : 'BELOW';
    call.print(
      `availability ${period}: ${(100 * share).toFixed(3)} %, ${verdict} the 99.8 % of the law; outages: ${outages}`,
    );
  }
}
