// Transpiles src/ and test/ file by file into build/, where the tests run: no bundling, so stack traces and
// relative worker URLs are those of the source.
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Every .ts file under a folder, depth first. */
export function typescriptFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** Writes build/src and build/test (or another root); fixtures stay where they are and are read from the source tree. */
export async function transpile(outdir = 'build') {
  rmSync(outdir, { recursive: true, force: true });
  await build({
    entryPoints: [...typescriptFiles('src'), ...typescriptFiles('test')],
    outdir,
    outbase: '.',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  if (existsSync('src/web/ui/dist'))
    cpSync('src/web/ui/dist', join(outdir, 'src/web/ui/dist'), { recursive: true });
}
