/**
 * Messages made to cost their reader more than they cost their writer, brought in by a user and by a gestore. Each gets one
 * answer that holds: accepted and delivered with its receipts, or refused with a reason; nobody after it has to wait.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeWords,
  encodeSubject,
  parseAddresses,
  parseContentType,
  readStructure,
} from '../../src/mime/index.js';
import { Rope } from '../../src/rope/index.js';
import { replyFor } from '../../src/smtp/index.js';
import { daticertXml, dtdFault } from '../e2e/reading.js';
import { anna, answers, bruno, fromAlfa } from '../incoming-point/arrivals.js';
import { aboutId, label, signatureFaults } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import type { Stored } from '../support/points.js';
import { needs } from '../support/programs.js';

/** What is not linear takes hours at these sizes. */
const LINEAR = { timeout: 240_000 };

const lines = (...fields: readonly string[]): string => fields.map((field) => `${field}\r\n`).join('');
const head = lines(`From: ${anna}`, `To: ${bruno}`, 'Subject: bomba', 'Message-ID: <b@client.example>');
const mail = (fields: string, body = 'testo\r\n'): Buffer =>
  Buffer.from(`${head}${fields}\r\n${body}`, 'latin1');
const folded = (name: string, words: readonly string[]): string => `${name}: ${words.join('\r\n ')}\r\n`;
const many = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));
const multipart = (parts: number, part: (at: number) => string): Buffer =>
  mail(
    lines('MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary="m"'),
    `${many(parts, (at) => `--m\r\n${part(at)}\r\n`).join('')}--m--\r\n`,
  );

function nested(depth: number): Buffer {
  const inside = many(
    depth,
    (at) => `--n${at}\r\nContent-Type: multipart/mixed; boundary="n${at + 1}"\r\n\r\n`,
  ).join('');
  return mail(lines('Content-Type: multipart/mixed; boundary="n0"'), `${inside}--n${depth}\r\n\r\nfondo\r\n`);
}

const nestedMessages = (depth: number): Buffer =>
  mail(
    lines('Content-Type: message/rfc822'),
    `${'Content-Type: message/rfc822\r\n\r\n'.repeat(depth)}Subject: fondo\r\n\r\nx\r\n`,
  );

const without = (message: Buffer, name: string, field: string): Buffer =>
  Buffer.from(
    message.toString('latin1').replace(new RegExp(`^${name}: .*\\r\\n`, 'm'), () => field),
    'latin1',
  );

/** In the limits: to be accepted, delivered and answered. */
const taken: Readonly<Record<string, () => Buffer>> = {
  '100,000 parts': () => multipart(100_000, () => '\r\nx'),
  '20,000 named parts': () =>
    multipart(
      20_000,
      (at) =>
        `Content-Disposition: attachment; filename="f${at}"\r\nContent-Transfer-Encoding: base64\r\n\r\neA==`,
    ),
  'multiparts 10,000 deep': () => nested(10_000),
  'messages in messages 10,000 deep': () => nestedMessages(10_000),
  'twenty boundaries that begin alike, and 200,000 lines that begin like them': () => {
    const deep = many(
      19,
      (at) =>
        `--${'-'.repeat(at)}\r\nContent-Type: multipart/mixed; boundary="${'-'.repeat(at + 1)}"\r\n\r\n`,
    );
    return mail(
      lines('Content-Type: multipart/mixed; boundary="-"'),
      `${deep.join('')}${`${'-'.repeat(60)}x\r\n`.repeat(200_000)}`,
    );
  },
  '30,000 header fields': () => mail('a:\r\n'.repeat(30_000)),
  'a header field of blank lines': () => mail(`X-Vuoto: x\r\n${' \r\n'.repeat(30_000)} y\r\n`),
  '3,000 addresses in To': () =>
    without(
      mail(''),
      'To',
      folded('To', [`${bruno},`, ...many(3_000, (at) => `u${at}@pec.beta.example,`), 'z@pec.beta.example']),
    ),
  'a subject of encoded words in turns of charset': () =>
    without(
      mail(''),
      'Subject',
      folded(
        'Subject',
        many(2_500, (at) => (at % 2 === 0 ? '=?UTF-8?Q?=C3=A8?=' : '=?iso-8859-1?B?6Ojo6A==?=')),
      ),
    ),
  'a subject of words that never end': () =>
    without(
      mail(''),
      'Subject',
      folded(
        'Subject',
        many(2_000, () => '=?'.repeat(20)),
      ),
    ),
  'a subject of one word in UTF-7, of unknown charsets and of nothing': () =>
    without(
      mail(''),
      'Subject',
      folded(
        'Subject',
        many(1_000, (at) => ['=?utf-7?Q?+AOg-?=', '=?x-boh?B?6A==?=', '=?utf-8?B??='][at % 3] ?? ''),
      ),
    ),
  '5,000 parameters of a Content-Type': () =>
    mail(`Content-Type: text/plain${many(5_000, (at) => `;\r\n p${at}=x`).join('')}\r\n`),
  'a name in 3,000 pieces': () =>
    multipart(
      1,
      () =>
        `Content-Disposition: attachment${many(3_000, (at) => `;\r\n filename*${at}*=%E8${'a'.repeat(8)}`).join('')}\r\n\r\nx`,
    ),
  'names of 60,000 characters': () =>
    multipart(
      3,
      () =>
        `Content-Disposition: attachment;\r\n filename="${many(100, () => 'n'.repeat(600)).join('\r\n ')}"\r\n\r\nx`,
    ),
  'quoted-printable of soft line ends alone': () =>
    mail(
      lines('Content-Type: text/plain; name="x"', 'Content-Transfer-Encoding: quoted-printable'),
      '=\r\n'.repeat(1_000_000),
    ),
  'base64 of nothing but blanks': () =>
    mail(
      lines('Content-Type: application/x; name="x"', 'Content-Transfer-Encoding: base64'),
      '   \r\n'.repeat(1_000_000),
    ),
};

/** Over the limits: to be refused, once and for all. */
const refused: Readonly<Record<string, () => Buffer>> = {
  '22,000 addresses in To': () =>
    without(
      mail(''),
      'To',
      folded('To', [`${bruno},`, ...many(22_000, (at) => `u${at}@pec.beta.example,`), 'z@pec.beta.example']),
    ),
  'a header of a megabyte': () =>
    mail(
      folded(
        'X-Lungo',
        many(20_000, () => 'x'.repeat(50)),
      ),
    ),
  'a header without an end': () => Buffer.from(`${head}${'X: y\r\n'.repeat(300_000)}`),
  'comments 50,000 deep in To': () =>
    without(
      mail(''),
      'To',
      folded('To', [...many(100, () => '('.repeat(500)), ...many(100, () => `${')'.repeat(499)}`), bruno]),
    ),
  '50,000 angle brackets in To': () =>
    without(mail(''), 'To', folded('To', [...many(100, () => '<'.repeat(500)), bruno])),
  '10,000 groups in To': () =>
    without(mail(''), 'To', folded('To', [...many(10_000, () => 'g:'), `${bruno};`])),
};

/** What we made holds: signed, valid by the DTD, no line over 998 octets before the original begins. */
async function holds({ pki, clock }: Pair, message: Stored): Promise<void> {
  assert.deepEqual(await signatureFaults(message, pki.trust, clock.now), [], label(message));
  assert.equal(dtdFault(daticertXml(message)), undefined, label(message));
  const before = message.bytes.toString('latin1').split('postacert.eml"')[0] ?? '';
  assert.ok(
    before.split('\r\n').every((line) => line.length <= 998),
    `${label(message)}: a line is too long`,
  );
}

/** What the session answers: the code of a refusal, or `taken`. */
const answerTo = (brought: Promise<unknown>): Promise<string> =>
  brought.then(
    () => 'taken',
    (error: unknown) => String(replyFor(error).code),
  );

describe('bombs that a user submits', { skip: needs('xmllint') }, () => {
  const here = sharedPair();

  for (const [what, make] of Object.entries(taken)) {
    for (const receipt of ['completa', 'breve', 'sintetica']) {
      it(`${what}, ${receipt}: accepted, delivered, answered`, LINEAR, async () => {
        const pair = here();
        const { alfa, beta, network } = pair;
        const raw = Buffer.concat([Buffer.from(`X-TipoRicevuta: ${receipt}\r\n`), make()]);
        const before = (await alfa.inbox(anna)).length;
        const id = await alfa.submit({ from: anna, recipients: [bruno], raw });
        await network.pump();
        const got = (await alfa.inbox(anna)).slice(before);
        assert.deepEqual(got.map(label), ['accettazione', `avvenuta-consegna ${bruno}`]);
        const envelopes = aboutId(await beta.inbox(bruno), id);
        assert.equal(envelopes.length, 1);
        for (const message of [...got, ...envelopes]) await holds(pair, message);
      });
    }
  }

  for (const [what, make] of Object.entries(refused)) {
    it(`${what}: refused for good`, LINEAR, async () => {
      const pair = here();
      const { alfa } = pair;
      const before = (await alfa.inbox(anna)).length;
      const queued = (await alfa.queue()).length;
      const answer = await answerTo(alfa.submit({ from: anna, recipients: [bruno], raw: make() }));
      const got = (await alfa.inbox(anna)).slice(before);
      if (answer === 'taken') {
        assert.deepEqual(
          got.map(label).map((text) => text.split('/')[0]),
          ['non-accettazione'],
        );
        for (const message of got) await holds(pair, message);
      } else assert.match(answer, /^5/);
      assert.equal((await alfa.queue()).length, queued);
    });
  }
});

describe('bombs inside what a gestore sends', () => {
  const here = sharedPair();

  for (const [what, make] of Object.entries({ ...taken, ...refused })) {
    it(`${what}: taken in charge and answered, or set apart; never put off`, LINEAR, async () => {
      const pair = here();
      const { beta } = pair;
      // Of a header over the limit no envelope can be made; as it comes it is ordinary mail.
      const sealed = await fromAlfa(pair, { original: make(), receiptType: 'breve' }).catch(() => undefined);
      const message = sealed?.bytes ?? make();
      const before = (await beta.inbox(bruno)).length;
      const answer = await answerTo(beta.receive({ mailFrom: anna, recipients: [bruno], message }));
      assert.match(answer, /^(?:taken|5..)$/);
      const got = (await beta.inbox(bruno)).slice(before).map(label);
      const receipts = sealed === undefined ? [] : await answers(beta, sealed.id);
      if (answer === 'taken' && got[0] === 'posta-certificata') assert.equal(receipts.length, 2);
      else assert.equal(receipts.length, 0);
      assert.equal(got.length, answer === 'taken' ? 1 : 0);
    });
  }
});

describe('readers at sizes where only a linear one comes to its end', () => {
  it('addresses, words, parameters, delimiters', LINEAR, async () => {
    const size = 2_000_000;
    for (const piece of [
      '(',
      ')',
      '<',
      '>',
      '"',
      '\\',
      ',',
      ';',
      'g:',
      '@',
      '.',
      'a@b.c,',
      '=?',
      '=?a?',
      '=?a?q?',
      '=?a?q??=',
      ' ',
      '\\"',
      '()',
      '<>',
      'x ',
      ';a=',
      ";a*0*=''%",
      '"=',
    ]) {
      const text = piece.repeat(size / piece.length);
      parseAddresses(text);
      parseAddresses(`${text}${bruno}`);
      decodeWords(text);
      parseContentType(text);
      parseContentType(`multipart/mixed${text}`);
      encodeSubject('POSTA CERTIFICATA:', text.slice(0, size / 10));
    }
    for (const body of ['\r\n--', '\r\n--m', '\r\n--m ', '--m--', '\r\n--m\t-']) {
      const bytes = mail(lines('Content-Type: multipart/mixed; boundary="m"'), body.repeat(size));
      for (const rope of [
        Rope.of(bytes),
        Rope.of({ length: bytes.length, read: async (at, length) => bytes.subarray(at, at + length) }),
      ]) {
        await readStructure(rope).catch((error: Error) => assert.equal(error.name, 'MimeError'));
      }
    }
  });
});
