import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'node:test';

/** What the lint says of the sources in a folder, line by line. */
function lint(cwd: string): { readonly status: number | null; readonly lines: readonly string[] } {
  const { status, stderr } = spawnSync(process.execPath, [resolve('scripts/layers.mjs')], {
    cwd,
    encoding: 'utf8',
  });
  return { status, lines: stderr.split('\n').filter((line) => line !== '') };
}

/** The same of a little house: file names under src/ and what is in them. */
function lintOf(files: Readonly<Record<string, string>>): ReturnType<typeof lint> {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-layers-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      const file = join(folder, 'src', name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    return lint(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('layers', () => {
  it('the house stands', () => {
    assert.deepEqual(lint('.'), { status: 0, lines: [] });
  });

  it('what leads down, or stays in its room, is allowed', () => {
    const { status, lines } = lintOf({
      'cli/index.ts': "import { a } from '../pec/index.js';\nexport { a };\n",
      'pec/index.ts': "export { a } from './a.js';\n",
      'pec/a.ts': "import { Rope } from '../rope/index.js';\nimport 'node:fs';\nexport const a = Rope;\n",
      'rope/index.ts': 'export const Rope = 1;\n',
    });
    assert.deepEqual([status, lines], [0, []]);
  });

  const planted: readonly [string, Readonly<Record<string, string>>, RegExp][] = [
    [
      'a room that imports one above',
      { 'rope/a.ts': "import { b } from '../pec/index.js';", 'pec/index.ts': '' },
      /rope may not import pec/,
    ],
    [
      'rooms on one floor',
      { 'imap/a.ts': "import '../pop3/index.js';", 'pop3/index.ts': '' },
      /imap may not import pop3/,
    ],
    [
      'an import of a type only',
      { 'mime/a.ts': "import type { B } from '../smtp/index.js';", 'smtp/index.ts': '' },
      /mime may not import smtp/,
    ],
    [
      'an export from above',
      { 'mime/a.ts': "export * from '../smtp/index.js';", 'smtp/index.ts': '' },
      /mime may not import smtp/,
    ],
    [
      'an import when called',
      { 'mime/a.ts': "export const b = () => import('../smtp/index.js');", 'smtp/index.ts': '' },
      /mime may not import smtp/,
    ],
    [
      'an import over several lines',
      { 'mime/a.ts': "import {\n  b,\n} from '../smtp/index.js';", 'smtp/index.ts': '' },
      /mime may not import smtp/,
    ],
    ['a room on no floor', { 'utils/a.ts': 'export const a = 1;' }, /"utils" stands on no floor/],
    ['an import of no room', { 'mime/a.ts': "import '../utils/index.js';" }, /in no room/],
    [
      'files in a circle',
      { 'mime/a.ts': "import './b.js';", 'mime/b.ts': "import './c.js';", 'mime/c.ts': "import './a.js';" },
      /circle: .*a\.ts.*b\.ts.*c\.ts/,
    ],
    ['a file that imports itself', { 'mime/a.ts': "import './a.js';" }, /circle/],
  ];
  for (const [what, files, message] of planted) {
    it(`${what} is found`, () => {
      const { status, lines } = lintOf(files);
      assert.equal(status, 1);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', message);
    });
  }
});
