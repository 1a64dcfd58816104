import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { SourceLocation } from '../../src/directory/index.js';
import { readLdap } from '../../src/directory/ldap-source.js';
import { selfSigned } from '../smtp/certificate.js';
import { freePort } from '../support/free-ports.js';
import { scratch } from '../support/openssl.js';
import { type TestPki, testPki } from '../support/pki.js';
import { needs } from '../support/programs.js';
import { TestSlapd } from '../support/slapd.js';
import { bytesOf, lonely, recordOf } from './lonely.js';

const BASE = 'dn: o=postacert\nobjectclass: top\nobjectclass: organization\no: postacert\n\n';
const LIMITS = { timeout: 20_000, size: 1024 * 1024 };

describe('directory: an LDAP server with the schema of RFC 6109 4.5', { skip: needs('slapd') }, () => {
  const files = scratch();
  let pki: TestPki;
  let slapd: TestSlapd;
  let plain = '';
  let secure = '';
  let trust = '';

  before(async () => {
    pki = await testPki();
    const tls = selfSigned('localhost');
    trust = files.write('ldap-ca.pem', tls.cert);
    const [ldapPort, ldapsPort] = [await freePort(), await freePort()];
    plain = `ldap://127.0.0.1:${ldapPort}`;
    secure = `ldaps://localhost:${ldapsPort}`;
    const key = files.write('ldap.key', tls.key);
    slapd = new TestSlapd({ ldapPort, ldapsPort, tls: { ca: trust, cert: trust, key } });
    const main = recordOf('Beta, "PEC" S.r.l.', pki.beta, 'pec.beta.example', 'altro.example');
    const unit = { ...recordOf('Beta, "PEC" S.r.l.', pki.beta, 'unita.example'), providerUnit: 'Unità 2' };
    slapd.fill(`${BASE}${bytesOf(main, unit, recordOf('Gamma', pki.alfa, 'pec.gamma.example')).toString()}`);
    await slapd.start();
  });
  after(async () => {
    await slapd.close();
    files.remove();
  });

  const source = (url: string, ca: string | null = null): SourceLocation => ({
    kind: 'ldap',
    url,
    trust: ca,
    client: null,
  });

  for (const [how, of] of [
    ['over TLS', () => source(secure, trust)],
    ['on loopback', () => source(plain)],
    ['from a base that is written', () => source(`${plain}/o=postacert`)],
  ] as const) {
    it(`is read whole, ${how}: main and secondary environments, names, certificates`, async (t) => {
      const { directory } = await lonely(t, [of()]);
      const { loaded, failed } = await directory.refresh();
      assert.deepEqual([loaded.length, failed], [1, []]);
      const record = directory.byDomain('pec.beta.example');
      assert.deepEqual(
        [record?.providerName, record?.mailReceipt, [...(record?.managedDomains ?? [])].sort()],
        ['Beta, "PEC" S.r.l.', 'ricevute@pec.beta.example', ['altro.example', 'pec.beta.example']],
      );
      assert.deepEqual(record?.certificates, [pki.beta.certificate]);
      assert.equal(directory.byDomain('unita.example')?.providerUnit, 'Unità 2');
      assert.equal(directory.byDomain('pec.gamma.example')?.providerName, 'Gamma');
      assert.equal(directory.byCertificate(pki.beta.certificate).length, 2);
    });
  }

  it('away, or a stranger: the last good version stays, and it is told', async (t) => {
    const { directory, telemetry } = await lonely(t, [source(secure, trust)]);
    await directory.refresh();
    await slapd.stop();
    const { failed } = await directory.refresh();
    assert.equal(failed.length, 1);
    assert.equal(directory.byDomain('pec.gamma.example')?.providerName, 'Gamma');
    assert.ok(telemetry.recorded.some(({ name }) => name === 'directory.failed'));
    await slapd.start();
    assert.deepEqual((await directory.refresh()).failed, []);
    const stranger = await lonely(t, [source(secure)]);
    assert.match((await stranger.directory.refresh()).failed[0] ?? '', /self-signed|certificate/);
  });

  it('in the clear only on this machine; no base, too much', async () => {
    await assert.rejects(readLdap('ldap://igpec.example', {}, LIMITS), /use ldaps/);
    await assert.rejects(readLdap(`${plain}/o=altrove`, {}, LIMITS), /0x20|No such object/i);
    await assert.rejects(readLdap(plain, {}, { ...LIMITS, size: 500 }), /more than 500 octets/);
  });

  it('one that takes the connection and says nothing is waited for as long as is said', async (t) => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });
    const url = `ldap://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    await assert.rejects(readLdap(url, {}, { ...LIMITS, timeout: 300 }), /timeout|timed out|closed/i);
  });
});
