import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeWords, encodePhrase, encodeSubject, Header, parseAddresses } from '../../src/mime/index.js';

const decoded: [raw: string, text: string][] = [
  ['plain', 'plain'],
  ['=?iso-8859-1?Q?perch=E9_no?=', 'perché no'],
  ['=?UTF-8?B?w6g=?=', 'è'],
  ['a =?utf-8?q?b?= c', 'a b c'],
  // RFC 2047 8: white space between two encoded words is not shown, between a word and text it is.
  ['=?utf-8?q?a?= =?utf-8?q?b?=', 'ab'],
  ['=?utf-8?q?a?=\t =?iso-8859-1?b?6Q==?=', 'aé'],
  ['=?utf-8?q?a?= b =?utf-8?q?c?=', 'a b c'],
  ['=?utf-8?q?a_?= =?utf-8?q?b?=', 'a b'],
  // A multi-byte letter cut between two words, by Q, by B, and by one of each.
  ['=?utf-8?q?=C3?= =?utf-8?q?=A9?=', 'é'],
  ['=?utf-8?b?4oI=?= =?UTF-8?b?rA==?=', '€'],
  ['=?utf-8?b?4oI=?= =?utf-8?q?=AC?=', '€'],
  ['=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=', '日本'],
  ['=?x-nobody?q?=C3=A9?=', 'é'],
  ['=?x-nobody?q?=E9?=', 'é'],
  ['=?utf-8*it?q?=C3=A8?=', 'è'],
  // Senders' faults that everybody reads: words inside words, quotes, unencoded spaces, wrong escapes.
  ['x=?utf-8?q?y?=z', 'xyz'],
  ['"=?utf-8?q?y?="', '"y"'],
  ['=?utf-8?Q?two words?=', 'two words'],
  ['=?utf-8?q?100=?=', '100='],
  ['=?utf-8?q??=', ''],
  // These are no encoded words.
  ['=?utf-8?x?abc?=', '=?utf-8?x?abc?='],
  ['=?utf-8?q?abc', '=?utf-8?q?abc'],
  ['=?utf-8?q?a?b?=', '=?utf-8?q?a?b?='],
  ['=??q?a?=', '=??q?a?='],
  ['=?=?utf-8?q?a?=', '=?a'],
  ['=?a b?q?c?=', '=?a b?q?c?='],
];

for (const [raw, text] of decoded) {
  test(`decodes ${JSON.stringify(raw)}`, () => assert.equal(decodeWords(raw), text));
}

test('an ASCII subject is prefixed as it stands (decisions 18)', () => {
  assert.equal(encodeSubject('ACCETTAZIONE:', 'Fattura n. 1 "a" (b)'), 'ACCETTAZIONE: Fattura n. 1 "a" (b)');
  assert.equal(encodeSubject('', 'x'), 'x');
  assert.equal(encodeSubject('CONSEGNA:', ''), 'CONSEGNA:');
});

test('a long ASCII subject is folded and unfolds to itself', () => {
  const original = 'parola '.repeat(60).trim();
  const value = encodeSubject('ACCETTAZIONE:', original);
  assert.ok(value.split('\r\n').every((line) => line.length <= 76));
  assert.equal(value.replaceAll('\r\n', ''), `ACCETTAZIONE: ${original}`);
});

test('ASCII that would be misread is encoded', () => {
  for (const original of ['=?utf-8?q?x?=', 'a\r\nBcc: x', ' led', 'trailed ', 'x'.repeat(2000), '\0']) {
    const value = encodeSubject('CONSEGNA:', original);
    assert.match(value, /^CONSEGNA: =\?UTF-8\?/);
    assert.equal(decodeWords(value.replaceAll('\r\n', '')), `CONSEGNA: ${original}`);
  }
});

test('under a long prefix the words begin on the next line', () => {
  const value = encodeSubject('AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO:', 'perché');
  assert.equal(value, 'AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO:\r\n =?UTF-8?Q?perch=C3=A9?=');
});

const unicode = fc.string({
  unit: fc.oneof(
    fc.constantFrom(' ', 'a', 'è', '=', '?', '_', '€', '😀', '"', '\\'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 120,
});

test('property: a subject survives encoding, folding and decoding', () => {
  fc.assert(
    fc.property(
      unicode,
      fc.constantFrom('', 'ACCETTAZIONE:', 'AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO:'),
      (original, prefix) => {
        const value = encodeSubject(prefix, original);
        assert.match(value, /^(?:[\x20-\x7e]|\r\n )*$/);
        for (const line of `Subject: ${value}`.split('\r\n'))
          assert.ok(line.length <= 76 && line.trim() !== '');
        const raw = new Header(Buffer.from(`Subject: ${value}\r\n\r\n`)).raw('subject') ?? '';
        assert.equal(
          decodeWords(raw),
          original === '' || prefix === '' ? prefix + original : `${prefix} ${original}`,
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('property: no encoded word holds half a character', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('è', '€', '😀', 'a'), minLength: 1, maxLength: 200 }),
      (original) => {
        const words = encodeSubject('CONSEGNA:', `è${original}`).match(/=\?[^ \r]*\?=/g) ?? [];
        assert.equal(words.map((word) => decodeWords(word)).join(''), `è${original}`);
        assert.ok(words.every((word) => word.length <= 75));
      },
    ),
  );
});

test('display names', () => {
  assert.equal(encodePhrase('Per conto di: a@b.it'), '"Per conto di: a@b.it"');
  assert.equal(encodePhrase('a "b" \\c'), '"a \\"b\\" \\\\c"');
  assert.equal(encodePhrase('Società'), '=?UTF-8?Q?Societ=C3=A0?=');
});

test('property: a display name survives an address list', () => {
  fc.assert(
    fc.property(unicode, (name) => {
      const raw = `${encodePhrase(name)} <a@b.it>`.replaceAll('\r\n', '');
      const expected = [...name]
        .map((character) => (/[\0-\x1f\x7f]/.test(character) ? ' ' : character))
        .join('');
      assert.deepEqual(parseAddresses(raw), {
        mailboxes: [{ name: expected, address: 'a@b.it' }],
        groups: 0,
        valid: true,
      });
    }),
    { numRuns: 300 },
  );
});
