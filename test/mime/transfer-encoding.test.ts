import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBody, encodeBase64, encodeQuotedPrintable, MimeError } from '../../src/mime/index.js';
import { Rope } from '../../src/rope/index.js';
import { cuts, inPieces } from '../support/ropes.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const decode = async (text: string, encoding: string | undefined): Promise<string> =>
  (await decodeBody(Rope.of(text), encoding, 1000)).toString('latin1');

test('quoted-printable keeps what may stand and encodes the rest (RFC 2045 6.7)', () => {
  assert.equal(encodeQuotedPrintable(latin1('perch\xe9 = 1\r\nfine')), 'perch=E9 =3D 1\r\nfine');
  assert.equal(encodeQuotedPrintable(latin1('a \r\nb\t\r\n \r\nc ')), 'a=20\r\nb=09\r\n=20\r\nc=20');
  assert.equal(encodeQuotedPrintable(latin1('a\rb\nc\0')), 'a=0Db=0Ac=00');
  assert.equal(encodeQuotedPrintable(latin1('')), '');
});

test('lines have 76 columns, a soft break included, and no escape is cut', () => {
  assert.equal(encodeQuotedPrintable(latin1('x'.repeat(76))), 'x'.repeat(76));
  assert.equal(encodeQuotedPrintable(latin1('x'.repeat(77))), `${'x'.repeat(75)}=\r\nxx`);
  assert.equal(encodeQuotedPrintable(latin1(`${'x'.repeat(73)}\xe9`)), `${'x'.repeat(73)}=E9`);
  assert.equal(encodeQuotedPrintable(latin1(`${'x'.repeat(73)}\xe9x`)), `${'x'.repeat(73)}=\r\n=E9x`);
});

test('base64 has lines of the asked length, none ended after the last', () => {
  assert.equal(encodeBase64(Buffer.alloc(57)), 'A'.repeat(76));
  assert.equal(encodeBase64(Buffer.alloc(58)), `${'A'.repeat(76)}\r\nAA==`);
  assert.equal(encodeBase64(new Uint8Array(Buffer.alloc(50)).subarray(2), 60), `${'A'.repeat(60)}\r\nAAAA`);
  assert.equal(encodeBase64(Buffer.alloc(0)), '');
});

const decoded: [encoding: string | undefined, text: string, expected: string][] = [
  [undefined, 'a=20b', 'a=20b'],
  ['7bit', 'a=20b', 'a=20b'],
  ['x-nobody', 'a', 'a'],
  [' BASE64 (comment)', 'Y\r\nW J!j\r\n', 'abc'],
  ['base64', 'YQ==YmM=ZA==', 'abcd'],
  ['base64', 'YWI', 'ab'],
  ['base64', 'YWJjZ', 'abc'],
  ['base64', '==-_', ''],
  ['Quoted-Printable', 'a=E9=e9=\r\nb= \t\r\nc=\nd', 'a\xe9\xe9bcd'],
  ['quoted-printable', 'a \t\r\nb=20 \r\nc  ', 'a\r\nb \r\nc'],
  ['quoted-printable', '1=2 =zz ==41 =', '1=2 =zz =A '],
  ['quoted-printable', 'a=  b=\rc=4', 'a=  b=\rc=4'],
  ['quoted-printable', 'a= ', 'a'],
  ['quoted-printable', 'a =\r\n\r\nb', 'a \r\nb'],
];

for (const [encoding, text, expected] of decoded) {
  test(`decodes ${encoding} ${JSON.stringify(text)}`, async () =>
    assert.equal(await decode(text, encoding), expected));
}

test('a body over the limit is refused', async () => {
  const cases: [string, string, number][] = [
    ['YWJj', 'base64', 3],
    ['a=41b', 'quoted-printable', 3],
    ['abc', '8bit', 3],
  ];
  for (const [text, encoding, size] of cases) {
    assert.equal((await decodeBody(Rope.of(text), encoding, size)).length, size);
    await assert.rejects(
      decodeBody(Rope.of(text), encoding, size - 1),
      (error) => error instanceof MimeError && error.code === 'body-too-large',
    );
  }
});

test('property: base64 survives, however the text is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 1, max: 100 }),
      cuts,
      async (octets, columns, places) => {
        const text = encodeBase64(octets, columns);
        assert.ok(text.split('\r\n').every((line) => line.length <= columns));
        assert.deepEqual(
          await decodeBody(inPieces(Buffer.from(text), places), 'base64', 300),
          Buffer.from(octets),
        );
      },
    ),
  );
});

test('property: quoted-printable survives, however the text is cut', async () => {
  const text = fc.string({
    unit: fc.oneof(
      fc.constantFrom('\r\n', ' ', '\t', '=', '\r', '\n', 'abcdefghijklmnopqrstuvwxyz'),
      fc.nat(255).map((octet) => String.fromCharCode(octet)),
    ),
    maxLength: 200,
  });
  await fc.assert(
    fc.asyncProperty(text, cuts, async (original, places) => {
      const encoded = encodeQuotedPrintable(latin1(original));
      assert.match(encoded, /^(?:[\t\x20-\x7e]|\r\n)*$/);
      assert.ok(encoded.split('\r\n').every((line) => line.length <= 76 && !/[ \t]$/.test(line)));
      const body = await decodeBody(inPieces(Buffer.from(encoded), places), 'quoted-printable', 10_000);
      assert.equal(body.toString('latin1'), original);
    }),
    { numRuns: 300 },
  );
});

test('property: decoding any bytes throws nothing, however they are cut', async () => {
  const piece = fc.constantFrom(
    '=',
    '=4',
    '=41',
    ' ',
    '\t',
    '\r\n',
    '\r',
    '\n',
    'a',
    'YWJj',
    'YQ==',
    '\xff',
    '\0',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: piece, maxLength: 50 }),
      cuts,
      fc.constantFrom('base64', 'quoted-printable'),
      async (text, places, encoding) => {
        const whole = await decodeBody(Rope.of(text), encoding, 1000);
        assert.deepEqual(await decodeBody(inPieces(latin1(text), places), encoding, 1000), whole);
      },
    ),
  );
});
