import assert from 'node:assert/strict';
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type KeyFiles, openSigner, SignerError } from '../../src/smime/index.js';
import { openssl, type Scratch, scratch } from '../support/openssl.js';
import { type Authority, createAuthority, type Identity } from '../support/pki.js';
import { needs } from '../support/programs.js';

let files: Scratch;
let root: Authority;
let middle: Authority;
let rsa: Identity;
let elliptic: Identity;
let certificateFile: string;
let chainFile: string;
before(async () => {
  files = scratch();
  root = await createAuthority({ name: 'Radice' });
  middle = await createAuthority({ name: 'Intermedia', issuer: root });
  rsa = await middle.issue({ keys: 'rsa-2048' });
  elliptic = await middle.issue();
  certificateFile = files.write('cert.pem', rsa.certificatePem);
  chainFile = files.write('chain.pem', root.certificatePem + middle.certificatePem);
});
after(() => files.remove());

/** Opens a signer and has it sign something its certificate then verifies. */
async function signs(identity: Identity, keyFiles: KeyFiles) {
  const signer = await openSigner(keyFiles);
  const data = randomBytes(100);
  const signature = await signer.sign(data);
  assert.ok(verify('sha256', data, createPublicKey(identity.key), signature));
  assert.ok(identity.certificate.equals(signer.certificate));
  return signer;
}

const saying = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SignerError, String(error));
  assert.match(error.message, pattern);
  return true;
};

describe('openSigner', () => {
  it('opens PKCS#8 and the older PEM forms, encrypted or not', async () => {
    const passphraseFile = files.write('passphrase', 'segreta è\n');
    const plain = files.write('pkcs8.key', rsa.keyPem);
    const old = files.write('pkcs1.key', rsa.key.export({ format: 'pem', type: 'pkcs1' }));
    const locked = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'segreta è' } as const;
    const encrypted = files.write('pkcs8.enc', rsa.key.export({ ...locked, type: 'pkcs8' }));
    const oldEncrypted = files.write('pkcs1.enc', rsa.key.export({ ...locked, type: 'pkcs1' }));
    await signs(rsa, { file: plain, certificateFile });
    await signs(rsa, { file: old, certificateFile });
    await signs(rsa, { file: encrypted, certificateFile, passphraseFile });
    await signs(rsa, { file: oldEncrypted, certificateFile, passphraseFile });
    await assert.rejects(
      openSigner({ file: encrypted, certificateFile }),
      saying(/no passphrase file given/),
    );
    const wrong = files.write('wrong', 'sbagliata');
    await assert.rejects(
      openSigner({ file: encrypted, certificateFile, passphraseFile: wrong }),
      saying(/passphrase right/),
    );
  });

  it('opens elliptic keys', async () => {
    const file = files.write('ec.key', elliptic.keyPem);
    await signs(elliptic, { file, certificateFile: files.write('ec.pem', elliptic.certificatePem) });
  });

  it('sends the intermediates along and keeps the root', async () => {
    const file = files.write('pkcs8.key', rsa.keyPem);
    const signer = await signs(rsa, { file, certificateFile, chainFile });
    assert.deepEqual(signer.chain, [middle.certificate]);
    const together = files.write(
      'together.pem',
      rsa.certificatePem + middle.certificatePem + root.certificatePem,
    );
    assert.deepEqual((await signs(rsa, { file, certificateFile: together })).chain, [middle.certificate]);
  });

  it('says clearly what is wrong', async () => {
    const file = files.write('pkcs8.key', rsa.keyPem);
    const stranger = files.write('stranger.pem', elliptic.certificatePem);
    await assert.rejects(
      openSigner({ file, certificateFile: stranger }),
      saying(/does not belong to the private key/),
    );
    await assert.rejects(openSigner({ file }), saying(/no certificate/));
    await assert.rejects(
      openSigner({ file: files.path('absent'), certificateFile }),
      saying(/absent.*cannot be read/),
    );
    await assert.rejects(
      openSigner({ file, certificateFile: files.path('absent.pem') }),
      saying(/cannot be read/),
    );
    await assert.rejects(openSigner({ file, certificateFile: file }), saying(/no certificate/));
    const rubbish = files.write('rubbish', 'rubbish');
    await assert.rejects(openSigner({ file, certificateFile: rubbish }), saying(/not a certificate/));
    await assert.rejects(openSigner({ file: rubbish, certificateFile }), saying(/cannot be opened/));
  });

  it('warns of a key that others can read', async () => {
    const file = files.write('open.key', rsa.keyPem);
    assert.deepEqual((await openSigner({ file, certificateFile })).warnings, []);
    chmodSync(file, 0o644);
    assert.match((await openSigner({ file, certificateFile })).warnings[0] ?? '', /open\.key.*modo 644/);
  });

  describe('PKCS#12', { skip: needs('openssl') }, () => {
    function pkcs12(identity: Identity, name: string, ...options: string[]): string {
      const key = files.write('p12.key', identity.keyPem);
      const certificate = files.write('p12.pem', identity.certificatePem);
      const file = files.path(name);
      const wanted = [
        '-inkey',
        key,
        '-in',
        certificate,
        '-certfile',
        chainFile,
        '-passout',
        'pass:segreta',
        '-out',
        file,
      ];
      const run = openssl('pkcs12', '-export', ...wanted, ...options);
      assert.ok(run.ok, run.stderr);
      chmodSync(file, 0o600);
      return file;
    }

    it('opens what openssl writes, its certificate and chain inside', async () => {
      const passphraseFile = files.write('p12.pass', 'segreta');
      for (const identity of [rsa, elliptic]) {
        const signer = await signs(identity, { file: pkcs12(identity, 'new.p12'), passphraseFile });
        assert.deepEqual(signer.chain, [middle.certificate]);
      }
    });

    it('opens the legacy RC2 and 3DES forms', async () => {
      const passphraseFile = files.write('p12.pass', 'segreta');
      const file = pkcs12(rsa, 'legacy.p12', '-legacy');
      await signs(rsa, { file, passphraseFile });
      await signs(rsa, { file, passphraseFile, certificateFile });
      const wrong = files.write('p12.wrong', 'sbagliata');
      await assert.rejects(openSigner({ file, passphraseFile: wrong }), saying(/passphrase right/));
    });
  });
});
