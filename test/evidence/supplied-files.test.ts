import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type EvidenceReport, type HashedFile, hashFile, matchFiles } from '../../src/evidence/index.js';
import { briefForm } from '../../src/pec/index.js';
import { nodeCrypto } from '../../src/smime/index.js';
import {
  checksOf,
  notice,
  postacert,
  RECIPIENT,
  reasonsOf,
  remarksOf,
  SENDER,
  sealed,
  type World,
  world,
} from './world.js';

let w: World;
before(async () => {
  w = await world();
});

const CONTENT = Buffer.from(Array.from({ length: 9001 }, (_, index) => (index * 7 + (index >> 5)) % 256));

/** A brief receipt for one attachment, whose body stands in the message like this. */
async function receipt(body: string, name = 'ricorso.pdf', encoding = 'base64'): Promise<Buffer> {
  const from = [
    'Message-ID: <1@client.example>',
    `From: Mario Rossi <${SENDER}>`,
    `To: ${RECIPIENT}`,
    'Subject: x',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="confine"',
    '',
    '--confine',
    '',
    'testo',
    '--confine',
    `Content-Type: application/octet-stream; name="${name}"`,
    'Content-Disposition: attachment',
    `Content-Transfer-Encoding: ${encoding}`,
    '',
    body,
    '--confine--',
    '',
  ].join('\r\n');
  const original = await briefForm(await postacert(Buffer.from(from, 'latin1')));
  const delivered = {
    kind: 'avvenuta-consegna',
    recipient: RECIPIENT,
    receipt: 'breve',
    form: 'breve',
  } as const;
  return sealed(notice(w.pki.beta, { ...delivered, original }), w.pki.beta.signer);
}

const base64 = (columns: number, bytes = CONTENT): string =>
  bytes.toString('base64').replace(new RegExp(`.{${columns}}(?!$)`, 'g'), '$&\r\n');

const hashed = (name: string, bytes: Buffer): Promise<HashedFile> => hashFile(name, bytes, nodeCrypto);

async function judged(message: Buffer, ...files: HashedFile[]): Promise<EvidenceReport> {
  return w.verify(message, { files });
}

describe('a file beside a brief receipt', () => {
  it('has its hash, however it was encoded by the usual rules', async () => {
    const file = await hashed('cartella/ricorso.pdf', CONTENT);
    for (const body of [
      base64(76),
      base64(72),
      base64(64),
      base64(60),
      `${base64(76)}\r\n`,
      `${base64(72)}\r\n`,
      CONTENT.toString('base64'),
    ]) {
      const report = await judged(await receipt(body), file);
      assert.equal(report.verdict, 'PROVEN');
      assert.ok(checksOf(report).includes('file-hash-same'));
      assert.deepEqual(
        matchFiles(report.original, [file]).map(({ part, file }) => [part, file]),
        [['ricorso.pdf', 'cartella/ricorso.pdf']],
      );
    }
  });

  it('of every length near the ends of lines and blocks', async () => {
    for (const columns of [76, 72]) {
      const line = (columns / 4) * 3;
      for (const length of [0, 1, line - 1, line, line + 1, 4096 * line - 1, 4096 * line, 4096 * line + 1]) {
        const bytes = Buffer.alloc(length, 'abcde');
        const { sha1 } = await nodeCrypto.digests(['sha1'], [Buffer.from(base64(columns, bytes))]);
        const { forms } = await hashed('x', bytes);
        assert.ok(
          forms.some((form) => form.sha1 === Buffer.from(sha1).toString('hex')),
          `${columns} ${length}`,
        );
      }
    }
  });

  it('is a text as it stands, with the line ends of mail, with or without the last', async () => {
    const text = 'uno\r\ndue';
    for (const file of ['uno\r\ndue', 'uno\r\ndue\r\n', 'uno\ndue\n']) {
      const report = await judged(
        await receipt(text, 'a.txt', '7bit'),
        await hashed('a.txt', Buffer.from(file)),
      );
      assert.ok(checksOf(report).includes('file-hash-same'), file);
    }
  });

  it('is found under another name', async () => {
    const report = await judged(await receipt(base64(76)), await hashed('copia.bin', CONTENT));
    assert.match(
      report.checks.find(({ code }) => code === 'file-hash-same')?.it ?? '',
      /copia\.bin.*"ricorso\.pdf"/,
    );
  });

  it('is never REFUTED: another encoding leaves it open, another file too', async () => {
    const other = await hashed('ricorso.pdf', Buffer.concat([CONTENT, Buffer.from('x')]));
    const same = await hashed('ricorso.pdf', CONTENT);
    for (const [message, file] of [
      [await receipt(base64(76)), other],
      [await receipt(base64(40)), same],
    ] as const) {
      const report = await judged(message, file);
      assert.equal(report.verdict, 'INDETERMINATE');
      assert.deepEqual(reasonsOf(report), ['file-hash-not-found']);
    }
  });

  it('without the name or the hash of the attachment says only that it was not handed in', async () => {
    const report = await judged(await receipt(base64(76)), await hashed('altro.pdf', Buffer.from('x')));
    assert.equal(report.verdict, 'PROVEN');
    assert.ok(remarksOf(report).includes('file-not-supplied'));
  });

  it('says nothing where no file is handed in, or there is no brief receipt', async () => {
    const message = await receipt(base64(76));
    for (const report of [
      await judged(message),
      await judged(
        await sealed(notice(w.pki.alfa, { kind: 'accettazione' }), w.pki.alfa.signer),
        await hashed('ricorso.pdf', CONTENT),
      ),
    ]) {
      const codes = [...reasonsOf(report), ...remarksOf(report), ...checksOf(report)];
      assert.deepEqual(
        codes.filter((code) => code.startsWith('file-')),
        [],
      );
    }
  });
});
