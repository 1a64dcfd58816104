import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { Set as AsnSet, fromBER, type Sequence } from 'asn1js';
import { encodeBase64 } from '../../src/mime/index.js';
import { legalTime } from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import { readSigned, signAttached } from '../../src/smime/index.js';
import { crlDistributionPoints } from '../../src/smime/keys/issue-certificate.js';
import { createAuthority, type LeafOptions, type TestGestore } from '../support/pki.js';
import {
  AT,
  checksOf,
  DAY,
  HOUR,
  ldifOf,
  NOW,
  notice,
  reasonsOf,
  remarksOf,
  sealed,
  type World,
  world,
} from './world.js';

let w: World;
before(async () => {
  w = await world();
});

const accettazione = (gestore: TestGestore = w.pki.alfa): Promise<Buffer> =>
  sealed(notice(gestore, { kind: 'accettazione' }), gestore.signer);

/** A gestore like alfa whose certificate differs from the profile, in the directory all the same. */
const gestoreWith = async (leaf: LeafOptions): Promise<TestGestore> =>
  w.gestore(await w.pki.authority.issue(leaf));

const crl = (gestore: TestGestore, at?: number) => ({
  name: 'ca.crl',
  bytes: w.pki.authority.crl({
    thisUpdate: NOW - HOUR,
    revoked: at === undefined ? [] : [{ certificate: gestore.certificate, at }],
  }),
});

describe('the folder of trust', () => {
  it('without one nothing is proven', async () => {
    const report = await w.verify(await accettazione(), { trust: 'none' });
    assert.equal(report.verdict, 'INDETERMINATE');
    assert.deepEqual(reasonsOf(report), ['no-trust']);
    assert.ok(checksOf(report).includes('intact'));
  });

  it('without a directory there is no telling who is a gestore', async () => {
    const report = await w.verify(await accettazione(), { trust: w.folder.slice(0, 1) });
    assert.deepEqual(reasonsOf(report), ['no-directory']);
  });

  it('without the CA, or with a CA of that name only, nobody vouches', async () => {
    const impostor = await createAuthority();
    for (const ca of [[], [{ name: 'ca.pem', bytes: Buffer.from(impostor.certificatePem) }]]) {
      const report = await w.verify(await accettazione(), { trust: [...ca, ...w.folder.slice(1)] });
      assert.equal(report.verdict, 'INDETERMINATE');
      assert.deepEqual(reasonsOf(report), ['unknown-authority']);
    }
  });

  it("a stranger's CA with a gestore's names proves nothing", async () => {
    const authority = await createAuthority({ name: 'Straniera' });
    const stranger = w.gestore(await authority.issue());
    const report = await w.verify(await accettazione(stranger));
    assert.equal(report.verdict, 'INDETERMINATE');
    assert.deepEqual(reasonsOf(report), ['unknown-authority', 'not-in-directory']);
  });

  it('a certificate of the right CA that no gestore has is not enough', async () => {
    assert.deepEqual(reasonsOf(await w.verify(await accettazione(await gestoreWith({})))), [
      'not-in-directory',
    ]);
  });

  it('certificates that are no CAs are no anchors, and broken files are told', async () => {
    const trust = [
      { name: 'firma.pem', bytes: Buffer.from(w.pki.alfa.certificatePem) },
      {
        name: 'rotto.pem',
        bytes: Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      },
      { name: 'rotto.crl', bytes: Buffer.from('x') },
      { name: 'rotto.ldif', bytes: Buffer.from('questo non è LDIF') },
      ...w.folder.slice(1),
    ];
    const report = await w.verify(await accettazione(), { trust });
    assert.deepEqual(reasonsOf(report), ['unknown-authority']);
    assert.equal(remarksOf(report).filter((code) => code === 'trust-file-unusable').length, 3);
  });

  it('one broken record does not silence the others', async () => {
    const ldif = Buffer.concat([
      ldifOf(w.pki.alfa),
      Buffer.from('\ndn: providerName=Rotto,o=postacert\nproviderName: Rotto\n'),
    ]);
    const report = await w.verify(await accettazione(), {
      trust: [...w.folder.slice(0, 1), { name: 'a.ldif', bytes: ldif }],
    });
    assert.equal(report.verdict, 'PROVEN');
    assert.ok(remarksOf(report).includes('trust-file-unusable'));
  });
});

describe('a signed directory', () => {
  const withSigned = async (by: TestGestore, content: Buffer, at = AT) => {
    const bytes = await signAttached(content, by.signer, at);
    const trust = [...w.folder.slice(0, 1), { name: 'igpec.ldif.p7m', bytes }];
    return w.verify(await accettazione(), { trust });
  };

  it('is believed when its signature holds, and dated by it', async () => {
    const report = await withSigned(w.pki.beta, ldifOf(w.pki.alfa, w.pki.beta));
    assert.equal(report.verdict, 'PROVEN');
    assert.deepEqual(
      report.directory?.snapshots.map(({ file, date, signedBy }) => [file, date, signedBy]),
      [['igpec.ldif.p7m', new Date(AT).toISOString().slice(0, 10), w.pki.beta.name]],
    );
  });

  it('is not used when a stranger signed it', async () => {
    const authority = await createAuthority({ name: 'Straniera' });
    const report = await withSigned(w.gestore(await authority.issue()), ldifOf(w.pki.alfa));
    assert.deepEqual(reasonsOf(report), ['no-directory']);
    assert.ok(remarksOf(report).includes('trust-file-unusable'));
  });

  it("a gestore's own file does not speak for another (decisions 25)", async () => {
    const alone = Buffer.from(ldifOf(w.pki.alfa).toString().split('\n\n').slice(1).join('\n\n'));
    assert.deepEqual(reasonsOf(await withSigned(w.pki.beta, alone)), ['no-directory']);
    assert.equal((await withSigned(w.pki.alfa, alone)).verdict, 'PROVEN');
  });
});

describe('the certificate in time', () => {
  it('that expired before the message REFUTES it', async () => {
    const gestore = await gestoreWith({ notBefore: NOW - 9 * DAY, notAfter: AT - HOUR });
    const report = await w.verify(await accettazione(gestore), { trust: w.folderFor(gestore) });
    assert.equal(report.verdict, 'REFUTED');
    assert.deepEqual(reasonsOf(report), ['certificate-not-valid-then']);
  });

  it('so does one that was not valid yet', async () => {
    const gestore = await gestoreWith({ notBefore: AT + HOUR });
    const report = await w.verify(await accettazione(gestore), { trust: w.folderFor(gestore) });
    assert.deepEqual(reasonsOf(report), ['certificate-not-valid-then']);
  });

  it('that expired since leaves it PROVEN, with a remark', async () => {
    const gestore = await gestoreWith({ notAfter: AT + HOUR });
    const report = await w.verify(await accettazione(gestore), { trust: w.folderFor(gestore) });
    assert.equal(report.verdict, 'PROVEN');
    assert.ok(remarksOf(report).includes('certificate-since-expired'));
  });

  it('revoked before the message REFUTES it', async () => {
    const report = await w.verify(await accettazione(), {
      trust: [...w.folder, crl(w.pki.alfa, AT - HOUR)],
    });
    assert.equal(report.verdict, 'REFUTED');
    assert.deepEqual(reasonsOf(report), ['revoked']);
  });

  it('revoked after it leaves it PROVEN, with a remark', async () => {
    const report = await w.verify(await accettazione(), {
      trust: [...w.folder, crl(w.pki.alfa, AT + HOUR)],
    });
    assert.equal(report.verdict, 'PROVEN');
    assert.ok(remarksOf(report).includes('revoked-since'));
  });

  it('not in the list is not revoked', async () => {
    const report = await w.verify(await accettazione(), { trust: [...w.folder, crl(w.pki.alfa)] });
    assert.equal(report.verdict, 'PROVEN');
    assert.ok(checksOf(report).includes('not-revoked'));
  });

  it('without pointer and list may be PROVEN and is told "not checked"', async () => {
    const report = await w.verify(await accettazione());
    assert.equal(report.verdict, 'PROVEN');
    assert.match(
      report.remarks.find(({ code }) => code === 'revocation-not-checked')?.en ?? '',
      /Revocation not checked/,
    );
  });

  it('stays open when the list that was given cannot be read', async () => {
    const report = await w.verify(await accettazione(), {
      trust: [...w.folder, { name: 'ca.crl', bytes: Buffer.from('x') }],
    });
    assert.deepEqual(reasonsOf(report), ['revocation-unknown']);
  });

  it('that points at a list nobody gave stays open', async () => {
    const gestore = await gestoreWith({ more: [crlDistributionPoints('http://ca.example/1.crl')] });
    const message = await accettazione(gestore);
    assert.deepEqual(reasonsOf(await w.verify(message, { trust: w.folderFor(gestore) })), [
      'revocation-unknown',
    ]);
    const report = await w.verify(message, { trust: w.folderFor(gestore, crl(gestore)) });
    assert.equal(report.verdict, 'PROVEN');
  });

  it('of another time than the signature says is judged at both', async () => {
    const gestore = await gestoreWith({ notAfter: AT - 60_000 });
    const composed = notice(gestore, { kind: 'accettazione' }, undefined, legalTime(AT - 120_000));
    const report = await w.verify(await sealed(composed, gestore.signer, AT), {
      trust: w.folderFor(gestore),
    });
    assert.ok(reasonsOf(report).includes('certificate-not-valid-then'));
  });
});

describe('two signatures', () => {
  it('in one CMS are not one', async () => {
    const message = await accettazione();
    const signed = await readSigned(Rope.of(message));
    assert.ok(signed !== undefined);
    const p7s =
      /name="smime.p7s"\r\n[\s\S]*?\r\n\r\n([\s\S]*?)\r\n\r\n--/.exec(message.toString('latin1'))?.[1] ?? '?';
    const twice = encodeBase64(withTwoSigners(signed.cms), 64).trimEnd();
    const report = await w.verify(Buffer.from(message.toString('latin1').replace(p7s, twice), 'latin1'));
    assert.equal(report.verdict, 'INDETERMINATE');
    assert.deepEqual(reasonsOf(report), ['several-signers']);
  });

  it('as two parts are no signed message', async () => {
    const text = (await accettazione()).toString('latin1');
    const [part] =
      /\r\n------[^\r]*\r\nContent-Type: application\/pkcs7-signature[\s\S]*?(?=\r\n------)/.exec(text) ?? [];
    assert.ok(part !== undefined);
    const report = await w.verify(Buffer.from(text.replace(part, part + part), 'latin1'));
    assert.deepEqual(reasonsOf(report), ['not-signed']);
  });
});

function withTwoSigners(cms: Uint8Array): Uint8Array {
  const { result } = fromBER(cms);
  const wrapper = (result as Sequence).valueBlock.value[1] as Sequence;
  const signedData = wrapper.valueBlock.value[0] as Sequence;
  const signers = signedData.valueBlock.value.at(-1);
  assert.ok(signers instanceof AsnSet);
  const [signer] = signers.valueBlock.value;
  assert.ok(signer !== undefined);
  signers.valueBlock.value.push(signer);
  return new Uint8Array(result.toBER());
}
