import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import * as pkijs from 'pkijs';
import { Rope } from '../../src/rope/index.js';
import {
  createTrustStore,
  parseSignedData,
  type Signer,
  seal,
  verifySignature,
} from '../../src/smime/index.js';
import { children, content, readWhole } from '../../src/smime/read/asn1.js';
import { derTime } from '../../src/smime/read/der.js';
import { readTime } from '../../src/smime/read/values.js';
import { openssl, type Scratch, scratch } from '../support/openssl.js';
import { type Authority, createAuthority, type Identity, type KeyKind, signerOf } from '../support/pki.js';
import { needs } from '../support/programs.js';
import { composed, entityText, FROM, halves, sealed, sourceOf } from './messages.js';

let files: Scratch;
let root: Authority;
let middle: Authority;
before(async () => {
  files = scratch();
  root = await createAuthority({ name: 'Radice', keys: 'rsa-2048' });
  middle = await createAuthority({ name: 'Intermedia', keys: 'rsa-2048', issuer: root });
});
after(() => files.remove());

/** openssl 3.0 takes revocation lists from the CAfile. */
function opensslVerifies(message: Uint8Array, trusted: string): { ok: boolean; stderr: string } {
  const file = files.write('message.eml', message);
  const trust = files.write('trust.pem', trusted);
  const out = files.path('entity');
  const options = ['-purpose', 'smimesign', '-crl_check_all', '-x509_strict'];
  return openssl('cms', '-verify', '-in', file, '-CAfile', trust, ...options, '-out', out);
}

describe('seal', () => {
  for (const keys of ['rsa-2048', 'rsa-3072', 'p-256'] as const satisfies readonly KeyKind[]) {
    it(`openssl verifies a ${keys} seal with chain and revocation lists`, {
      skip: needs('openssl'),
    }, async () => {
      const leaf = await middle.issue({ keys });
      const message = await sealed(leaf, Date.now(), middle.certificate);
      const trusted = root.certificatePem + root.crlPem() + middle.crlPem();
      const run = opensslVerifies(message, trusted);
      assert.ok(run.ok, run.stderr);

      const revoked = middle.crlPem({
        revoked: [{ certificate: leaf.certificate, at: Date.now() - 60_000 }],
      });
      assert.match(opensslVerifies(message, root.certificatePem + root.crlPem() + revoked).stderr, /revoked/);
    });

    it(`pkijs verifies a ${keys} seal`, async () => {
      const leaf = await root.issue({ keys });
      const signed = await halves(await sealed(leaf));
      const info = pkijs.ContentInfo.fromBER(signed.cms);
      const data = new pkijs.SignedData({ schema: info.content });
      const entity = await signed.entity.bytes();
      const found = await data.verify({ signer: 0, data: Uint8Array.from(entity).buffer, checkChain: false });
      assert.equal(found, true);
    });
  }

  it('gives canonical CRLF with the form of PEC messages', async () => {
    const message = (await sealed(await root.issue())).toString('latin1');
    assert.equal(message.replaceAll('\r\n', '').match(/[\r\n]/), null);
    const boundary = '----0123456789ABCDEF0123456789ABCDEF';
    assert.ok(
      message.includes(
        'MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol="application/pkcs7-signature"; ' +
          `micalg="sha-256"; boundary="${boundary}"\r\n\r\nThis is an S/MIME signed message\r\n\r\n--${boundary}\r\n${entityText}\r\n--${boundary}\r\n`,
      ),
    );
    const part = message.slice(message.lastIndexOf('Content-Type: application/pkcs7-signature'));
    assert.match(part, /^Content-Type: application\/pkcs7-signature; name="smime.p7s"\r\n/);
    assert.match(part, /\r\nContent-Disposition: attachment; filename="smime.p7s"\r\n/);
    assert.ok(part.split('\r\n').every((line) => line.length <= 76));
    assert.ok(part.endsWith(`--${boundary}--\r\n`));
  });

  it('signs the instant to the second, contentType, signingTime and messageDigest in DER order', async () => {
    const at = Date.UTC(2026, 10, 13, 15, 39, 26, 789);
    const { cms } = await halves(await sealed(await root.issue(), at));
    const { signer, contentType, content: inner } = parseSignedData(cms);
    assert.equal(inner, undefined);
    assert.equal(contentType, '1.2.840.113549.1.7.1');
    assert.equal(signer.digestAlgorithm, 'sha256');
    assert.equal(signer.attributes?.signingTime, Date.UTC(2026, 10, 13, 15, 39, 26));
    assert.deepEqual(
      Buffer.from(signer.attributes?.messageDigest ?? []),
      createHash('sha256').update(entityText).digest(),
    );
    const attributes = children(readWhole(signer.attributes?.signedBytes ?? new Uint8Array())).map(
      (element) => Buffer.from(element.source.subarray(element.start, element.end)),
    );
    assert.equal(attributes.length, 3);
    assert.deepEqual(attributes, [...attributes].sort(Buffer.compare));
  });

  it('includes the signer and its chain, never a root', async () => {
    const leaf = await middle.issue();
    const { cms } = await halves(await sealed(leaf, Date.now(), middle.certificate));
    const subjects = parseSignedData(cms).certificates.map((raw) => new X509Certificate(raw).subject);
    assert.equal(subjects.length, 2);
    assert.ok(subjects.every((subject) => !subject.includes('Radice')));
  });

  it('streams an entity that is not in memory, leaving its bytes as they are', async () => {
    const leaf = await root.issue();
    const big = Buffer.alloc(700_000, 'riga\r\n');
    const rope = await seal(composed(Rope.of('A: b\r\n\r\n', sourceOf(big))), signerOf(leaf), Date.now());
    assert.equal(rope.segments.filter((segment) => 'source' in segment).length, 1);
    const { entity } = await halves(rope);
    assert.ok((await entity.bytes()).equals(Buffer.concat([Buffer.from('A: b\r\n\r\n'), big])));
  });

  it('rejects when the key fails, and signs nothing', async () => {
    const leaf: Identity = await root.issue();
    const broken: Signer = { ...signerOf(leaf), sign: () => Promise.reject(new Error('token removed')) };
    await assert.rejects(seal(composed(), broken, Date.now()), /token removed/);
  });

  it('writes UTCTime through 2049 and GeneralizedTime from 2050 (RFC 5652 11.3)', () => {
    const last = readWhole(derTime(Date.UTC(2049, 11, 31, 23, 59, 59, 999)));
    assert.equal(last.tag, 0x17);
    assert.equal(Buffer.from(content(last)).toString(), '491231235959Z');
    const first = readWhole(derTime(Date.UTC(2050, 0, 1)));
    assert.equal(first.tag, 0x18);
    assert.equal(Buffer.from(content(first)).toString(), '20500101000000Z');
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1950, 0, 1), max: Date.UTC(2500, 0, 1) }), (at) => {
        assert.equal(readTime(readWhole(derTime(at))), Math.floor(at / 1000) * 1000);
      }),
    );
  });

  it('gives ECDSA signatures, whose lengths differ, their own lengths', async () => {
    const leaf = await root.issue();
    const trust = createTrustStore(root.certificatePem);
    const lengths = new Set<number>();
    for (let i = 0; i < 60; i++) {
      const signed = await halves(await sealed(leaf));
      lengths.add(signed.cms.length);
      const verdict = await verifySignature({ signed, from: FROM, trust, at: Date.now() });
      assert.deepEqual(verdict.faults, []);
    }
    assert.ok(lengths.size > 1);
  });
});
