// npm run crash -- --rounds N --seed S [--runs R]: R runs of N rounds, with the seeds S, S+1, ...
import { parseArgs } from 'node:util';
import { runRounds } from './run.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '25' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    runs: { type: 'string', default: '1' },
  },
});

let failed = 0;
for (let run = 0; run < Number(values.runs); run += 1) {
  const seed = String(Number(values.seed) + run);
  const start = performance.now();
  const { summary, violations, kept } = await runRounds({ seed, rounds: Number(values.rounds) });
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`seed ${seed}: ${summary}, ${seconds} s: ${violations.length} violations`);
  if (violations.length === 0) continue;
  failed += 1;
  for (const violation of violations.slice(0, 10)) console.log(`\n${violation}`);
  if (violations.length > 10) console.log(`\nand ${violations.length - 10} more in violations.txt`);
  console.log(`\nEverything is kept in ${kept}; journal.txt has the story.`);
  console.log(`Again: npm run crash -- --rounds ${values.rounds} --seed ${seed}`);
}
process.exit(failed === 0 ? 0 : 1);
