// npm run soak -- --minutes N --seed S: a day of two gestori in N minutes, with what their processes hold, hour by hour.
import { parseArgs } from 'node:util';
import type { World } from '../crash/world.js';
import { mebibytes } from '../load/gauge.js';
import type { Held, Hour } from './day.js';
import { figureOf, growthOf, JUDGED } from './judgement.js';
import { soak } from './soak.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '12' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const HOURS = 24;
const MIB = 1024 * 1024;
/** Below it the first half is all beginning: caches fill, code is compiled. */
const LONG = 10;
const minutes = Number(values.minutes);
const hours: Hour[] = [];

const half = 'rss MiB  heap  ext.  fds  thr.  conn.  disk  log';

function row(held: Held): string {
  const [resident, heap, external, descriptors] = JUDGED.map((what) => figureOf(held, what));
  const most = (what: 'threads' | 'sessions'): string =>
    String(Math.max(...held.readings.map((one) => one[what])));
  const cells: [string, number][] = [
    [mebibytes(resident ?? 0), 7],
    [mebibytes(heap ?? 0), 6],
    [mebibytes(external ?? 0), 6],
    [String(descriptors), 5],
    [most('threads'), 6],
    [most('sessions'), 7],
    [(held.disk.total / MIB).toFixed(0), 6],
    [(held.disk.log / MIB).toFixed(0), 5],
  ];
  return cells.map(([text, width]) => text.padStart(width)).join('');
}

console.log(`seed ${values.seed}: a day in ${minutes} minutes\n`);
console.log(`hour  alfa ${half}  beta ${half}  accepted`);
const start = performance.now();
const { summary, violations, kept } = await soak({
  seed: values.seed,
  hours: HOURS,
  hour: (minutes * 60_000) / HOURS,
  judgesGrowth: minutes >= LONG,
  told: (number, hour, { submissions }: World) => {
    hours.push(hour);
    const accepted = submissions.filter(({ answer }) => answer === 'accepted').length;
    const figures = `${row(hour.alfa)}      ${row(hour.beta)}`;
    console.log(`${String(number).padStart(4)}     ${figures}${String(accepted).padStart(10)}`);
  },
});

console.log('\ngrowth over the second half (Theil-Sen), and the most that counts as flat:');
for (const house of ['alfa', 'beta'] as const) {
  const growth = growthOf(hours.map((hour) => hour[house]));
  console.log(`${house}: ${growth.map(({ told }) => told).join(', ')}`);
}
if (minutes < LONG) console.log(`Growth is judged from ${LONG} minutes on.`);
const seconds = Math.round((performance.now() - start) / 1000);
console.log(`\nseed ${values.seed}: ${summary}, ${seconds} s: ${violations.length} violations`);
for (const violation of violations.slice(0, 10)) console.log(`\n${violation}`);
if (violations.length > 0) {
  console.log(`\nEverything is kept in ${kept}; journal.txt has the story.`);
  console.log(`Again: npm run soak -- --minutes ${minutes} --seed ${values.seed}`);
}
process.exit(violations.length === 0 ? 0 : 1);
