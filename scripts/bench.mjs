// npm run bench: every test/bench/*.bench.ts, or those whose name contains one of the arguments, one after the other.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { transpile, typescriptFiles } from './transpile.mjs';

const wanted = process.argv.slice(2);
const outdir = process.env.CERALACCA_BUILD ?? 'build';
await transpile(outdir);
const files = typescriptFiles('test/bench')
  .filter((file) => file.endsWith('.bench.ts'))
  .filter((file) => wanted.length === 0 || wanted.some((word) => file.includes(word)));
for (const file of files) {
  console.log(`\n${file}`);
  const run = spawnSync(
    process.execPath,
    ['--enable-source-maps', join(outdir, file.replace(/\.ts$/, '.js'))],
    {
      stdio: 'inherit',
    },
  );
  if (run.status !== 0) process.exit(run.status ?? 1);
}
