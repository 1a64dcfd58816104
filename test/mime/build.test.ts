import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MimeError, multipart, part } from '../../src/mime/index.js';
import { Rope } from '../../src/rope/index.js';

const text = async (rope: Rope): Promise<string> => (await rope.bytes()).toString('latin1');

test('a part is its header lines, a blank line and its body', async () => {
  assert.equal(await text(part(['A: 1', 'B: 2;\r\n c=d'], 'x\xe8')), 'A: 1\r\nB: 2;\r\n c=d\r\n\r\nx\xe8');
  assert.equal(await text(part([], Rope.of('x'))), '\r\nx');
});

test('a multipart carries its type, its other headers, a preamble and its parts', async () => {
  const rope = multipart(
    'signed; protocol="p"',
    'b b',
    [Rope.of('\r\none'), Rope.of('\r\ntwo\r\n')],
    ['MIME-Version: 1.0'],
    'pre',
  );
  assert.equal(
    await text(rope),
    'Content-Type: multipart/signed; protocol="p";\r\n boundary="b b"\r\nMIME-Version: 1.0\r\n\r\npre\r\n' +
      '--b b\r\n\r\none\r\n--b b\r\n\r\ntwo\r\n\r\n--b b--\r\n',
  );
});

test('nothing can be slipped into a header', () => {
  for (const line of ['A: 1\r\nB: 2', 'A: 1\nB: 2', 'A: 1\r', 'A: 1\r\n', '']) {
    assert.throws(
      () => part([line], ''),
      (error) => error instanceof MimeError && error.code === 'malformed-header',
    );
  }
});

test('a boundary is of RFC 2046 5.1.1', () => {
  for (const boundary of ['', 'a ', 'x'.repeat(71), 'a"b', 'a\r\nb', 'è']) {
    assert.throws(
      () => multipart('mixed', boundary, []),
      (error) => error instanceof MimeError && error.code === 'bad-boundary',
    );
  }
});
