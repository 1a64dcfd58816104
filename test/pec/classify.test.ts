import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Header } from '../../src/mime/index.js';
import { classify } from '../../src/pec/classify.js';
import { headerOf } from './checking-support.js';

const SIGNED =
  'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg="sha-256"; boundary="b"';
const SIGNED_X =
  'Content-Type: Multipart/Signed; protocol="application/x-pkcs7-signature"; micalg="sha1"; boundary="b"';

describe('classification by the outer header', () => {
  test('envelopes, anomalies and notifications, in both signature types and any case', async () => {
    for (const type of [SIGNED, SIGNED_X]) {
      assert.deepEqual(classify(await headerOf('X-TRASPORTO: Posta-Certificata', type)), {
        kind: 'envelope',
        signed: true,
      });
      assert.deepEqual(classify(await headerOf('X-Trasporto: errore', type)), {
        kind: 'anomaly',
        signed: true,
      });
      assert.deepEqual(classify(await headerOf('X-Ricevuta: presa-in-carico', type)), {
        kind: 'notification',
        signed: true,
        tipo: 'presa-in-carico',
      });
    }
  });

  test('without a signature everything is ordinary', async () => {
    const plain = await headerOf(
      'X-Trasporto: posta-certificata',
      'Content-Type: multipart/mixed; boundary="b"',
    );
    assert.equal(classify(plain).kind, 'ordinary');
    assert.equal(classify(plain).signed, false);
    const pgp = await headerOf(
      'X-Trasporto: posta-certificata',
      'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary="b"',
    );
    assert.equal(classify(pgp).signed, false);
  });

  test('a signed message of no known form says what is wrong', async () => {
    const cases: [string[], RegExp][] = [
      [[], /non ha un campo X-Trasporto o X-Ricevuta/],
      [['X-Trasporto: posta-certificata', 'X-Ricevuta: accettazione'], /in contraddizione/],
      [['X-Ricevuta: accettazione', 'X-Ricevuta: avvenuta-consegna'], /in contraddizione/],
      [['X-Trasporto: altro'], /X-Trasporto ha il valore sconosciuto "altro"/],
      [['X-Ricevuta: posta-certificata'], /X-Ricevuta ha il valore sconosciuto "posta-certificata"/],
    ];
    for (const [lines, fault] of cases) {
      const classified = classify(await headerOf(...lines, SIGNED));
      assert.ok(classified.kind === 'ordinary' && classified.signed);
      assert.match(classified.fault, fault);
    }
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 6 }), fc.string(), fc.string(), (lines, mark, type) => {
        const text = [...lines, `X-Ricevuta: ${mark}`, `Content-Type: ${type}`].join('\r\n');
        classify(new Header(Buffer.from(`${text}\r\n\r\n`, 'utf8')));
      }),
    );
  });
});
