import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  MimeError,
  multipart,
  type Part,
  part,
  readStructure,
  type StructureLimits,
} from '../../src/mime/index.js';
import { readByWindows } from '../../src/mime/structure.js';
import { StructureWalk } from '../../src/mime/structure-walk.js';
import { Rope } from '../../src/rope/index.js';
import { cuts, inPieces, mailBytes, sourceOf } from '../support/ropes.js';

/** The tree as text: of every part its whole and its body, and its children. */
type Shape = [whole: string, body: string, ...children: Shape[]];

function shapeOf(text: string, node: Part): Shape {
  return [
    text.slice(node.start, node.end),
    text.slice(node.bodyStart, node.end),
    ...node.children.map((child) => shapeOf(text, child)),
  ];
}

/** What the message holds below its root: bodies of leaves, arrays for multiparts. */
type Bodies = (string | Bodies)[];

const bodiesOf = (text: string, node: Part): Bodies =>
  node.children.map((child) =>
    child.type.type === 'multipart' ? bodiesOf(text, child) : text.slice(child.bodyStart, child.end),
  );

async function bodies(text: string): Promise<Bodies> {
  return bodiesOf(text, await readStructure(Rope.of(text)));
}

const mixed = (boundary: string, rest: string): string =>
  `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n${rest}`;

test('a single part is its header and its body', async () => {
  const text = 'Subject: x\r\n\r\nbody\r\n';
  assert.deepEqual(shapeOf(text, await readStructure(Rope.of(text))), [text, 'body\r\n']);
  const root = await readStructure(Rope.empty);
  assert.deepEqual([root.start, root.end, root.bodyStart, root.children.length], [0, 0, 0, 0]);
});

test('parts lie between delimiters, without the CRLF that belongs to the delimiter (RFC 2046 5.1.1)', async () => {
  const text = mixed(
    'b',
    'preamble\r\n--b\r\nA: 1\r\n\r\none\r\n\r\n--b\r\n\r\ntwo\r\n--b--\r\nepilogue\r\n--b\r\n\r\nno part',
  );
  const root = await readStructure(Rope.of(text));
  assert.deepEqual(
    root.children.map((child) => shapeOf(text, child)),
    [
      ['A: 1\r\n\r\none\r\n', 'one\r\n'],
      ['\r\ntwo', 'two'],
    ],
  );
  assert.equal(root.end, text.length);
  assert.equal(root.children[0]?.header.raw('a'), '1');
});

const divided: [what: string, text: string, expected: Bodies][] = [
  ['a delimiter on the first line of the body', '--b\r\n\r\nx\r\n--b--', ['x']],
  ['a close delimiter at the end of the text', 'p\r\n--b\r\n\r\nx\r\n--b--', ['x']],
  ['a missing close delimiter', '--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n', ['x', 'y\r\n']],
  ['no delimiter at all', 'text\r\n', []],
  ['only a close delimiter', '--b--\r\n', []],
  ['white space after a boundary', '--b \t\r\n\r\nx\r\n--b-- \r\n', ['x']],
  ['a delimiter only at the start of a line', '--b\r\n\r\nx--b\r\n --b\r\ny\r\n--b--', ['x--b\r\n --b\r\ny']],
  ['a line end that is no CRLF', '--b\r\n\r\nx\n--b\n\ny\r--b\r\nz\r\n--b--', ['x\n--b\n\ny\r--b\r\nz']],
  [
    'lines that only begin like a delimiter',
    '--b\r\n\r\n--bb\r\n--b-\r\n--b--x\r\n--\r\n-b\r\n--b--',
    ['--bb\r\n--b-\r\n--b--x\r\n--\r\n-b'],
  ],
  [
    'empty parts',
    '--b\r\n--b\r\n\r\n--b\r\n\r\n\r\n--b\r\nA: 1\r\n--b\r\nA: 1\r\n\r\n--b--',
    ['', '', '', '', ''],
  ],
  ['a part without blank line', '--b\r\nA: 1\r\n--b\r\n\r\nx\r\n--b--', ['', 'x']],
  ['a delimiter at the end of the text', '--b\r\n\r\nx\r\n--b', ['x']],
  ['a delimiter and its CRLF at the end of the text', '--b\r\n\r\nx\r\n--b\r\n', ['x', '']],
  [
    'padding longer than a line',
    `--b\r\n\r\nx\r\n--b${' '.repeat(2000)}\r\n\r\ny\r\n--b--`,
    [`x\r\n--b${' '.repeat(2000)}\r\n\r\ny`],
  ],
];

for (const [what, text, expected] of divided) {
  test(`divides: ${what}`, async () => assert.deepEqual(await bodies(mixed('b', text)), expected));
}

test('one boundary may begin like another', async () => {
  const inner = (boundary: string): string =>
    mixed(boundary, `--${boundary}\r\n\r\nx\r\n--${boundary}--\r\n`);
  for (const [outer, nested] of [
    ['a', 'ab'],
    ['ab', 'a'],
    ['a', 'a-'],
    ['a-', 'a'],
  ] as const) {
    const text = mixed(outer, `--${outer}\r\n${inner(nested)}\r\n--${outer}\r\n\r\ny\r\n--${outer}--\r\n`);
    assert.deepEqual(await bodies(text), [['x'], 'y'], `${outer} ${nested}`);
  }
});

test('what an inner multipart holds never changes how the outer one is divided', async () => {
  // `--a--` closes the outer `a`, though the inner boundary is `a--`.
  const text = mixed('a', `--a\r\n${mixed('a--', '--a--\r\n\r\nx\r\n--a----\r\n')}\r\n--a\r\n\r\ny`);
  assert.deepEqual(await bodies(text), [[]]);
  const same = mixed('a', `--a\r\n${mixed('a', '--a\r\n\r\nx\r\n--a--\r\n')}\r\n--a--\r\n`);
  assert.deepEqual(await bodies(same), [[], 'x']);
});

test('an outer delimiter closes the multiparts inside', async () => {
  const inner = mixed('i', `--i\r\n\r\nx\r\n--i\r\n${mixed('j', '--j\r\n\r\ny')}`);
  assert.deepEqual(await bodies(mixed('o', `--o\r\n${inner}\r\n--o\r\n\r\nz\r\n--o--`)), [['x', ['y']], 'z']);
  const outerClosed = mixed('o', `--o\r\n${mixed('i', '--i\r\n\r\nx')}\r\n--o--\r\n--i\r\n\r\nnot a part`);
  assert.deepEqual(await bodies(outerClosed), [['x']]);
});

test('a closed multipart keeps its epilogue; one CRLF serves its end and the next delimiter', async () => {
  const text = mixed(
    'o',
    `--o\r\n${mixed('i', '--i\r\n\r\nx\r\n--i--\r\n--i\r\nepilogue')}\r\n--o\r\n${mixed('i', '--i\r\n\r\ny\r\n--i--')}\r\n--o--`,
  );
  const root = await readStructure(Rope.of(text));
  assert.deepEqual(bodiesOf(text, root), [['x'], ['y']]);
  assert.ok(text.slice(0, root.children[0]?.end).endsWith('epilogue'));
  assert.ok(text.slice(0, root.children[1]?.end).endsWith('--i--'));
});

test('a multipart without a usable boundary is a leaf', async () => {
  for (const parameter of [
    '',
    '; boundary=""',
    '; boundary="\xe8"',
    `; boundary=${'x'.repeat(995)}`,
    '; boundary="a\tb"',
  ]) {
    const root = await readStructure(
      Rope.of(`Content-Type: multipart/mixed${parameter}\r\n\r\n--\r\n\r\nx\r\n----\r\n`),
    );
    assert.deepEqual(root.children, []);
  }
});

test('a message inside is a leaf, and a digest holds messages', async () => {
  const inner = mixed('i', '--i\r\n\r\nx\r\n--i--');
  const text = `Content-Type: multipart/digest; boundary=o\r\n\r\n--o\r\n\r\n${inner}\r\n--o\r\nContent-Type: text/x\r\n\r\ny\r\n--o--`;
  const [message, other] = (await readStructure(Rope.of(text))).children;
  assert.equal(`${message?.type.type}/${message?.type.subtype}`, 'message/rfc822');
  assert.deepEqual(message?.children, []);
  assert.equal(other?.type.subtype, 'x');
  const slice = Rope.of(text).slice(message?.bodyStart ?? 0, message?.end);
  assert.equal((await readStructure(slice)).children.length, 1);
});

test('file names: disposition before type, RFC 2231, encoded words', async () => {
  const nameOf = async (header: string): Promise<string | undefined> =>
    (await readStructure(Rope.of(`${header}\r\n\r\n`))).fileName;
  assert.equal(await nameOf('Content-Type: a/b; name=t\r\nContent-Disposition: inline; filename=d'), 'd');
  assert.equal(await nameOf('Content-Type: a/b; name=t\r\nContent-Disposition: inline'), 't');
  assert.equal(await nameOf("Content-Disposition: attachment; filename*=utf-8''%E2%82%AC"), '€');
  assert.equal(await nameOf('Content-Type: a/b; name="=?utf-8?q?=C3=A8?="'), 'è');
  assert.equal(await nameOf('Content-Type: a/b'), undefined);
});

const refused: [what: string, text: string, limits: StructureLimits, code: string][] = [
  ['depth', mixed('a', `--a\r\n${mixed('b', '--b\r\n\r\nx')}`), { depth: 2 }, 'too-deep'],
  ['parts', mixed('a', '--a\r\n\r\n--a\r\n\r\n--a\r\n'), { parts: 3 }, 'too-many-parts'],
  ['one header', mixed('aa', `--aa\r\nX: ${'x'.repeat(100)}`), { headerBytes: 100 }, 'header-too-large'],
  [
    'the headers together',
    mixed('aa', `--aa\r\nX: ${'x'.repeat(80)}\r\n\r\n`.repeat(5)),
    { headerBytes: 100 },
    'header-too-large',
  ],
];

for (const [what, text, limits, code] of refused) {
  test(`refuses too much: ${what}`, async () => {
    for (const rope of [Rope.of(text), Rope.of(sourceOf(Buffer.from(text)))]) {
      await assert.rejects(
        readStructure(rope, limits),
        (error) => error instanceof MimeError && error.code === code,
      );
    }
  });
}

test('the limits themselves are allowed', async () => {
  const text = mixed('a', `--a\r\n${mixed('b', '--b\r\n\r\nx')}`);
  await readStructure(Rope.of(text), { depth: 3, parts: 3, headerBytes: 52 });
  const nested = (depth: number): string =>
    depth === 1 ? '\r\nx' : mixed(`d${depth}`, `--d${depth}\r\n${nested(depth - 1)}\r\n--d${depth}--`);
  await readStructure(Rope.of(nested(20)));
  await assert.rejects(readStructure(Rope.of(nested(21))), MimeError);
});

test('a large body in a source is read past, in several windows', async () => {
  const line = `${'x'.repeat(70)}\r\n--not a delimiter\r\n`;
  const body = line.repeat(12_000);
  const rope = multipart('mixed', 'b', [
    part([], Rope.of(sourceOf(Buffer.from(body)))),
    part(['A: 1'], 'tail'),
  ]);
  const [first, second] = (await readStructure(rope)).children;
  assert.equal((first?.end ?? 0) - (first?.bodyStart ?? 0), body.length);
  assert.deepEqual((await rope.slice(second?.bodyStart ?? 0, second?.end).bytes()).toString(), 'tail');
});

type Tree = { leaf: string } | { boundary: string; parts: Tree[] };

const trees = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    {
      weight: 2,
      arbitrary: fc.record({
        leaf: fc.string({ unit: fc.constantFrom('a', '\r\n', '--', '-', ' ', '\r\n\r\n'), maxLength: 20 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        boundary: fc.stringMatching(/^[x-z]{1,3}$/),
        parts: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
      }),
    },
  ),
})).tree;

function build(tree: Tree, path: string): Rope {
  if ('leaf' in tree) return part(['A: 1'], tree.leaf);
  return multipart(
    'mixed',
    `${tree.boundary}${path}`,
    tree.parts.map((each, index) => build(each, `${path}.${index}`)),
    [],
    'preamble',
  );
}

const expectedBodies = (tree: Tree): Bodies =>
  'leaf' in tree ? [] : tree.parts.map((each) => ('leaf' in each ? each.leaf : expectedBodies(each)));

test('property: what is built is read again', async () => {
  await fc.assert(
    fc.asyncProperty(trees, async (tree) => {
      const bytes = await build(tree, '').bytes();
      assert.deepEqual(await bodies(bytes.toString('latin1')), expectedBodies(tree));
    }),
  );
});

const summary = (node: Part): unknown => [
  node.start,
  node.bodyStart,
  node.end,
  node.fileName,
  node.type,
  node.header.bytes,
  node.children.map(summary),
];

async function outcome(read: Promise<Part>): Promise<unknown> {
  try {
    return summary(await read);
  } catch (error) {
    if (error instanceof MimeError) return error.code;
    throw error;
  }
}

test('property: any bytes give one tree or one MimeError, however they are cut', async () => {
  const limits = fc.record({
    depth: fc.integer({ min: 1, max: 6 }),
    parts: fc.integer({ min: 1, max: 12 }),
    headerBytes: fc.integer({ min: 20, max: 300 }),
  });
  await fc.assert(
    fc.asyncProperty(
      mailBytes,
      cuts,
      limits,
      fc.integer({ min: 1, max: 50 }),
      async (tail, places, bounds, window) => {
        const bytes = Buffer.concat([Buffer.from(mixed('a', '')), tail]);
        const expected = await outcome(readStructure(Rope.of(bytes), bounds));
        const windowed = async (rope: Rope): Promise<Part> => {
          const walk = new StructureWalk(rope.length, bounds);
          await readByWindows(rope, walk, window);
          return walk.root;
        };
        for (const rope of [
          inPieces(bytes, places),
          inPieces(bytes, places, true),
          Rope.of(sourceOf(bytes)),
        ]) {
          assert.deepEqual(await outcome(readStructure(rope, bounds)), expected);
          assert.deepEqual(await outcome(windowed(rope)), expected);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('property: parts lie inside their parents, in order, and their headers are their first octets', async () => {
  await fc.assert(
    fc.asyncProperty(mailBytes, async (tail) => {
      const bytes = Buffer.concat([Buffer.from(mixed('a', '')), tail]);
      const check = (node: Part): void => {
        assert.ok(node.start <= node.bodyStart && node.bodyStart <= node.end);
        assert.deepEqual(bytes.subarray(node.start, node.bodyStart), node.header.bytes);
        let before = node.bodyStart;
        for (const child of node.children) {
          assert.ok(before <= child.start && child.end <= node.end);
          before = child.end;
          check(child);
        }
      };
      check(await readStructure(Rope.of(bytes)));
    }),
    // An outer delimiter right below an inner one.
    { examples: [[Buffer.from(`\r\n\r\n--a\r\n${mixed('ab', '\r\n--ab\r\n--a')}`)]] },
  );
});
