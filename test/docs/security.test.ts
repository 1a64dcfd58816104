import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const page = readFileSync('docs/security.md', 'utf8');
const rowsBelow = (heading: string): string[] =>
  (page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1);

test('docs/security.md: each defence names tests, and they are there', () => {
  const rows = rowsBelow('Attack, defence, test');
  assert.ok(rows.length > 15);
  for (const row of rows) {
    const files = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file ?? '');
    assert.ok(files.length > 0, `no test: ${row}`);
    for (const file of files) {
      assert.ok(existsSync(file), `${file} is not there`);
      assert.match(readFileSync(file, 'utf8'), /\b(?:test|it|suite|describe)\(/, file);
    }
  }
});

/** Packages that state their licence only in the file LICENSE, which was read for just this version. */
const UNDECLARED: Readonly<Record<string, string>> = { 'node_modules/png-js@2.0.0': 'MIT' };

test('docs/security.md: every dependency is pinned, locked by a hash, and under a licence EUPL-1.2 allows', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    assert.match(String(version), /^\d+\.\d+\.\d+$/, name);
  const lock: { packages: Record<string, { version?: string; license?: string; integrity?: string }> } =
    JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const allowed =
    /\b(?:MIT|MIT-0|ISC|0BSD|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|BlueOak-1\.0\.0|EUPL-1\.2)\b/;
  for (const [path, { version, license, integrity }] of Object.entries(lock.packages)) {
    if (path === '') continue;
    assert.match(license ?? UNDECLARED[`${path}@${version}`] ?? '', allowed, path);
    assert.match(integrity ?? '', /^sha512-/, path);
  }
});
