import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { Issuer } from '../../src/issuing/index.js';
import { readHeader } from '../../src/mime/index.js';
import { type Certified, legalTime, type Notification } from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import { createTrustStore, readSigned, type Signer, verifySignature } from '../../src/smime/index.js';
import { daticertXml, dtdFault, readableText, said } from '../e2e/reading.js';
import { field, headerOf } from '../support/inbox.js';
import { opensslComplaint } from '../support/notices.js';
import { testPki } from '../support/pki.js';
import { needs } from '../support/programs.js';

const at = Math.floor(Date.now() / 1000) * 1000 + 789;
const time = legalTime(at);
const pki = await testPki();
const provider = { name: pki.alfa.name, mailDomain: pki.alfa.mailDomain };
const issuerWith = (signer: Signer, random?: (octets: number) => Buffer): Issuer =>
  new Issuer(provider, () => signer, random);

const certified: Certified = {
  identificativo: 'ceralacca1.20250101000000.0123456789abcdef@pec.alfa.example',
  msgid: '<m@client.example>',
  sender: 'anna@pec.alfa.example',
  recipients: [{ address: 'bruno@pec.beta.example', kind: 'certificato' }],
  replyTo: 'anna@pec.alfa.example',
  subject: 'Perché <no> & "sì" €',
};
const recipient = 'bruno@pec.beta.example';
const original = Rope.of('From: a@b.example\r\n\r\ntesto\r\n');

const kinds: readonly Notification[] = [
  { kind: 'accettazione' },
  { kind: 'non-accettazione', reasons: ['una <ragione>', "un'altra"] },
  { kind: 'non-accettazione', virus: 'Eicar & c.' },
  { kind: 'presa-in-carico', recipients: [recipient] },
  { kind: 'avvenuta-consegna', recipient, receipt: 'completa', form: 'completa', original, eightBit: false },
  { kind: 'avvenuta-consegna', recipient, receipt: 'completa', form: 'sintetica' },
  { kind: 'errore-consegna', recipient, errore: 'no-dest', reason: '5.1.1 - x - indirizzo non valido' },
  { kind: 'errore-consegna', recipient, virus: 'Eicar' },
  { kind: 'preavviso-errore-consegna', recipient, step: '12h' },
  { kind: 'preavviso-errore-consegna', recipient, step: '24h' },
  { kind: 'rilevazione-virus', recipient, virus: 'Eicar' },
];

describe('issuing', () => {
  for (const { signer, name } of [pki.alfa, pki.beta].map(({ signer, subject }) => ({
    signer,
    name: subject[1]?.[1],
  }))) {
    it(`whatever is issued is signed, dated with its one instant, and verifies (key of ${name})`, async () => {
      const issuer = issuerWith(signer);
      const trust = createTrustStore(pki.authority.certificatePem);
      for (const notification of kinds) {
        const { messageId, rope } = await issuer.notification({
          time,
          to: certified.sender,
          certified,
          notification,
        });
        const bytes = await rope.bytes();
        const message = { bytes, header: headerOf(bytes) };
        assert.equal(field(message, 'Message-ID'), `<${messageId}>`);
        assert.equal(field(message, 'X-Ricevuta'), notification.kind);
        assert.equal(new Date(field(message, 'Date') ?? '').getTime(), time.epochMs);
        assert.equal(said(message).gestore, provider.name);
        assert.ok(readableText(message).includes(`${time.giorno} alle ore ${time.ora} (${time.zona})`));
        const signed = await readSigned(Rope.of(bytes));
        assert.ok(signed);
        const verdict = await verifySignature({
          signed,
          from: `posta-certificata@${signer === pki.alfa.signer ? 'pec.alfa.example' : 'pec.beta.example'}`,
          trust,
          at,
        });
        assert.deepEqual(verdict.faults, []);
        assert.equal(verdict.signingTime, time.epochMs, 'RFC 6109 4.1: the same second in the signature');
      }
    });
  }

  it('openssl believes every kind, and the DTD every daticert', {
    skip: needs('openssl') || needs('xmllint'),
  }, async () => {
    const issuer = issuerWith(pki.alfa.signer);
    for (const notification of kinds) {
      const { rope } = await issuer.notification({ time, to: certified.sender, certified, notification });
      const bytes = await rope.bytes();
      assert.equal(opensslComplaint({ bytes }, pki.authority.certificatePem), undefined, notification.kind);
      assert.equal(dtdFault(daticertXml({ bytes })), undefined, notification.kind);
    }
  });

  it('every id is fresh and cannot be guessed; the envelope\u2019s is the identificativo', async () => {
    const issuer = issuerWith(pki.beta.signer);
    const ids = new Set(Array.from({ length: 2000 }, () => issuer.newId(time)));
    assert.equal(ids.size, 2000);
    for (const id of ids) assert.match(id, /^ceralacca1\.\d{14}\.[0-9a-f]{24}@pec\.alfa\.example$/);
    const asked: number[] = [];
    const counted = issuerWith(pki.beta.signer, (octets) => {
      asked.push(octets);
      return randomBytes(octets);
    });
    const header = await readHeader(original);
    const envelope = await counted.envelope({
      time,
      certified,
      receiptType: 'completa',
      originalHeader: header,
      postacert: original,
      eightBit: false,
      mailFrom: certified.sender,
      received: 'Received: from x\r\n',
    });
    assert.equal(envelope.messageId, certified.identificativo);
    assert.deepEqual(asked, [], 'nothing random is needed for it');
    const anomaly = await counted.anomaly({
      time,
      mailFrom: 'x@y.example',
      recipients: [recipient],
      receivedHeader: header,
      original,
      eightBit: false,
      reason: 'prova',
    });
    assert.notEqual(anomaly.messageId, certified.identificativo);
    assert.deepEqual(asked, [12]);
  });

  it('a key that is renewed signs what comes after, a key that fails fails the issue', async () => {
    let signer: Signer = pki.alfa.signer;
    const issuer = new Issuer(provider, () => signer);
    const issue = () =>
      issuer.notification({ time, to: certified.sender, certified, notification: { kind: 'accettazione' } });
    const before = await (await issue()).rope.bytes();
    signer = pki.beta.signer;
    const after = await (await issue()).rope.bytes();
    const of = async (bytes: Buffer) => {
      const signed = await readSigned(Rope.of(bytes));
      assert.ok(signed);
      const trust = createTrustStore(pki.authority.certificatePem);
      return (await verifySignature({ signed, from: 'x', trust, at })).signer?.organization;
    };
    assert.deepEqual([await of(before), await of(after)], [pki.alfa.name, pki.beta.name]);
    signer = { ...pki.alfa.signer, sign: async () => Promise.reject(new Error('the device was pulled out')) };
    await assert.rejects(issue(), /the device was pulled out/);
  });

  it('an original of 8-bit octets is not recoded, whatever the notice (decisions 17)', async () => {
    const eight = Rope.of(Buffer.from('From: a@b.example\r\n\r\nperch\xe9\r\n', 'latin1'));
    const issuer = issuerWith(pki.beta.signer);
    const { rope } = await issuer.notification({
      time,
      to: certified.sender,
      certified,
      notification: {
        kind: 'avvenuta-consegna',
        recipient,
        receipt: 'completa',
        form: 'completa',
        original: eight,
        eightBit: true,
      },
    });
    assert.ok((await rope.bytes()).includes(await eight.bytes()));
  });
});
