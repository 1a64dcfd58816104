// npm test: transpiles, then runs node's test runner over every *.test.ts, or over those whose path contains
// one of the arguments. `npm test -- mime pec` runs two rooms.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { transpile, typescriptFiles } from './transpile.mjs';

const wanted = process.argv.slice(2);
const outdir = process.env.CERALACCA_BUILD ?? 'build';
await transpile(outdir);
const files = typescriptFiles('test')
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)))
  .map((file) => join(outdir, file.replace(/\.ts$/, '.js')));
if (files.length === 0) {
  console.error('No test file matches.');
  process.exit(1);
}
const run = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=2', ...files],
  { stdio: 'inherit' },
);
process.exit(run.status ?? 1);
