/** No regular expression of the program takes more than linear time, whatever text it is given. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { checkSync } from 'recheck';
import ts from 'typescript';
import { pemBlocks } from '../../src/smime/read/pem.js';

/** The checker in this process: neither Java nor a binary of its own. */
process.env.RECHECK_BACKEND = 'pure';

let check: typeof checkSync;
before(async () => {
  ({ checkSync: check } = await import('recheck'));
});

/** Milliseconds for one expression. */
const PATIENCE = 60_000;

interface Found {
  readonly text: string;
  readonly where: string;
}

function literals(): Found[] {
  const found = new Map<string, string>();
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  for (const file of files) {
    const source = ts.createSourceFile(
      file,
      readFileSync(join('src', file), 'utf8'),
      ts.ScriptTarget.Latest,
      true,
    );
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        found.set(node.text, `src/${file}:${line + 1}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return [...found].map(([text, where]) => ({ text, where }));
}

/** Has assertions or back references, which the automaton cannot judge: read by hand, with the reason why they are linear. */
const READ = new Map(
  (
    [
      [/(?<!\/)\/+$/, 'a run of slashes is entered at its first only'],
      [/^unix:(?:\/\/(?=\/))?(.+)$/, 'anchored, one repetition'],
      [/^file:(?:\/\/(?=\/))?(.+)$/, 'anchored, one repetition'],
      [/^::ffff:(?=[0-9.]+$)/i, 'anchored, one repetition'],
      [/^0+(?=.)/, 'anchored, one repetition'],
      [
        /^\s*(?:5\d\d[ -]\s*)?(5\.\d{1,3}\.\d{1,3})(?![\d.])/,
        'anchored; a digit stands between its repetitions',
      ],
      [
        /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.0"|'1\.0')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])([A-Za-z][\w.-]*)\1)?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(?:yes|no)\3)?[ \t\n]*\?>/,
        'anchored; whatever may follow a blank begins with another letter',
      ],
      [
        /^(?=.{3,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
        'no more than 253 characters',
      ],
      [/^[A-Z0-9 ]+(?=-----)/, 'anchored, one repetition'],
    ] as const
  ).map(([expression, why]) => [String(expression), why]),
);

/** Of the automaton, that needs no luck and no time: what it has against an expression, undefined for nothing. */
function complaint(text: string): string | undefined {
  const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
  const found = check(source, flags, { checker: 'automaton', timeout: PATIENCE });
  if (found.status === 'safe') return undefined;
  return found.status === 'vulnerable' ? found.complexity.summary : 'cannot be judged';
}

describe('regular expressions', () => {
  it('take linear time, each of them', () => {
    const all = literals();
    assert.ok(all.length > 100);
    const slow = all
      .filter(({ text }) => !READ.has(text))
      .flatMap(({ text, where }) => {
        const fault = complaint(text);
        return fault === undefined ? [] : [`${where} ${text}: ${fault}`];
      });
    assert.deepEqual(slow, []);
    const gone = [...READ.keys()].filter((text) => !all.some((one) => one.text === text));
    assert.deepEqual(gone, [], 'read once, and there no more');
  });

  it('and those that do not are found', () => {
    for (const text of [String.raw`/^\s*a:\s*(.*)$/`, '/x+$/', '/^(a+)+$/', '/(?<=a)(b|b)+$/']) {
      assert.notEqual(complaint(text), undefined, text);
    }
  });
});

describe('PEM off the network', () => {
  const blocks = (text: string) => pemBlocks(Buffer.from(text)).map(({ label, der }) => [label, der.length]);

  it('gives its blocks, whatever stands around them', () => {
    const one = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n';
    assert.deepEqual(blocks(`preface\n${one}-----BEGIN no label\n${one}`), [
      ['X509 CRL', 3],
      ['X509 CRL', 3],
    ]);
    assert.deepEqual(blocks('-----BEGIN A-----\nAAAA\n-----END B-----\n'), []);
    assert.deepEqual(blocks('-----BEGIN A-----\nAAAA\n'), []);
    assert.deepEqual(blocks(`-----BEGIN ${'A'.repeat(100)}-----\n-----END A-----`), []);
  });

  it('is read in one pass: half a million beginnings, and no end that fits', () => {
    // Going back once a beginning, this would take hours.
    assert.deepEqual(blocks(`${'-----BEGIN E-'.repeat(500_000)}N`), []);
    assert.deepEqual(blocks('-----BEGIN A-----'.repeat(500_000)), []);
    assert.deepEqual(blocks(`${'-----BEGIN A-----'.repeat(500_000)}-----END B-----`), []);
  });
});
