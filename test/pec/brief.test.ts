import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type Part, readStructure } from '../../src/mime/index.js';
import { briefForm } from '../../src/pec/index.js';
import { Rope, type Source } from '../../src/rope/index.js';
import { message } from './cases.js';

const sha1 = (text: string): string => createHash('sha1').update(text, 'latin1').digest('hex');
const brief = async (...lines: string[]): Promise<string> =>
  (await (await briefForm(message(...lines))).bytes()).toString('latin1');
const untouched = async (...lines: string[]): Promise<void> => {
  const rope = message(...lines);
  assert.equal(await briefForm(rope), rope);
};

test('decisions 27: a named part becomes `<name>.hash`, its body hashed without the CRLF before the boundary', async () => {
  const lines = (part: string[]) => [
    'To: a@b.example',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    'preambolo',
    '--b',
    '',
    'testo',
    '--b',
    ...part,
    '--b--',
    'epilogo',
  ];
  assert.equal(
    await brief(
      ...lines([
        'Content-ID: <1@x>',
        'Content-Type: application/pdf; name="a.pdf"',
        'Content-MD5: xyz',
        'Content-Transfer-Encoding: base64',
        'Content-Disposition: inline;',
        ' filename="atto.pdf"; size=5',
        '',
        'QUJD',
        'REVG',
      ]),
    ),
    lines([
      'Content-ID: <1@x>',
      'Content-Type: text/plain; name="atto.pdf.hash"',
      'Content-Disposition: inline; filename="atto.pdf.hash"',
      'Content-Transfer-Encoding: 7bit',
      '',
      sha1('QUJD\r\nREVG'),
    ]).join('\r\n'),
  );
});

test('decisions 27: the name alone, in Content-Type or Content-Disposition, is enough', async () => {
  for (const field of [
    'Content-Type: text/plain; name=a.txt',
    'Content-Disposition: attachment; filename=a.txt',
  ]) {
    const text = await brief('Content-Type: multipart/mixed; boundary=b', '', '--b', field, '', 'x', '--b--');
    assert.match(
      text,
      /filename="a\.txt\.hash"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n11f6ad8ec52a2984abaafd7c3b516503785c2072\r\n--b--/,
    );
  }
});

test('decisions 27: RFC 2231 names are encoded again', async () => {
  for (const name of ["filename*=UTF-8''perch%C3%A9%20no.pdf", 'filename="=?utf-8?Q?perch=C3=A9_no.pdf?="']) {
    const rope = await briefForm(
      message(
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        `Content-Disposition: attachment; ${name}`,
        '',
        'x',
        '--b--',
      ),
    );
    const [part] = (await readStructure(rope)).children;
    assert.equal(part?.fileName, 'perché no.pdf.hash');
    assert.match((await rope.bytes()).toString('latin1'), /filename\*=UTF-8''perch%C3%A9/);
  }
});

test('decisions 27: a named single-part message too, its other fields in place', async () => {
  assert.equal(
    await brief(
      'To: a@b.example',
      'Content-Type: application/pdf; name=a.pdf',
      'Subject: x',
      '',
      'JVBERg==',
      '',
    ),
    [
      'To: a@b.example',
      'Subject: x',
      'Content-Type: text/plain; name="a.pdf.hash"',
      'Content-Disposition: attachment; filename="a.pdf.hash"',
      'Content-Transfer-Encoding: 7bit',
      '',
      sha1('JVBERg==\r\n'),
      '',
    ].join('\r\n'),
  );
});

test('decisions 27: an attached message is hashed whole, named or not', async () => {
  const inner = ['Subject: dentro', 'Content-Type: application/pdf; name=z.pdf', '', 'corpo'];
  const text = await brief(
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: message/rfc822',
    '',
    ...inner,
    '--b',
    'Content-Type: message/rfc822; name="vecchia.eml"',
    '',
    ...inner,
    '--b--',
  );
  const hash = sha1(inner.join('\r\n'));
  assert.ok(
    text.includes(`filename="messaggio.eml.hash"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n${hash}\r\n--b`),
  );
  assert.ok(
    text.includes(`filename="vecchia.eml.hash"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n${hash}\r\n--b`),
  );
});

const signature = [
  '--s',
  'Content-Type: application/pkcs7-signature; name=smime.p7s',
  '',
  'MIAG',
  '--s--',
  '',
];

test('decisions 27: the top-level multipart/signed keeps its signature part, what was signed is made brief', async () => {
  const text = await brief(
    'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=s',
    '',
    '--s',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: application/pkcs7-mime; name=contratto.pdf.p7m',
    '',
    'MIIB',
    '--b--',
    '',
    ...signature,
  );
  assert.ok(text.endsWith(signature.join('\r\n')));
  assert.ok(text.includes(`name="contratto.pdf.p7m.hash"`));
  assert.ok(text.includes(`\r\n\r\n${sha1('MIIB')}\r\n--b--`));
});

test('decisions 27: a signed message whose signed part is itself the attachment', async () => {
  const text = await brief(
    'Content-Type: multipart/signed; boundary=s',
    '',
    '--s',
    'Content-Type: application/pdf; name=a.pdf',
    '',
    'JVB',
    ...signature,
  );
  assert.ok(text.includes(`name="a.pdf.hash"`));
  assert.ok(text.endsWith(signature.join('\r\n')));
});

test('decisions 27: an inner multipart/signed is an attachment like any other', async () => {
  const text = await brief(
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: multipart/signed; boundary=s',
    '',
    '--s',
    '',
    'firmato',
    ...signature,
    '--b--',
  );
  assert.ok(text.includes('filename="smime.p7s.hash"'));
  assert.ok(!text.includes('MIAG'));
});

test('decisions 27: only a top-level pkcs7-mime is left whole', async () => {
  await untouched('Content-Type: application/pkcs7-mime; name=smime.p7m', '', 'MIAG');
  await untouched(
    'Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data; name=smime.p7m',
    '',
    'MIAG',
  );
});

test('decisions 27: nothing named, nothing replaced', async () => {
  await untouched('Subject: x', '', 'testo');
  await untouched(
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    '',
    'a',
    '--b',
    'Content-Type: text/html',
    '',
    '<p>',
    '--b--',
  );
});

test('decisions 27: names at any depth; a named inner multipart is one attachment', async () => {
  const text = await brief(
    'Content-Type: multipart/mixed; boundary=b; name=tutto',
    '',
    '--b',
    'Content-Type: multipart/related; boundary=c',
    '',
    '--c',
    '',
    'testo',
    '--c',
    'Content-Type: image/png; name=""',
    '',
    'png',
    '--c--',
    '--b',
    'Content-Type: multipart/mixed; boundary=d; name=plico',
    '',
    '--d',
    'Content-Type: text/plain; name=dentro.txt',
    '',
    'x',
    '--d--',
    '--b--',
  );
  const names: (string | undefined)[] = [];
  const walk = (part: Part): void => {
    names.push(part.fileName);
    part.children.forEach(walk);
  };
  walk(await readStructure(Rope.of(text)));
  assert.deepEqual(names, ['tutto', undefined, undefined, 'allegato.hash', 'plico.hash']);
});

test('a name cannot write headers', async () => {
  const rope = await briefForm(
    message(
      'Content-Type: multipart/mixed; boundary=b',
      '',
      '--b',
      "Content-Disposition: attachment; filename*=UTF-8''a%0D%0AX-Falso:%20s%22%5C%00",
      '',
      'x',
      '--b--',
    ),
  );
  const [part] = (await readStructure(rope)).children;
  assert.deepEqual(
    part?.header.fields.map(({ name }) => name),
    ['Content-Type', 'Content-Disposition', 'Content-Transfer-Encoding'],
  );
});

test('what cannot be read as a structure is left whole', async () => {
  const deep = Array.from({ length: 40 }, (_, at) => [
    `Content-Type: multipart/mixed; boundary=b${at}`,
    '',
    `--b${at}`,
  ]).flat();
  await untouched(...deep, 'Content-Type: text/plain; name=a', '', 'x');
});

test('what stays is pointed at, not copied', async () => {
  const bytes = Buffer.from(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${'testo\r\n'.repeat(50_000)}--b\r\nContent-Type: a/b; name=c\r\n\r\n${'x'.repeat(500_000)}\r\n--b--\r\n`,
  );
  const source: Source = {
    length: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
  const rope = await briefForm(Rope.of(source));
  assert.deepEqual(
    rope.segments.map((segment) => 'source' in segment),
    [true, false, true],
  );
  assert.ok((await rope.bytes()).includes(sha1('x'.repeat(500_000))));
});
