import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { choreNames, occurrenceNames, stateNames } from '../../src/telemetry/alarms.js';

/** The tests run from the root of the project, whatever folder they were transpiled to. */
const root = process.cwd();
const timers = choreNames.map((name) => `timer-${name}`);

interface Row {
  readonly names: readonly string[];
  readonly lasts: string;
  readonly means: string;
  readonly act: string;
}

/** The rows of the table under its mark. */
function tableOf(text: string): Row[] {
  const table = /<!-- alarms: .*-->\n\|.*\n\|[-|]+\n((?:\|.*\n)+)/.exec(text)?.[1] ?? '';
  return table
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, name = '', lasts = '', means = '', act = ''] = line.split('|').map((cell) => cell.trim());
      return { names: [...name.matchAll(/`([^`]+)`/g)].map(([, one]) => one ?? ''), lasts, means, act };
    });
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesIn(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

suite('documentation: the alarms of docs/operate.md are those the code can give', () => {
  const rows = tableOf(readFileSync(join(root, 'docs', 'operate.md'), 'utf8'));
  const written = rows.flatMap(({ names }) => names);

  test('each has one row, and each row is of one', () => {
    assert.deepEqual([...written].sort(), [...stateNames, ...timers, ...occurrenceNames].sort());
  });

  test('each row says what it means and what to do', () => {
    for (const { names, means, act } of rows) {
      assert.ok(means.length > 10 && act.length > 2, names.join(', '));
    }
  });

  test('those that last are told to last, the others not', () => {
    const lasting = rows.filter(({ lasts }) => lasts === 'yes').flatMap(({ names }) => names);
    assert.deepEqual(lasting.sort(), [...stateNames, ...timers].sort());
  });

  // That no other is given is for the compiler: a name is of a type.
  test('each is given somewhere', () => {
    const list = join(root, 'src', 'telemetry', 'alarms.ts');
    const code = sourcesIn(join(root, 'src'))
      .filter((path) => path !== list)
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    for (const name of [...stateNames, ...occurrenceNames]) {
      assert.ok(code.includes(`'${name}'`), `nobody gives ${name}`);
    }
    // The watch of silence is no chore of the timers and gives its own name.
    for (const name of choreNames) {
      const given = code.includes(`name: '${name}',`) || code.includes(`'timer-${name}'`);
      assert.ok(given, `nobody gives timer-${name}`);
    }
  });

  test('and each state that begins can end, but for one that only a restart mends', () => {
    const code = sourcesIn(join(root, 'src'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    const endless = stateNames.filter((name) => !code.includes(`clear('${name}'`));
    assert.deepEqual(endless, ['own-certificate-untrusted']);
  });
});
