import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect, createServer } from 'node:tls';
import * as pkijs from 'pkijs';
import {
  certificateProfileFaults,
  createDevelopmentPki,
  type DevelopmentPki,
  type PemPair,
} from '../../src/smime/index.js';
import { openssl, type Scratch, scratch } from '../support/openssl.js';
import { needs } from '../support/programs.js';

describe('createDevelopmentPki', () => {
  const now = Date.now();
  let files: Scratch;
  let pki: DevelopmentPki;
  before(async () => {
    files = scratch();
    const names = { providerName: 'Però & Figli PEC S.p.A.', mailDomain: 'pec.alfa.example' };
    pki = await createDevelopmentPki({
      ...names,
      hostNames: ['mail.alfa.example'],
      addresses: ['10.1.2.3', '::1', '0.0.0.0'],
      now,
    });
  });
  after(() => files.remove());

  const pairs = (): [string, PemPair][] => [
    ['ca', pki.ca],
    ['tls', pki.tls],
    ['signing', pki.signing],
  ];

  it('gives certificates that belong to their keys and to the authority', () => {
    const ca = new X509Certificate(pki.ca.cert);
    for (const [name, { cert, key }] of pairs()) {
      const certificate = new X509Certificate(cert);
      assert.ok(certificate.checkPrivateKey(createPrivateKey(key)), name);
      assert.ok(certificate.checkIssued(ca) && certificate.verify(ca.publicKey), name);
      assert.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/);
      assert.equal(new Date(certificate.validFrom).getTime(), Math.floor((now - 300_000) / 1000) * 1000);
      assert.equal(certificate.ca, name === 'ca');
    }
  });

  it('has the PEC profile on the signing certificate (RFC 6109 5.5)', () => {
    const { raw } = new X509Certificate(pki.signing.cert);
    assert.deepEqual(certificateProfileFaults(raw, 'Però & Figli PEC S.p.A.', 'pec.alfa.example'), []);
  });

  it('names host, localhost and addresses on the TLS certificate', () => {
    const certificate = new X509Certificate(pki.tls.cert);
    for (const host of ['mail.alfa.example', 'localhost']) assert.equal(certificate.checkHost(host), host);
    for (const address of ['127.0.0.1', '10.1.2.3']) assert.equal(certificate.checkIP(address), address);
    assert.match(certificate.subjectAltName ?? '', /0:0:0:0:0:0:0:1/);
    assert.doesNotMatch(certificate.subjectAltName ?? '', /0\.0\.0\.0/);
  });

  it('reads the same to pkijs', () => {
    for (const [name, { cert }] of pairs()) {
      const raw = new X509Certificate(cert).raw;
      const parsed = pkijs.Certificate.fromBER(raw);
      assert.ok(Buffer.from(parsed.toSchema().toBER()).equals(raw), name);
    }
  });

  it('satisfies a strict openssl for its purposes', { skip: needs('openssl') }, () => {
    const ca = files.write('ca.pem', pki.ca.cert);
    for (const [name, purpose] of [
      ['tls', 'sslserver'],
      ['signing', 'smimesign'],
    ] as const) {
      const file = files.write(`${name}.pem`, pki[name].cert);
      const run = openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', ca, file);
      assert.ok(run.ok, run.stderr);
    }
  });

  it('carries a TLS connection', async () => {
    const server = createServer({ cert: pki.tls.cert, key: pki.tls.key }, (socket) => socket.end('ok'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const authorized = await new Promise<boolean>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, ca: pki.ca.cert, servername: 'localhost' }, () => {
        resolve(socket.authorized);
        socket.destroy();
      });
      socket.on('error', reject);
    });
    server.close();
    assert.equal(authorized, true);
  });
});
