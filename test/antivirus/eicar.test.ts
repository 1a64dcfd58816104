import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openAntivirus } from '../../src/antivirus/index.js';
import { encodeQuotedPrintable } from '../../src/mime/index.js';
import { Rope } from '../../src/rope/index.js';
import { EICAR } from '../support/eicar.js';
import { inPieces } from '../support/ropes.js';

const scanner = openAntivirus({ kind: 'builtin' });
const base64 = (text: string): string =>
  Buffer.from(text, 'latin1').toString('base64').replace(/.{76}/g, '$&\r\n');
const message = (fields: readonly string[], body: string): string =>
  `From: a@b.example\r\n${fields.join('\r\n')}\r\n\r\n${body}`;
const mixed = (...parts: readonly string[]): string =>
  message(
    ['Content-Type: multipart/mixed; boundary="b"'],
    `${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`,
  );
const part = (fields: readonly string[], body: string): string => `${fields.join('\r\n')}\r\n\r\n${body}`;

const infected: Readonly<Record<string, string>> = {
  'as it is': message([], EICAR),
  'in the header': message([`Subject: ${EICAR}`], 'x'),
  'in base64': message(['Content-Transfer-Encoding: base64'], base64(EICAR)),
  'in BASE64 with spaces about it': message(
    ['Content-Transfer-Encoding:   BASE64  '],
    base64(`prima ${EICAR} dopo`),
  ),
  'in base64 over many lines': message(
    ['Content-Transfer-Encoding: base64'],
    base64(EICAR).replace(/.{5}/g, '$&\r\n '),
  ),
  'in quoted-printable': message(
    ['Content-Transfer-Encoding: quoted-printable'],
    [...EICAR].map((letter) => `=${letter.charCodeAt(0).toString(16).toUpperCase()}`).join('=\r\n'),
  ),
  'in quoted-printable as written by us': message(
    ['Content-Transfer-Encoding: quoted-printable'],
    encodeQuotedPrintable(Buffer.from(`${'è'.repeat(40)}${EICAR}`, 'latin1')),
  ),
  'in the second part': mixed(
    part(['Content-Type: text/plain'], 'ciao'),
    part(
      ['Content-Type: application/octet-stream; name="x.com"', 'Content-Transfer-Encoding: base64'],
      base64(EICAR),
    ),
  ),
  'after a part of broken base64': mixed(
    part(['Content-Transfer-Encoding: base64'], '!!!! ===='),
    part(['Content-Transfer-Encoding: base64'], base64(EICAR)),
  ),
  'in a multipart in a multipart': mixed(
    `Content-Type: multipart/alternative; boundary="c"\r\n\r\n--c\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(EICAR)}\r\n--c--\r\n`,
  ),
  'in a message in the message': mixed(
    part(['Content-Type: message/rfc822'], message(['Content-Transfer-Encoding: base64'], base64(EICAR))),
  ),
  'in a message that is base64 itself': mixed(
    part(
      ['Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64'],
      base64(message(['Content-Transfer-Encoding: base64'], base64(EICAR))),
    ),
  ),
  'in an attachment of a message of a message': mixed(
    part(
      ['Content-Type: message/rfc822'],
      mixed(
        part(
          ['Content-Type: message/rfc822'],
          mixed(part(['Content-Transfer-Encoding: base64'], base64(EICAR))),
        ),
      ),
    ),
  ),
};

const clean: Readonly<Record<string, string>> = {
  'nothing of it': message([], 'ciao'),
  'half of it': message([], EICAR.slice(0, 40)),
  'base64 text that says it is not': message([], base64(EICAR)),
  'an empty message': '',
  'no body': 'From: a@b.example\r\n\r\n',
};

describe('the built-in scanner', () => {
  for (const [where, text] of Object.entries(infected)) {
    it(`finds the test file ${where}`, async () => {
      const bytes = Buffer.from(text, 'latin1');
      for (const rope of [
        Rope.of(bytes),
        inPieces(bytes, [7, 100, 203, 350]),
        inPieces(bytes, [13, 250], true),
      ]) {
        assert.deepEqual(await scanner.scan(rope), {
          virus: 'Eicar-Test-Signature',
          engine: 'builtin eicar',
        });
      }
    });
  }
  for (const [what, text] of Object.entries(clean)) {
    it(`lets pass ${what}`, async () => {
      assert.equal((await scanner.scan(Rope.of(Buffer.from(text, 'latin1')))).virus, null);
    });
  }

  it('does not choke on what cannot be read', async () => {
    const deep = Array.from(
      { length: 200 },
      (_, index) => `Content-Type: multipart/mixed; boundary="b${index}"\r\n\r\n--b${index}\r\n`,
    ).join('');
    const wide = mixed(...Array.from({ length: 20_000 }, () => 'A: b\r\n\r\nx'));
    for (const text of [deep, wide, `From: a\r\n${'X: y\r\n'.repeat(80_000)}\r\n`]) {
      assert.equal((await scanner.scan(Rope.of(text))).virus, null);
    }
    assert.notEqual((await scanner.scan(Rope.of(deep, EICAR))).virus, null);
    assert.equal(await scanner.ping(), true);
  });
});
