import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { briefForm } from '../../src/pec/index.js';
import {
  checksOf,
  envelope,
  notice,
  original,
  postacert,
  RECIPIENT,
  reasonsOf,
  remarksOf,
  sealed,
  type World,
  world,
} from './world.js';

let w: World;
let busta: Buffer;
let breve: Buffer;
before(async () => {
  w = await world();
  busta = await sealed(await envelope(w.pki.alfa), w.pki.alfa.signer);
  breve = await sealed(
    notice(w.pki.beta, {
      kind: 'avvenuta-consegna',
      recipient: RECIPIENT,
      receipt: 'breve',
      form: 'breve',
      original: await briefForm(await postacert()),
    }),
    w.pki.beta.signer,
  );
});

const replaced = (from: string, to: string): Buffer => {
  const text = original().toString('utf8');
  assert.ok(text.includes(from));
  return Buffer.from(text.replace(from, to), 'utf8');
};

describe('--original with a message that carries it', () => {
  it('is the same, whatever the gestore changed on the way', async () => {
    for (const file of [
      original(),
      replaced('Message-ID: <1@client.example>\r\n', 'Return-Path: <a@b.example>\r\n'),
      Buffer.from(original().toString('utf8').replaceAll('\r\n', '\n')),
      original().subarray(0, -2),
    ]) {
      const report = await w.verify(busta, { original: file });
      assert.equal(report.verdict, 'PROVEN');
      assert.ok(checksOf(report).includes('original-same'));
    }
  });

  it('tells that line ends were restored and that the Message-ID is another', async () => {
    const lf = Buffer.from(original().toString('utf8').replaceAll('\r\n', '\n').replace('<1@', '<2@'));
    const remarks = remarksOf(await w.verify(busta, { original: lf }));
    assert.ok(remarks.includes('original-line-ends-restored'));
    assert.ok(remarks.includes('original-message-id-differs'));
  });

  it('is REFUTED by another text, attachment, subject or recipient', async () => {
    for (const file of [
      original('Si ritira quanto in oggetto.'),
      replaced('JVBERi0x', 'JVBERi0y'),
      replaced('Perch=C3=A9_no', 'Perch=C3=A9_si'),
      replaced(`To: ${RECIPIENT}`, `To: ${RECIPIENT}, altri@pec.beta.example`),
    ]) {
      const report = await w.verify(busta, { original: file });
      assert.equal(report.verdict, 'REFUTED');
      assert.ok(reasonsOf(report).includes('original-differs'));
    }
  });

  it('stays open with a field of service that was not sent', async () => {
    const file = replaced('MIME-Version', 'X-Mozilla-Status: 0001\r\nMIME-Version');
    assert.deepEqual(reasonsOf(await w.verify(busta, { original: file })), ['original-header-differs']);
  });

  it('does not speak of messages inside', async () => {
    const receipt = await sealed(notice(w.pki.alfa, { kind: 'accettazione' }), w.pki.alfa.signer);
    const inner = original('x', '--confine', 'Content-Type: message/rfc822', '', receipt.toString('latin1'));
    const outer = await sealed(await envelope(w.pki.alfa, inner), w.pki.alfa.signer);
    const report = await w.verify(outer, { original: inner });
    assert.deepEqual(reasonsOf(report), []);
    assert.deepEqual(report.nested.map(reasonsOf), [[]]);
  });
});

describe('--original with a message that does not', () => {
  it('is not comparable', async () => {
    const message = await sealed(notice(w.pki.alfa, { kind: 'accettazione' }), w.pki.alfa.signer);
    const report = await w.verify(message, { original: original() });
    assert.deepEqual(reasonsOf(report), ['original-not-comparable']);
    assert.match(report.reasons[0]?.it ?? '', /Message-ID coincide/);
  });
});

describe('--original with a brief receipt', () => {
  it('matches by the hashes of the attachments', async () => {
    const report = await w.verify(breve, { original: original() });
    assert.equal(report.verdict, 'PROVEN');
    assert.ok(checksOf(report).includes('original-same-hashes'));
    assert.deepEqual(
      report.original?.parts.map(({ name, sha1 }) => [name, sha1?.length]),
      [['ricorso.pdf', 40]],
    );
  });

  it('is REFUTED by another attachment, another name, another text, one more part', async () => {
    for (const [file, why] of [
      [replaced('JVBERi0x', 'JVBERi0y'), /la parte "ricorso\.pdf\.hash" è diversa/],
      [
        Buffer.from(original().toString('utf8').replaceAll('ricorso.pdf', 'altro.pdf')),
        /si chiama "altro\.pdf\.hash"/,
      ],
      [original('Altro testo.'), /la parte "1" è diversa/],
      [original('x', '--confine', '', 'y'), /numero delle parti/],
    ] as const) {
      const report = await w.verify(breve, { original: file });
      assert.equal(report.verdict, 'REFUTED');
      assert.match(report.reasons[0]?.it ?? '', why);
    }
  });
});
