// npm run build: what bin/ceralacca runs. One bundle a command (they are imported when called) and the chunks they
// share, all flat in dist/, so that a worker's URL relative to its parent holds there as it does in the source. Beside them
// dist/sbom.cdx.json: what is installed with it, with versions, hashes and licences (CycloneDX).
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

// Made of many small ES modules, of which little is used: reading them one by one would double the time to start.
const bundled = ['zod', 'kysely', 'luxon'];
const { name, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: {
    ceralacca: 'src/cli/index.ts',
    'writer-thread': 'src/storage/sqlite/writer-thread.ts',
  },
  outdir: 'dist',
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: Object.keys(dependencies).filter((name) => !bundled.includes(name)),
  sourcemap: true,
  logLevel: 'warning',
});

// From the lock file: nothing is asked of the network.
const options = [
  '--sbom-format',
  'cyclonedx',
  '--sbom-type',
  'application',
  '--omit',
  'dev',
  '--package-lock-only',
];
const sbom = JSON.parse(execFileSync('npm', ['sbom', ...options], { maxBuffer: 64 * 1024 * 1024 }));
// npm takes the folder's name.
sbom.metadata.component.name = name;
writeFileSync('dist/sbom.cdx.json', `${JSON.stringify(sbom, null, 2)}\n`);
