// npm run connections -- --count N: N connections to one gestore, on every port (test/load/main.ts).
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { transpile } from './transpile.mjs';

const outdir = process.env.CERALACCA_BUILD ?? 'build';
await transpile(outdir);
const program = join(outdir, 'test', 'load', 'main.js');
const run = spawnSync(process.execPath, ['--enable-source-maps', program, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
