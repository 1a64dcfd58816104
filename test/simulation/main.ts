// npm run simulate -- --seeds N --seed S: N scenarios from seed S on.
import { parseArgs } from 'node:util';
import { explore, told } from './explore.js';
import { openTown } from './town.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

const runs = Number(values.seeds);
const seed = Number(values.seed);
const town = await openTown();
const start = performance.now();
let played = 0;
let submissions = 0;
const finding = await explore(town, {
  seed,
  runs,
  played: (outcome) => {
    played += 1;
    submissions += outcome.submissions.length;
  },
});
const minutes = (performance.now() - start) / 60_000;
console.log(
  `seed ${seed}: ${played} scenarios, ${submissions} submissions, ${(minutes * 60).toFixed(1)} s, ${Math.round(played / minutes)} a minute`,
);
if (finding !== undefined) {
  console.log(`\n${told(finding)}`);
  console.log(`\nAgain: npm run simulate -- --seeds ${finding.run} --seed ${seed}`);
}
process.exit(finding === undefined ? 0 : 1);
