import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Rope } from '../../src/rope/index.js';
import {
  createTrustStore,
  parseSignedData,
  readSigned,
  type TrustStore,
  type Verdict,
  verifySignature,
} from '../../src/smime/index.js';
import { openssl, type Scratch, scratch } from '../support/openssl.js';
import { type Authority, createAuthority, type Identity } from '../support/pki.js';
import { needs } from '../support/programs.js';
import { entityText, FROM, halves, sealed } from './messages.js';

describe('signatures of other programs', { skip: needs('openssl') }, () => {
  let files: Scratch;
  let authority: Authority;
  let trust: TrustStore;
  let rsa: Identity;
  let elliptic: Identity;
  before(async () => {
    files = scratch();
    authority = await createAuthority();
    trust = createTrustStore(authority.certificatePem);
    [rsa, elliptic] = [await authority.issue({ keys: 'rsa-2048' }), await authority.issue()];
  });
  after(() => files.remove());

  /** What openssl makes of the entity, line ends as on the wire. */
  function signedBy(identity: Identity, command: 'cms' | 'smime', ...options: string[]): Buffer {
    const entity = files.write('entity', entityText);
    const key = files.write('key.pem', identity.keyPem);
    const certificate = files.write('cert.pem', identity.certificatePem);
    const out = files.path('signed.eml');
    const run = openssl(
      command,
      '-sign',
      '-in',
      entity,
      '-signer',
      certificate,
      '-inkey',
      key,
      '-out',
      out,
      ...options,
    );
    assert.ok(run.ok, run.stderr);
    return Buffer.from(readFileSync(out, 'latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1');
  }

  async function verdictOn(message: Buffer): Promise<Verdict> {
    return verifySignature({ signed: await halves(message), from: FROM, trust, at: Date.now() });
  }

  it('the sha1 and x-pkcs7 form providers still send', async () => {
    const message = signedBy(rsa, 'smime', '-md', 'sha1');
    assert.match(message.toString('latin1'), /protocol="application\/x-pkcs7-signature"; micalg="sha1"/);
    const verdict = await verdictOn(message);
    assert.deepEqual(verdict.faults, []);
    assert.equal(verdict.digestAlgorithm, 'sha1');
    assert.ok(verdict.warnings.some((warning) => warning.code === 'sha1'));
  });

  for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
    it(`${hash}, RSA and ECDSA`, async () => {
      for (const identity of [rsa, elliptic]) {
        const verdict = await verdictOn(signedBy(identity, 'cms', '-md', hash));
        assert.deepEqual(verdict.faults, []);
        assert.equal(verdict.digestAlgorithm, hash);
      }
    });
  }

  it('RSASSA-PSS', async () => {
    const message = signedBy(rsa, 'cms', '-md', 'sha256', '-keyopt', 'rsa_padding_mode:pss');
    assert.deepEqual((await verdictOn(message)).faults, []);
  });

  it('a signer named by its key identifier', async () => {
    const message = signedBy(rsa, 'cms', '-keyid');
    assert.deepEqual((await verdictOn(message)).faults, []);
    assert.equal(parseSignedData((await halves(message)).cms).signer.identifier.kind, 'key');
  });

  it('BER with indefinite lengths, as openssl streams it', async () => {
    const entity = files.write('entity', entityText);
    const key = files.write('key.pem', rsa.keyPem);
    const certificate = files.write('cert.pem', rsa.certificatePem);
    const options = ['-binary', '-stream', '-outform', 'DER', '-signer', certificate, '-inkey', key];
    const run = openssl('cms', '-sign', '-in', entity, ...options);
    assert.ok(run.ok, run.stderr);
    assert.equal(run.stdout[1], 0x80);
    const signed = { entity: Rope.of(entityText), cms: run.stdout, micalg: '' };
    assert.deepEqual((await verifySignature({ signed, from: FROM, trust, at: Date.now() })).faults, []);
  });

  it('not without signed attributes', async () => {
    const verdict = await verdictOn(signedBy(rsa, 'cms', '-noattr'));
    assert.deepEqual(
      verdict.faults.map((fault) => fault.code),
      ['malformed'],
    );
  });

  it('not with two signers', async () => {
    const second = files.write('second.pem', elliptic.certificatePem + elliptic.keyPem);
    const verdict = await verdictOn(signedBy(rsa, 'cms', '-signer', second, '-inkey', second));
    assert.deepEqual(
      verdict.faults.map((fault) => fault.code),
      ['malformed'],
    );
  });

  it('not with MD5, nor without the certificate', async () => {
    const weak = await verdictOn(signedBy(rsa, 'smime', '-md', 'md5'));
    assert.equal(weak.faults[0]?.code, 'malformed');
    const bare = await verdictOn(signedBy(rsa, 'cms', '-nocerts'));
    assert.equal(bare.faults[0]?.code, 'no-certificate');
  });
});

describe('readSigned', () => {
  it('knows only a top-level multipart/signed with two parts, the second an S/MIME signature', async () => {
    const authority = await createAuthority();
    const message = (await sealed(await authority.issue())).toString('latin1');
    const read = (text: string) => readSigned(Rope.of(text));
    assert.ok(await read(message));
    assert.ok(await read(message.replaceAll('application/pkcs7-signature', 'application/x-pkcs7-signature')));
    assert.ok(await read(message.replace('multipart/signed; protocol', 'Multipart/SIGNED;\r\n protocol')));
    const boundary = /boundary="(----[^"]+)"/.exec(message)?.[1] ?? '';
    const others = [
      message.replace('multipart/signed', 'multipart/mixed'),
      message.replace('protocol="application/pkcs7-signature"', 'protocol="application/pgp-signature"'),
      message.replace('protocol="application/pkcs7-signature"; ', ''),
      message.replace('Content-Type: application/pkcs7-signature', 'Content-Type: application/octet-stream'),
      message.replace(`\r\n--${boundary}--`, `\r\n--${boundary}\r\n\r\nthree\r\n--${boundary}--`),
      message.replace(/\r\n\r\nThis[\s\S]*/, '\r\n\r\n'),
      `Content-Type: text/plain\r\n${message}`,
      'Subject: x\r\n\r\nbody\r\n',
      '',
    ];
    for (const other of others) assert.equal(await read(other), undefined, other.slice(0, 300));
  });
});
