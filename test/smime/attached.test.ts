import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import {
  createTrustStore,
  SignatureError,
  signAttached,
  type TrustStore,
  verifyAttached,
} from '../../src/smime/index.js';
import { keyUsage } from '../../src/smime/keys/issue-certificate.js';
import { toPem } from '../../src/smime/read/pem.js';
import { openssl, type Scratch, scratch } from '../support/openssl.js';
import { type Authority, createAuthority, type Identity, signerOf } from '../support/pki.js';
import { needs } from '../support/programs.js';

describe('signed files', () => {
  let files: Scratch;
  let authority: Authority;
  let trust: TrustStore;
  let leaf: Identity;
  const ldif = Buffer.from('dn: o=postacert\r\nobjectClass: top\n\0 non canonico\n', 'utf8');
  before(async () => {
    files = scratch();
    authority = await createAuthority();
    trust = createTrustStore(authority.certificatePem);
    leaf = await authority.issue({ keys: 'rsa-2048' });
  });
  after(() => files.remove());

  const codesOf = async (p7m: Uint8Array, at = Date.now(), believed = trust): Promise<string[]> => {
    try {
      await verifyAttached(p7m, { trust: believed, at });
      return [];
    } catch (error) {
      assert.ok(error instanceof SignatureError, String(error));
      return error.faults.map((fault) => fault.code);
    }
  };

  it('come back as they went in, octet by octet', async () => {
    for (const content of [ldif, Buffer.alloc(0), Buffer.alloc(300_000, 'riga\n')]) {
      const p7m = await signAttached(content, signerOf(leaf), Date.now());
      const opened = await verifyAttached(p7m, { trust, at: Date.now() });
      assert.ok(opened.content.equals(content));
      assert.equal(opened.signer.organization, 'Alfa PEC S.p.A.');
    }
    const p7m = await signAttached(ldif, signerOf(leaf), Date.now());
    assert.ok(
      (await verifyAttached(Buffer.from(toPem('PKCS7', p7m)), { trust, at: Date.now() })).content.equals(
        ldif,
      ),
    );
  });

  it('fail when changed, of a stranger, out of date, or no signed file at all', async () => {
    const p7m = await signAttached(ldif, signerOf(leaf), Date.now());
    const changed = Buffer.from(p7m);
    changed[changed.indexOf('postacert')] = 0x50;
    assert.deepEqual(await codesOf(changed), ['digest']);
    assert.deepEqual(await codesOf(p7m, Date.now(), createTrustStore()), ['untrusted']);
    assert.deepEqual(await codesOf(p7m, Date.now() + 4000 * 86_400_000), ['validity']);
    assert.deepEqual(await codesOf(ldif), ['malformed']);
    assert.deepEqual(await codesOf(Buffer.concat([p7m, Buffer.of(0)])), ['malformed']);
  });

  it('may be signed by any trusted signer: neither purpose nor address counts', async () => {
    const clerk = await authority.issue({ extensions: [keyUsage('nonRepudiation')] });
    assert.deepEqual(await codesOf(await signAttached(ldif, signerOf(clerk), Date.now())), []);
    const other = await authority.issue({ extensions: [keyUsage('keyAgreement')] });
    assert.deepEqual(await codesOf(await signAttached(ldif, signerOf(other), Date.now())), ['key-usage']);
  });

  it('are understood by openssl, and its by us', { skip: needs('openssl') }, async () => {
    const p7m = files.write('directory.ldif.p7m', await signAttached(ldif, signerOf(leaf), Date.now()));
    const ca = files.write('ca.pem', authority.certificatePem);
    const verified = openssl(
      'cms',
      '-verify',
      '-inform',
      'DER',
      '-in',
      p7m,
      '-CAfile',
      ca,
      '-purpose',
      'smimesign',
    );
    assert.ok(verified.ok, verified.stderr);
    assert.ok(verified.stdout.equals(ldif));

    const content = files.write('content', ldif);
    const signer = files.write('signer.pem', leaf.certificatePem + leaf.keyPem);
    for (const options of [[], ['-stream'], ['-noattr'], ['-outform', 'PEM']]) {
      const out = files.path('openssl.p7m');
      const wanted = [
        '-binary',
        '-nodetach',
        '-outform',
        'DER',
        '-in',
        content,
        '-signer',
        signer,
        '-out',
        out,
      ];
      const run = openssl('cms', '-sign', ...wanted, ...options);
      assert.ok(run.ok, run.stderr);
      const opened = await verifyAttached(readFileSync(out), { trust, at: Date.now() });
      assert.ok(opened.content.equals(ldif), options.join(' '));
    }
    const bare = openssl('cms', '-sign', '-binary', '-outform', 'DER', '-in', content, '-signer', signer);
    assert.deepEqual(await codesOf(bare.stdout), ['malformed']);
  });
});
