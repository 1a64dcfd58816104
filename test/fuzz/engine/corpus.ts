import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** In the source tree: tests run from its root. */
export const CORPUS = join('test', 'fuzz', 'corpus');
/** Where findings go; not part of the project. */
export const FINDINGS = 'fuzz-findings';

/** Where a target's module is: in `targets/`, or, for a name with a folder, there. */
export const moduleOf = (name: string): URL =>
  new URL(name.includes('/') ? `../${name}.js` : `../targets/${name}.js`, import.meta.url);

/** The inputs of some folders of the corpus, by their paths, in the order of their names. */
export function readCorpus(folders: readonly string[]): Map<string, Buffer> {
  const inputs = new Map<string, Buffer>();
  for (const folder of folders.map((name) => join(CORPUS, name))) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      inputs.set(path, readFileSync(path));
    }
  }
  return inputs;
}

/** Writes an input under a name made of its own hash. @returns the path. */
export function writeInput(folder: string, input: Buffer): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, createHash('sha256').update(input).digest('hex').slice(0, 12));
  writeFileSync(path, input);
  return path;
}
