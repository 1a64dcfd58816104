import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';

const CELLS = 6;
const REFERENCE = /^`(test\/[^`]+\.test\.ts)` "([^"]+)"$/;

suite('documentation: every outcome of docs/outcomes.md is held by a test', () => {
  const lines = readFileSync('docs/outcomes.md', 'utf8').split('\n');
  const rows = lines
    .filter((line) => line.startsWith('| ') && !line.startsWith('| cause |'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));
  test('there are rows', () => assert.ok(rows.length > 10));
  for (const cells of rows) {
    test(cells[0] ?? '', () => {
      assert.equal(cells.length, CELLS);
      assert.ok(cells.every((cell) => cell !== ''));
      const [, file = '', name = ''] = REFERENCE.exec(cells.at(-1) ?? '') ?? [];
      assert.notEqual(file, '', 'names its test');
      const titles = [
        ...readFileSync(file, 'utf8').matchAll(/(?:it|test)\(\s*['`]([^'`]+)['`]|pair,\s*'([^']+)'/g),
      ];
      const found = titles.some(([, title, step]) => (title ?? step ?? '').startsWith(name));
      assert.ok(found, `${file} has no test "${name}..."`);
    });
  }
});
