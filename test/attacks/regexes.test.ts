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

/** What the checker has against an expression; undefined for nothing. */
function complaint(text: string): string | undefined {
  const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
  const found = check(source, flags, { timeout: PATIENCE, randomSeed: 1 });
  return found.status === 'vulnerable' ? found.complexity.summary : undefined;
}

describe('regular expressions', () => {
  it('take linear time, each of them', () => {
    const all = literals();
    assert.ok(all.length > 100);
    const slow = all.flatMap(({ text, where }) => {
      const fault = complaint(text);
      return fault === undefined ? [] : [`${where} ${text}: ${fault}`];
    });
    assert.deepEqual(slow, []);
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
