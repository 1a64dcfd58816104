import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import { commands } from '../../src/cli/index.js';
import { renderConfig } from '../../src/config/index.js';
import { events } from '../../src/telemetry/events.js';

/** The tests run from the root of the project, whatever folder they were transpiled to. */
const root = process.cwd();
/** Hidden folders, and what is made or installed. */
const skipped = /^(\.|node_modules$|build|dist$|demo-data$|data$|gestori$)/;

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.test(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

interface Page {
  /** From the root. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
  /** Without fenced blocks. */
  readonly prose: string;
  /** The fenced blocks. */
  readonly blocks: readonly string[];
}

const pages: readonly Page[] = markdownFiles(root).map((path) => {
  const text = readFileSync(path, 'utf8');
  const blocks = [...text.matchAll(/^```[^\n]*\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
  const prose = text.replace(/^```[^\n]*\n[\s\S]*?^```$/gm, '');
  return { name: relative(root, path), path, text, prose, blocks };
});

const inlineCode = (prose: string): string[] =>
  [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => (code ?? '').replace(/\s+/g, ' '));

/** The anchors of a page, as the usual renderers make them from its headings. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replace(/ /g, '-'),
  );

suite('documentation: links', () => {
  for (const page of pages) {
    test(`every link of ${page.name} leads somewhere`, () => {
      for (const [, target = ''] of page.prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [file = '', anchor] = target.split('#');
        const path = file === '' ? page.path : resolve(dirname(page.path), file);
        assert.ok(existsSync(path), `${page.name}: ${target} is not there`);
        if (anchor === undefined) continue;
        assert.ok(
          anchorsOf(readFileSync(path, 'utf8')).includes(anchor),
          `${page.name}: ${target}: there is no such heading`,
        );
      }
    });
  }
});

test('documentation: the floors of docs/architecture.md are those that scripts/layers.mjs checks', async () => {
  const layers: { floors: string[][] } = await import(
    pathToFileURL(join(root, 'scripts', 'layers.mjs')).href
  );
  const text = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');
  const written = [...text.matchAll(/^\| \d+ \| ([^|]+) \|/gm)].map(([, rooms]) =>
    [...(rooms ?? '').matchAll(/`([^`]+)`/g)].map(([, room]) => room ?? ''),
  );
  assert.deepEqual(written, layers.floors);
  const numbers = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
  assert.deepEqual(
    numbers,
    layers.floors.map((_, floor) => floor + 1),
  );
});

/** What a shell would see as one line. */
const shellLines = (block: string): string[] => block.replace(/\\\n\s*/g, ' ').split('\n');

/** A call of the program, not the user or the image of the same name. */
const CALL = /(?:^|[\s(])(?:bin\/)?ceralacca +(?!ceralacca )(?=[a-z]|--help|--version|-V)([^|;&<>`]*)/g;

/** The words of every call in a piece of code, from the command's name to the end of the call. */
const callsIn = (code: string): string[][] =>
  [...code.matchAll(CALL)].map(([, rest]) => (rest ?? '').match(/'[^']*'|"[^"]*"|\S+/g) ?? []);

/** Names have one to three words. */
const rowOf = (words: readonly string[]) =>
  [3, 2, 1].flatMap(
    (length) => commands.find(({ name }) => name === words.slice(0, length).join(' ')) ?? [],
  )[0];

function checkCall(where: string, words: readonly string[]): void {
  if (words[0]?.startsWith('-')) {
    assert.ok(['--help', '--version', '-V'].includes(words[0]), `${where}: ceralacca ${words.join(' ')}`);
    return;
  }
  const row = rowOf(words);
  assert.ok(row !== undefined, `${where}: there is no command "ceralacca ${words.slice(0, 2).join(' ')}"`);
  const known = [
    ...(row.options ?? []).map(({ flags }) => flags.split(' ')[0] ?? ''),
    ...(row.config === true ? ['-c', '--config'] : []),
    ...(row.json === true ? ['--json'] : []),
  ];
  for (const word of words.filter((each) => /^--?[a-z]/.test(each))) {
    assert.ok(known.includes(word), `${where}: ceralacca ${row.name} has no option ${word}`);
  }
}

suite('documentation: every command that is named exists, with the options it is given', () => {
  for (const page of pages) {
    test(page.name, () => {
      const code = [...page.blocks.flatMap(shellLines), ...inlineCode(page.prose)];
      for (const line of code) for (const words of callsIn(line)) checkCall(page.name, words);
    });
  }

  for (const name of ['docker-compose.yml', 'Dockerfile']) {
    test(name, () => {
      // Folded at what the shell joins; comments read like commands and are held to the same.
      const lines = shellLines(readFileSync(join(root, name), 'utf8').replace(/^#\s*/gm, ''));
      for (const line of lines) for (const words of callsIn(line)) checkCall(name, words);
    });
  }

  test('and the search for them finds them', () => {
    assert.deepEqual(callsIn('printf x | bin/ceralacca mailbox add a@b --quota "1 GB" -c f | head'), [
      ['mailbox', 'add', 'a@b', '--quota', '"1 GB"', '-c', 'f'],
    ]);
    assert.deepEqual(callsIn('runuser -u ceralacca -- ceralacca doctor'), [['doctor']]);
    assert.throws(() => checkCall('here', ['mailbox', 'explode']));
    assert.throws(() => checkCall('here', ['mailbox', 'add', '--colour']));
    const named = pages.flatMap((page) => page.blocks.flatMap(shellLines).flatMap(callsIn));
    assert.ok(named.length > 50);
  });
});

test('documentation: every key of the configuration and every event that is named exists', () => {
  const reference: Record<string, unknown> = parse(renderConfig());
  const isKey = (path: string): boolean => {
    let value: unknown = reference;
    for (const name of path.split('.')) {
      if (typeof value !== 'object' || value === null) return false;
      if (!Object.hasOwn(value, name)) return false;
      value = (value as Record<string, unknown>)[name];
    }
    return true;
  };
  // Sections that are null or a map of choices by default do not show their keys.
  const open = new Set(['dkim', 'timestamp', 'antivirus']);
  let found = 0;
  for (const page of pages) {
    for (const code of inlineCode(page.prose)) {
      if (!/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_-]*)+$/.test(code)) continue;
      const [section = ''] = code.split('.');
      if (!Object.hasOwn(reference, section)) continue;
      found += 1;
      const known = isKey(code) || Object.hasOwn(events, code) || open.has(section);
      assert.ok(known, `${page.name}: there is no key and no event ${code}`);
    }
  }
  assert.ok(found > 20);
});
