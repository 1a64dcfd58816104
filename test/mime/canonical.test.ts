import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CanonicalGuard } from '../../src/mime/index.js';
import { cuts, inPieces, mailBytes } from '../support/ropes.js';

interface Verdict {
  fault: string | undefined;
  longestLine: number;
  eightBit: boolean;
  endsWithCrlf: boolean;
}

function verdict(...chunks: (string | Buffer)[]): Verdict {
  const guard = new CanonicalGuard();
  for (const chunk of chunks) guard.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk);
  guard.end();
  const { fault, longestLine, eightBit, endsWithCrlf } = guard;
  return { fault, longestLine, eightBit, endsWithCrlf };
}

test('lines that end with CRLF are canonical', () => {
  assert.deepEqual(verdict('abc\r\n\r\nde\r\n'), {
    fault: undefined,
    longestLine: 3,
    eightBit: false,
    endsWithCrlf: true,
  });
  assert.deepEqual(verdict('abc\r\nlonger'), {
    fault: undefined,
    longestLine: 6,
    eightBit: false,
    endsWithCrlf: false,
  });
  assert.deepEqual(verdict('\xe8\r\n'), {
    fault: undefined,
    longestLine: 1,
    eightBit: true,
    endsWithCrlf: true,
  });
  assert.deepEqual(verdict(), { fault: undefined, longestLine: 0, eightBit: false, endsWithCrlf: false });
});

test('a CRLF may be cut between two chunks', () => {
  assert.deepEqual(verdict('abc\r', '\nd\r', '\n'), verdict('abc\r\nd\r\n'));
  assert.equal(verdict('abc\r', 'd\n').fault, 'bare-cr');
  assert.equal(verdict('abc\r', '\r\n').fault, 'bare-cr');
});

test('the first fault is told', () => {
  assert.equal(verdict('a\rb\nc\0').fault, 'bare-cr');
  assert.equal(verdict('a\nb\rc\0').fault, 'bare-lf');
  assert.equal(verdict('a\0b\rc\n').fault, 'nul');
  assert.equal(verdict('a\r').fault, 'bare-cr');
  assert.equal(verdict('\n').fault, 'bare-lf');
  assert.equal(verdict('a\r\0').fault, 'bare-cr');
});

/** The definition, octet by octet. */
function reference(bytes: Buffer): Verdict {
  const text = bytes.toString('latin1');
  const found = /\r(?!\n)|(?<!\r)\n|\0/.exec(text)?.[0];
  const names: Record<string, string> = { '\r': 'bare-cr', '\n': 'bare-lf', '\0': 'nul' };
  return {
    fault: found === undefined ? undefined : names[found],
    longestLine: Math.max(...text.split('\r\n').map((line) => line.length)),
    eightBit: /[\x80-\xff]/.test(text),
    endsWithCrlf: text.endsWith('\r\n'),
  };
}

test('property: the verdict is that of the definition, however the text is cut', async () => {
  await fc.assert(
    fc.asyncProperty(mailBytes, cuts, async (bytes, places) => {
      const chunks: Buffer[] = [];
      for await (const chunk of inPieces(bytes, places).chunks()) chunks.push(chunk);
      const expected = reference(bytes);
      assert.deepEqual(verdict(...chunks), expected);
      assert.deepEqual(verdict(...Array.from(bytes, (octet) => Buffer.from([octet]))), expected);
    }),
    { numRuns: 500 },
  );
});
