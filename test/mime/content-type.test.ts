import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatParameter, parseContentType, parseDisposition } from '../../src/mime/index.js';

const cases: [raw: string, type: string, parameters: Record<string, string>][] = [
  ['text/plain', 'text/plain', {}],
  ['Text/HTML; Charset="iso-8859-1"', 'text/html', { charset: 'iso-8859-1' }],
  [
    'multipart/signed; protocol="application/x-pkcs7-signature"; micalg=sha1; boundary="----A B"',
    'multipart/signed',
    { protocol: 'application/x-pkcs7-signature', micalg: 'sha1', boundary: '----A B' },
  ],
  ['text/plain; charset=us-ascii (Plain; text)', 'text/plain', { charset: 'us-ascii' }],
  [
    '(a;boundary=x) multipart (b) / (c) mixed (;boundary=y); (d) boundary=(e)z',
    'multipart/mixed',
    { boundary: 'z' },
  ],
  ['multipart/mixed; a="b" (;boundary=x); boundary=y', 'multipart/mixed', { a: 'b', boundary: 'y' }],
  ['multipart/mixed; boundary=a; boundary=b', 'multipart/mixed', { boundary: 'a' }],
  ['multipart/mixed; boundary=----=_Part', 'multipart/mixed', { boundary: '----=_Part' }],
  ['a/b; name=due parole.pdf ; x=1', 'a/b', { name: 'due parole.pdf', x: '1' }],
  ['a/b; name="a;b\\"c\\\\d"; x=', 'a/b', { name: 'a;b"c\\d', x: '' }],
  ['a/b;; ;name ;x=1;', 'a/b', { x: '1' }],
  ['a/b; name="open', 'a/b', { name: 'open' }],
  ['a/b; name="\xc3\xa8"', 'a/b', { name: 'è' }],
  ['a/b; name="\xe8"', 'a/b', { name: 'è' }],
  // RFC 2231
  ["a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", 'a/b', { title: 'This is ***fun***' }],
  ["a/b; t*1*=%2A%2A; t*0*=us-ascii'en'a%20; t*2=\"isn't it\"", 'a/b', { t: "a **isn't it" }],
  ['a/b; u*0="ftp://"; u*1="x"', 'a/b', { u: 'ftp://x' }],
  ["a/b; n*0*=utf-8''%E2%82; n*1*=%AC", 'a/b', { n: '€' }],
  ["a/b; n*0*=utf-8''a; n*2*=c", 'a/b', { n: 'a' }],
  ["a/b; n=plain; n*=utf-8''ext", 'a/b', { n: 'ext' }],
  ["a/b; n*=x-nobody''%C3%A8", 'a/b', { n: 'è' }],
  ['a/b; n*=no-quotes%20here', 'a/b', { n: 'no-quotes here' }],
  ["a/b; n*=utf-8''100%zz", 'a/b', { n: '100%zz' }],
  ['a/b; n*1=x; m*00=y; k*a=z', 'a/b', {}],
  // RFC 2045 5.2
  ['', 'text/plain', {}],
  ['application', 'text/plain', {}],
  ['/pdf; name=x.pdf', 'text/plain', { name: 'x.pdf' }],
];

for (const [raw, type, parameters] of cases) {
  test(`reads ${JSON.stringify(raw)}`, () => {
    const read = parseContentType(raw);
    assert.equal(`${read.type}/${read.subtype}`, type);
    assert.deepEqual(Object.fromEntries(read.parameters), parameters);
  });
}

test('absent means text/plain, or no disposition', () => {
  assert.equal(parseContentType(undefined).subtype, 'plain');
  assert.equal(parseDisposition(undefined).kind, '');
  const read = parseDisposition('ATTACHMENT; filename="a b.pdf"');
  assert.deepEqual([read.kind, read.parameters.get('filename')], ['attachment', 'a b.pdf']);
});

test('parameters are written plain where they can be', () => {
  assert.equal(formatParameter('name', 'daticert.xml'), '; name="daticert.xml"');
  assert.equal(formatParameter('name', 'a"b\\c'), '; name="a\\"b\\\\c"');
  assert.equal(formatParameter('filename', 'perché.pdf'), ";\r\n filename*=UTF-8''perch%C3%A9.pdf");
  assert.match(formatParameter('filename', `${'x'.repeat(100)}.pdf`), /^;\r\n filename="x+\.pdf"$/);
});

test('property: a parameter survives', () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('a', 'è', '€', '😀', '"', '\\', "'", '%', ';', ' ', '*'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    maxLength: 300,
  });
  fc.assert(
    fc.property(text, (value) => {
      const written = formatParameter('filename', value);
      assert.match(written, /^(?:[\x20-\x7e]|\r\n )*$/);
      assert.ok(written.split('\r\n').every((line) => line.length <= 500));
      assert.equal(
        parseDisposition(`attachment${written.replaceAll('\r\n', '')}; x=y`).parameters.get('filename'),
        value,
      );
    }),
    { numRuns: 300 },
  );
});
