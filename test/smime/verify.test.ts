import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { Rope } from '../../src/rope/index.js';
import {
  CrlStore,
  createTrustStore,
  readSigned,
  type TrustStore,
  type Verdict,
  verifySignature,
} from '../../src/smime/index.js';
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
} from '../../src/smime/keys/issue-certificate.js';
import { der, derOid } from '../../src/smime/read/der.js';
import { Purpose } from '../../src/smime/read/extensions.js';
import { type Authority, createAuthority, type Identity, type LeafOptions } from '../support/pki.js';
import { entityText, FROM, halves, inPieces, sealed } from './messages.js';

const DAY = 86_400_000;
const MINUTE = 60_000;

let authority: Authority;
let trust: TrustStore;
let leaf: Identity;
before(async () => {
  authority = await createAuthority();
  trust = createTrustStore(authority.certificatePem);
  leaf = await authority.issue({ keys: 'rsa-2048' });
});

interface Asked {
  from?: string;
  at?: number;
  trust?: TrustStore;
  crls?: CrlStore;
}

async function verdictOn(message: Uint8Array | Rope, asked: Asked = {}): Promise<Verdict> {
  const signed = await halves(message);
  return verifySignature({ signed, from: FROM, trust, at: Date.now(), ...asked });
}

const codes = (verdict: Verdict): string[] => verdict.faults.map((fault) => fault.code);

/** The verdict on a message signed with a certificate that differs from the profile. */
async function withLeaf(options: LeafOptions): Promise<string[]> {
  return codes(await verdictOn(await sealed(await authority.issue(options))));
}

describe('verifySignature', () => {
  it('finds nothing against a good signature and says who signed what', async () => {
    const verdict = await verdictOn(await sealed(leaf));
    assert.deepEqual(verdict.faults, []);
    assert.equal(verdict.temporary, false);
    assert.deepEqual(codes({ ...verdict, faults: [] }), []);
    assert.equal(verdict.entityDigest, createHash('sha256').update(entityText).digest('hex'));
    const { signer } = verdict;
    assert.ok(signer);
    const x509 = new X509Certificate(leaf.certificate);
    assert.equal(signer.sha1, x509.fingerprint.replaceAll(':', ''));
    assert.equal(signer.sha256, x509.fingerprint256.replaceAll(':', '').toLowerCase());
    assert.ok(leaf.certificate.equals(signer.certificate));
    assert.equal(signer.organization, 'Alfa PEC S.p.A.');
    assert.equal(signer.commonName, 'Posta Certificata');
    assert.deepEqual(signer.emails, [FROM]);
    assert.deepEqual(
      verdict.warnings.map((warning) => warning.code),
      ['revocation-unchecked'],
    );
  });

  it('does not depend on how the message is cut into pieces', async () => {
    const message = await sealed(leaf);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 8 }), async (cuts) => {
        assert.deepEqual(codes(await verdictOn(inPieces(message, cuts))), []);
      }),
      { numRuns: 20 },
    );
  });

  it('notices every changed octet of the entity', async () => {
    const message = await sealed(leaf);
    const start = message.indexOf(entityText);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: entityText.length - 1 }), async (offset) => {
        const changed = Buffer.from(message);
        changed[start + offset] = (changed[start + offset] ?? 0) ^ 0x01;
        const signed = await readSigned(Rope.of(changed));
        if (signed === undefined) return;
        const verdict = await verifySignature({ signed, from: FROM, trust, at: Date.now() });
        assert.deepEqual(codes(verdict), ['digest']);
      }),
      { numRuns: 60 },
    );
  });

  it('never lets a changed signature speak for another certificate', async () => {
    const signed = await halves(await sealed(leaf));
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: signed.cms.length * 8 - 1 }), async (bit) => {
        const cms = Buffer.from(signed.cms);
        cms[bit >> 3] = (cms[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const verdict = await verifySignature({
          signed: { ...signed, cms },
          from: FROM,
          trust,
          at: Date.now(),
        });
        if (verdict.faults.length > 0) return;
        // What is left of a CMS outside the signature: versions, parameters, names of algorithms nobody relies on.
        assert.ok(leaf.certificate.equals(verdict.signer?.certificate ?? Buffer.alloc(0)));
      }),
      { numRuns: 300 },
    );
  });

  it("does not believe a stranger's authority, nor any when none is given", async () => {
    const stranger = await createAuthority({ name: 'CA di prova' });
    const message = await sealed(await stranger.issue());
    assert.deepEqual(codes(await verdictOn(message)), ['untrusted']);
    const verdict = await verdictOn(await sealed(leaf), { trust: createTrustStore() });
    assert.deepEqual(codes(verdict), ['untrusted']);
    assert.match(verdict.faults[0]?.text ?? '', /nessuna autorità/);
  });

  it('does not take a signature made with another key under the same name', async () => {
    const impostor = await authority.issue();
    const swapped: Identity = { ...impostor, certificate: leaf.certificate };
    assert.deepEqual(codes(await verdictOn(await sealed(swapped))), ['signature']);
  });

  it('wants the certificate valid at the instant, both ends included', async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const brief = await authority.issue({ notBefore: now - 10 * MINUTE, notAfter: now - 5 * MINUTE });
    const message = await sealed(brief);
    assert.deepEqual(codes(await verdictOn(message, { at: now })), ['validity']);
    assert.match((await verdictOn(message, { at: now })).faults[0]?.text ?? '', /scaduto/);
    assert.deepEqual(codes(await verdictOn(message, { at: now - 5 * MINUTE + 999 })), []);
    assert.deepEqual(codes(await verdictOn(message, { at: now - 5 * MINUTE + 1000 })), ['validity']);
    assert.deepEqual(codes(await verdictOn(message, { at: now - 10 * MINUTE })), []);
    assert.match(
      (await verdictOn(message, { at: now - 11 * MINUTE })).faults[0]?.text ?? '',
      /non è ancora valido/,
    );
  });

  it('does not believe an authority past its end', async () => {
    const old = await createAuthority({ name: 'Vecchia', notAfter: Date.now() - DAY / 2 });
    const message = await sealed(await old.issue());
    assert.deepEqual(codes(await verdictOn(message, { trust: createTrustStore(old.certificatePem) })), [
      'validity',
    ]);
  });

  it('wants From in the subject alternative name, without regard to case', async () => {
    const message = await sealed(leaf);
    assert.deepEqual(codes(await verdictOn(message, { from: 'Posta-Certificata@PEC.Alfa.example' })), []);
    assert.deepEqual(codes(await verdictOn(message, { from: 'posta-certificata@pec.beta.example' })), [
      'sender',
    ]);
    assert.deepEqual(codes(await verdictOn(message, { from: '' })), ['sender']);
    assert.deepEqual(
      await withLeaf({
        extensions: [keyUsage('digitalSignature'), extendedKeyUsage(Purpose.emailProtection)],
      }),
      ['sender'],
    );
  });

  it('wants digitalSignature in the key usage, and the mail purpose only where one is stated (decisions 21)', async () => {
    const name = subjectAltName({ emails: [FROM] });
    assert.deepEqual(await withLeaf({ extensions: [name] }), ['key-usage']);
    assert.deepEqual(await withLeaf({ extensions: [name, keyUsage('keyAgreement')] }), ['key-usage']);
    assert.deepEqual(await withLeaf({ extensions: [name, keyUsage('digitalSignature')] }), []);
    const purposes = (...oids: string[]) => [name, keyUsage('digitalSignature'), extendedKeyUsage(...oids)];
    assert.deepEqual(await withLeaf({ extensions: purposes(Purpose.serverAuth) }), ['purpose']);
    assert.deepEqual(
      await withLeaf({ extensions: purposes(Purpose.clientAuth, Purpose.emailProtection) }),
      [],
    );
    assert.deepEqual(await withLeaf({ extensions: purposes(Purpose.any) }), []);
  });

  it('does not take an unknown critical extension', async () => {
    const odd = { oid: '1.2.3.4.5', critical: true, value: der(0x05) };
    assert.deepEqual(await withLeaf({ more: [odd] }), ['untrusted']);
    assert.deepEqual(await withLeaf({ more: [{ ...odd, critical: false }] }), []);
  });

  it('needs the signer certificate inside the CMS', async () => {
    const own = await halves(await sealed(leaf));
    const cms = Buffer.from(own.cms);
    const at = cms.indexOf(leaf.certificate);
    const serial = cms.indexOf(new X509Certificate(leaf.certificate).serialNumber, at, 'hex');
    cms[serial + 3] = (cms[serial + 3] ?? 0) ^ 1;
    const verdict = await verifySignature({ signed: { ...own, cms }, from: FROM, trust, at: Date.now() });
    assert.deepEqual(codes(verdict), ['no-certificate']);
    assert.equal(verdict.signer, undefined);
  });

  it('gives the digest of the entity also when the signature cannot be read', async () => {
    const signed = await halves(await sealed(leaf));
    const verdict = await verifySignature({
      signed: { ...signed, cms: Buffer.from('no') },
      from: FROM,
      trust,
      at: 0,
    });
    assert.deepEqual(codes(verdict), ['malformed']);
    assert.equal(verdict.entityDigest, createHash('sha256').update(entityText).digest('hex'));
  });

  it('takes a revocation into account from its date on', async () => {
    const revokedAt = Math.floor(Date.now() / 1000) * 1000 - 60 * MINUTE;
    const crl = authority.crl({ revoked: [{ certificate: leaf.certificate, at: revokedAt }] });
    const crls = storeOf(crl);
    const message = await sealed(leaf);
    assert.deepEqual(codes(await verdictOn(message, { crls })), ['revoked']);
    assert.deepEqual(codes(await verdictOn(message, { crls, at: revokedAt })), ['revoked']);
    assert.deepEqual(codes(await verdictOn(message, { crls, at: revokedAt - 1 })), []);
    const other = await sealed(await authority.issue());
    const verdict = await verdictOn(other, { crls });
    assert.deepEqual([verdict.faults, verdict.warnings], [[], []]);
  });

  it('says that a stale list may yet come, within the grace time only (decisions 21)', async () => {
    const crls = storeOf(
      authority.crl({ thisUpdate: Date.now() - 3 * DAY, nextUpdate: Date.now() - 2 * MINUTE }),
    );
    const message = await sealed(leaf);
    const verdict = await verdictOn(message, { crls });
    assert.deepEqual(codes(verdict), ['revocation-unavailable']);
    assert.equal(verdict.temporary, true);
    assert.equal((await verdictOn(message, { crls, from: 'a@b.example' })).temporary, false);
    const old = storeOf(
      authority.crl({ thisUpdate: Date.now() - 9 * DAY, nextUpdate: Date.now() - 2 * DAY }),
    );
    assert.equal((await verdictOn(message, { crls: old })).temporary, false);
  });

  it('refuses a certificate that is an authority itself where it may not issue', async () => {
    const child = await authority.issue({ more: [basicConstraints(false)] });
    const grandchild = await createAuthority({ issuer: { ...authority, ...child }, name: 'Falsa' });
    const message = await sealed(
      await grandchild.issue(),
      Date.now(),
      grandchild.certificate,
      child.certificate,
    );
    assert.deepEqual(codes(await verdictOn(message)), ['untrusted']);
  });

  it('knows an extension identifier written in DER', () => {
    assert.deepEqual(Buffer.from(derOid('1.3.6.1.5.5.7.3.4')).toString('hex'), '06082b06010505070304');
  });
});

/** A store that knows one list and fetches nothing. */
function storeOf(crl: Buffer): CrlStore {
  const served = async () => crl;
  return new CrlStore({ sources: [{ url: 'http://crl.example/ca.crl' }], download: served });
}
