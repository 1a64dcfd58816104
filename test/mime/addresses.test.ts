import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddresses } from '../../src/mime/index.js';

type Pair = [name: string, address: string];
const valid: [raw: string, mailboxes: Pair[], groups?: number][] = [
  ['a@b.it', [['', 'a@b.it']]],
  ['<a@b.it>', [['', 'a@b.it']]],
  [
    'A@B.It, c@d.it',
    [
      ['', 'A@B.It'],
      ['', 'c@d.it'],
    ],
  ],
  ['Mario Rossi <m@r.it>', [['Mario Rossi', 'm@r.it']]],
  [
    '"Per conto di: a@b.it" <posta-certificata@pec.it>',
    [['Per conto di: a@b.it', 'posta-certificata@pec.it']],
  ],
  ['"Rossi, \\"Mario\\"" <m@r.it>', [['Rossi, "Mario"', 'm@r.it']]],
  ['John Q. Public <j@x.it>', [['John Q. Public', 'j@x.it']]],
  ['=?utf-8?q?Societ=C3=A0?= =?utf-8?q?_Bella?= <s@x.it>', [['Società Bella', 's@x.it']]],
  ['Societ\xe0 <s@x.it>', [['Società', 's@x.it']]],
  ['a@b.it (Mario (the (great)) \\) x)', [['Mario (the (great)) ) x', 'a@b.it']]],
  ['(c)a(c)@(c)b.it(c)', [['c', 'a@b.it']]],
  // RFC 5322 A.5 and A.6
  ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', [['Pete', 'pete@silly.test']]],
  [
    "A Group(Some people)\r\n :Chris Jones <c@(Chris's host.)public.example>,\r\n joe@example.org,\r\n John <jdoe@one.test> (my dear friend); (the end of the group)",
    [
      ['Chris Jones', 'c@public.example'],
      ['', 'joe@example.org'],
      ['John', 'jdoe@one.test'],
    ],
    1,
  ],
  ['(Empty list)(start)Undisclosed recipients  :(nobody(that I know))  ;', [], 1],
  ['undisclosed-recipients:;', [], 1],
  [
    'a:;, b: x@y.it;, z@w.it',
    [
      ['', 'x@y.it'],
      ['', 'z@w.it'],
    ],
    2,
  ],
  ['Joe <@node.test,@other.test:john@public.test>', [['Joe', 'john@public.test']]],
  ['john . doe @ example . org', [['', 'john.doe@example.org']]],
  [
    ',a@b.it,, ,c@d.it,',
    [
      ['', 'a@b.it'],
      ['', 'c@d.it'],
    ],
  ],
  // Quoted local parts: quotes stay only where they are needed.
  ['"a b"@x.it', [['', '"a b"@x.it']]],
  ['"a.b"@x.it', [['', 'a.b@x.it']]],
  ['"a@b"@x.it', [['', '"a@b"@x.it']]],
  ['"a\\"b"@x.it', [['', '"a\\"b"@x.it']]],
  ['""@x.it', [['', '""@x.it']]],
  ['a@[192.0.2.1]', [['', 'a@[192.0.2.1]']]],
  ['"" <a@b.it>', [['', 'a@b.it']]],
];

for (const [raw, mailboxes, groups = 0] of valid) {
  test(`reads ${JSON.stringify(raw)}`, () => {
    const read = parseAddresses(raw);
    assert.deepEqual(
      read.mailboxes.map(({ name, address }) => [name, address]),
      mailboxes,
    );
    assert.equal(read.groups, groups);
    assert.equal(read.valid, true);
  });
}

const invalid: [raw: string, addresses: string[]][] = [
  ['', []],
  ['  (only a comment)', []],
  ['<>', []],
  ['nobody', []],
  ['nobody, a@b.it', ['a@b.it']],
  ['a@', []],
  ['@b.it', []],
  ['a@b@c.it', []],
  ['a@b.it c@d.it', []],
  ['a b@c.it', []],
  ['"a"b@c.it', []],
  ['a@b c.it', []],
  ['a@b[1]', []],
  ['a[1]@b.it', []],
  ['a@b.[1]', ['a@b.[1]']],
  ['.a@b.it', ['.a@b.it']],
  ['a..b@c.it', ['a..b@c.it']],
  ['a@b..it', ['a@b..it']],
  ['a@b.it.', ['a@b.it.']],
  ['a@b.it; c@d.it', ['a@b.it', 'c@d.it']],
  ['a@b.it <c@d.it>', ['c@d.it']],
  ['Per conto di: u@v.it <p@pec.it>', ['p@pec.it']],
  ['<a@b.it', ['a@b.it']],
  ['a@b.it>', ['a@b.it']],
  ['<a@b.it> <c@d.it>', ['c@d.it']],
  ['"open <a@b.it>', []],
  ['a@b.it (open', ['a@b.it']],
  ['a@"b".it', []],
  ['a@b\0.it', []],
  ['x: a@b.it', ['a@b.it']],
  ['x: y: a@b.it;', []],
  [':a@b.it', []],
  ['x:; y@z.it', ['y@z.it']],
  ['a@[1', []],
  ['a)@b.it', []],
];

for (const [raw, addresses] of invalid) {
  test(`tells ${JSON.stringify(raw)} is no address list`, () => {
    const read = parseAddresses(raw);
    assert.equal(read.valid, false);
    assert.deepEqual(
      read.mailboxes.map(({ address }) => address),
      addresses,
    );
  });
}

test('property: no text makes it throw, and no address or name has a control character', () => {
  const piece = fc.constantFrom(
    'a',
    'b.c',
    '@',
    '<',
    '>',
    ',',
    ';',
    ':',
    '"',
    '(',
    ')',
    '[',
    ']',
    '\\',
    ' ',
    '\r\n ',
    '.',
    '\xe8',
    '\0',
    '=?utf-8?q?=0A?=',
  );
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 40 }), (raw) => {
      for (const { name, address } of parseAddresses(raw).mailboxes) {
        assert.doesNotMatch(name + address, /[\0-\x1f\x7f]/);
        assert.match(address, /^.+@.+$/);
      }
    }),
    { numRuns: 1000 },
  );
});

test('property: what is read is read again the same', () => {
  const local = fc.oneof(
    fc.stringMatching(/^[a-z0-9_+-]{1,8}(?:\.[a-z]{1,4})?$/),
    fc.stringMatching(/^[ -~]{0,10}$/),
  );
  fc.assert(
    fc.property(fc.array(local, { minLength: 1, maxLength: 5 }), (locals) => {
      const raw = locals.map((each) => `"${each.replace(/["\\]/g, '\\$&')}"@x.it`).join(', ');
      const once = parseAddresses(raw);
      assert.equal(once.valid, true);
      assert.deepEqual(parseAddresses(once.mailboxes.map(({ address }) => address).join(',')), once);
    }),
  );
});
