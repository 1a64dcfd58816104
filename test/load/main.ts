// npm run connections -- --count 5000: very many connections to one gestore, on every port (test/load/connections.ts).
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { manyConnections } from './connections.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '5000' },
    accounts: { type: 'string', default: '50' },
    processes: { type: 'string', default: '4' },
  },
});
const count = Number(values.count);
/** Of the gestore, beside its connections. */
const SPARE = 200;

// Node.js raises the soft limit to the hard one by itself.
const files = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
if (files !== 'unlimited' && Number(files) < count + SPARE) {
  console.error(
    `A process may open ${files} files here, and ${count} connections need ${count + SPARE}: ` +
      `raise it (ulimit -Hn ${count + SPARE}, or LimitNOFILE= of a systemd unit), or ask for fewer (--count).`,
  );
  process.exit(2);
}

const releases: (() => Promise<void> | void)[] = [];
try {
  await manyConnections(
    { after: (release) => void releases.push(release) },
    {
      count,
      accounts: Number(values.accounts),
      processes: Number(values.processes),
      perAddress: 200,
      bare: Math.min(count, 1000),
      told: (line) => console.log(line),
    },
  );
} finally {
  for (const release of releases.reverse()) await release();
}
