import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { certificateHash, readSource, type SourceLocation } from '../../src/directory/index.js';
import { createTrustStore, signAttached } from '../../src/smime/index.js';
import { selfSigned } from '../smtp/certificate.js';
import { scratch } from '../support/openssl.js';
import { sharedPair } from '../support/pair.js';
import { createAuthority, type Identity, signerOf, testPki } from '../support/pki.js';
import { DAY } from '../support/points.js';
import { bytesOf, lonely, recordOf } from './lonely.js';

const BASE = 'dn: o=postacert\nobjectclass: top\no: postacert\n\n';

describe('directory: our own record', () => {
  it('decisions 24: mail_domain is always in our managedDomains; domains added count at once', async (t) => {
    const { directory, point, clock, pki } = await lonely(t);
    assert.deepEqual(directory.own().managedDomains, ['pec.alfa.example']);
    await point.store.write('addDomain', { name: 'pec.cliente.example', now: clock.now });
    assert.equal(directory.isOwnDomain('pec.cliente.example'), false);
    await directory.current();
    assert.equal(directory.isOwnDomain('pec.cliente.example'), true);
    assert.equal(directory.byDomain('pec.cliente.example')?.providerName, pki.alfa.name);
    await point.store.write('removeDomain', { name: 'pec.cliente.example' });
    await directory.current();
    assert.deepEqual(directory.own().managedDomains, ['pec.alfa.example']);
    const told = directory.ownLdif();
    for (const line of [
      'dn: providerName=Alfa PEC S.p.A.,o=postacert',
      'providerName: Alfa PEC S.p.A.',
      `providerCertificateHash: ${certificateHash(pki.alfa.certificate)}`,
      'mailReceipt: ricevute@pec.alfa.example',
      'LDIFLocationURL: https://mail.pec.alfa.example/igpec/provider.ldif.p7m',
      'managedDomains: pec.alfa.example',
    ]) {
      assert.ok(told.replaceAll('\n ', '').split('\n').includes(line), line);
    }
  });

  it('nobody but ourselves says what we manage, or signs for us', async (t) => {
    const { directory, pki, clock } = await lonely(t);
    const thief = await pki.authority.issue({ name: pki.alfa.name });
    await directory.import(bytesOf(recordOf(pki.alfa.name, thief, 'pec.rubato.example')), '');
    assert.equal(directory.byDomain('pec.rubato.example'), undefined);
    assert.deepEqual(directory.byCertificate(thief.certificate), []);
    clock.advance(1000);
    const greedy = recordOf('Ladra S.r.l.', thief, 'pec.ladra.example', 'pec.alfa.example');
    await directory.import(bytesOf(greedy), '');
    assert.equal(directory.byDomain('pec.alfa.example')?.providerName, pki.alfa.name);
    assert.deepEqual(directory.byDomain('pec.ladra.example')?.managedDomains, ['pec.ladra.example']);
  });
});

describe('decisions 25: whose file it is', () => {
  it('decisions 25: a signed file is believed on its trust only, and speaks for its signer only', async () => {
    const pki = await testPki();
    const trust = createTrustStore(pki.authority.certificatePem);
    const at = Date.now();
    const sign = (bytes: Buffer, identity: Identity) => signAttached(bytes, signerOf(identity), at);
    const own = bytesOf(recordOf(pki.beta.name, pki.beta, 'pec.beta.example'));
    const believed = await readSource(await sign(own, pki.beta), trust, at);
    assert.deepEqual(
      [believed.records[0]?.providerName, believed.signer?.organization],
      [pki.beta.name, pki.beta.name],
    );
    assert.deepEqual(Buffer.from(believed.ldif), own);

    await assert.rejects(
      readSource(await sign(own, pki.beta), createTrustStore(), at),
      /needs the CA it is believed on/,
    );
    const other = createTrustStore((await createAuthority()).certificatePem);
    await assert.rejects(readSource(await sign(own, pki.beta), other, at), { name: 'SignatureError' });
    await assert.rejects(
      readSource(await sign(own, pki.alfa), trust, at),
      /Beta PEC S\.r\.l\. is signed by Alfa PEC S\.p\.A\./,
    );
    await assert.rejects(readSource(await sign(own, pki.beta), trust, at + 3660 * DAY), {
      name: 'SignatureError',
    });
    const tampered = await sign(own, pki.beta);
    tampered[tampered.indexOf('pec.beta.example') + 4] = 0x7a;
    await assert.rejects(readSource(tampered, trust, at), Error);
  });

  it('decisions 25: the base entry does not make a gestore\u2019s file everyone\u2019s', async () => {
    const pki = await testPki();
    const trust = createTrustStore(pki.authority.certificatePem);
    const at = Date.now();
    const keeper = await pki.authority.issue({ name: 'Agenzia', email: 'igpec@agenzia.example' });
    const [alfa, beta] = [
      recordOf(pki.alfa.name, pki.alfa, 'pec.alfa.example'),
      recordOf(pki.beta.name, pki.beta, 'pec.beta.example'),
    ];
    const everyone = Buffer.concat([Buffer.from(BASE), bytesOf(alfa, beta)]);
    const whole = await readSource(await signAttached(everyone, signerOf(keeper), at), trust, at);
    assert.deepEqual([whole.wholeDirectory, whole.records.length], [true, 2]);
    const usurped = await signAttached(everyone, pki.beta.signer, at);
    await assert.rejects(
      readSource(usurped, trust, at),
      /the record of Alfa PEC S\.p\.A\. is signed by Beta/,
    );
    const own = await signAttached(Buffer.concat([Buffer.from(BASE), bytesOf(beta)]), pki.beta.signer, at);
    assert.equal((await readSource(own, trust, at)).wholeDirectory, false);
  });
});

describe('decisions 26: import and refresh', () => {
  it('decisions 26: an import lives in the store with its trust, is effective at once, also for another process', async (t) => {
    const { directory, open, pki, clock } = await lonely(t);
    const elsewhere = await open();
    const authority = await createAuthority({ name: 'CA di gamma' });
    const gamma = await authority.issue({ name: 'Gamma', email: 'posta-certificata@pec.gamma.example' });
    const signed = await signAttached(
      bytesOf(recordOf('Gamma', gamma, 'pec.gamma.example')),
      signerOf(gamma),
      clock.now,
    );
    assert.equal(directory.trust().anchors.length, 1);
    await directory.import(signed, authority.certificatePem);
    for (const each of [directory, elsewhere]) {
      await each.current();
      assert.equal(each.byDomain('pec.gamma.example')?.providerName, 'Gamma');
      assert.equal(each.byCertificate(gamma.certificate).length, 1);
      assert.equal(each.trust().anchors.length, 2);
    }
    const again = await open();
    assert.equal(again.byDomain('pec.gamma.example')?.providerName, 'Gamma');
    await assert.rejects(directory.import(signed, pki.authority.certificatePem), { name: 'SignatureError' });
    assert.equal(
      directory.byDomain('pec.gamma.example')?.providerName,
      'Gamma',
      'a bad import changes nothing',
    );
  });

  it('decisions 26: two versions within one tick of the clock: the second counts', async (t) => {
    const { directory, pki } = await lonely(t);
    const beta = await pki.authority.issue({ name: 'Beta' });
    await directory.import(bytesOf(recordOf('Beta', beta, 'pec.uno.example')), '');
    await directory.import(bytesOf(recordOf('Beta', beta, 'pec.due.example')), '');
    assert.deepEqual(
      [directory.byDomain('pec.uno.example'), directory.byDomain('pec.due.example')?.providerName],
      [undefined, 'Beta'],
    );
  });

  it('every version seen stays as a dated snapshot, in the store and as a file', async (t) => {
    const { directory, pki, clock, point } = await lonely(t);
    const beta = await pki.authority.issue({ name: 'Beta' });
    const versions = ['pec.uno.example', 'pec.due.example', 'pec.uno.example'];
    for (const domain of versions) {
      clock.advance(DAY);
      await directory.import(bytesOf(recordOf('Beta', beta, domain)), '');
    }
    const kept = await point.store.read('listSnapshots', { kind: 'directory' });
    assert.deepEqual(
      kept.map(({ source }) => source),
      ['Beta', 'Beta'],
    );
    assert.deepEqual(
      kept.map(({ firstSeenAt, lastSeenAt }) => (lastSeenAt - firstSeenAt) / DAY),
      [2, 0],
    );
    const files = readdirSync(join(point.folder, 'directory'));
    assert.equal(files.length, 3, 'one a day and version');
    assert.ok(files.every((file) => /^\d{4}-\d\d-\d\d-Beta-[0-9a-f]{12}\.ldif$/.test(file)));
    const texts = files.map((file) => readFileSync(join(point.folder, 'directory', file), 'utf8'));
    assert.equal(texts.filter((ldif) => ldif.includes('pec.uno.example')).length, 2);
  });

  it('a source may be read again by two processes at once', async (t) => {
    const files = scratch();
    t.after(() => files.remove());
    const pki = await testPki();
    const gamma = files.write('gamma.ldif', bytesOf(recordOf('Gamma', pki.beta, 'pec.gamma.example')));
    const { directory, open, point } = await lonely(t, [{ kind: 'file', file: gamma, trust: null }]);
    const elsewhere = await open();
    for (let turn = 0; turn < 50; turn += 1) {
      const outcomes = await Promise.all([directory.refresh(), elsewhere.refresh()]);
      assert.deepEqual(
        outcomes.flatMap(({ failed }) => failed),
        [],
      );
    }
    const kept = readdirSync(join(point.folder, 'directory'));
    assert.equal(kept.length, 1, 'and nothing is left beside the snapshot');
  });

  it('a configured source that fails keeps its last good version, and is told; the others are read', async (t) => {
    const files = scratch();
    t.after(() => files.remove());
    const pki = await testPki();
    const good = files.write('gamma.ldif', bytesOf(recordOf('Gamma', pki.beta, 'pec.gamma.example')));
    const beta = files.write(
      'beta.ldif.p7m',
      await signAttached(
        bytesOf(recordOf(pki.beta.name, pki.beta, 'pec.beta.example')),
        pki.beta.signer,
        Date.now(),
      ),
    );
    const ca = files.write('ca.pem', pki.authority.certificatePem);
    const sources: SourceLocation[] = [
      { kind: 'file', file: beta, trust: ca },
      { kind: 'file', file: files.path('assente.ldif'), trust: null },
      { kind: 'ldap', url: 'ldap://igpec.example', trust: null, client: null },
      { kind: 'file', file: good, trust: null },
    ];
    const { directory, telemetry, clock, open } = await lonely(t, sources);
    const first = await directory.refresh();
    assert.deepEqual(first.loaded, [beta, good]);
    assert.deepEqual(
      first.failed.map((line) => line.split(':')[0]),
      [files.path('assente.ldif'), 'ldap'],
    );
    assert.equal(directory.byDomain('pec.beta.example')?.providerName, pki.beta.name);
    const told = telemetry.recorded.filter(({ name }) => name === 'directory.failed');
    assert.equal(told.length, 2);
    for (const broken of [
      '',
      'dn: o=rotto\nniente',
      '\x30\x82\x01\x00tagliato',
      bytesOf(recordOf('Ladra', pki.alfa, 'pec.beta.example')),
    ]) {
      clock.advance(DAY);
      writeFileSync(beta, broken);
      const { failed } = await directory.refresh();
      assert.ok(
        failed.some((line) => line.startsWith(beta)),
        String(broken),
      );
      assert.equal(directory.byDomain('pec.beta.example')?.providerName, pki.beta.name);
    }
    assert.equal(
      (await open()).byDomain('pec.beta.example')?.providerName,
      pki.beta.name,
      'also after a restart',
    );
  });

  it('a source by URL is read over HTTP, within limits', async (t) => {
    const pki = await testPki();
    const body = bytesOf(recordOf('Gamma', pki.beta, 'pec.gamma.example'));
    const server = createServer((request, response) => {
      if (request.url === '/assente') response.writeHead(404).end();
      else if (request.url === '/tagliato')
        response.writeHead(200, { 'content-length': '100000' }).end('dn: o=x');
      else response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => void server.close());
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const source = (path: string): SourceLocation => ({
      kind: 'url',
      url: `${base}${path}`,
      trust: null,
      client: null,
    });
    const { directory } = await lonely(t, ['/assente', '/tagliato', '/gamma'].map(source));
    const { loaded, failed } = await directory.refresh();
    assert.deepEqual(loaded, [`${base}/gamma`]);
    assert.match(failed[0] ?? '', /HTTP 404/);
    assert.equal(failed.length, 2);
    assert.equal(directory.byDomain('pec.gamma.example')?.providerName, 'Gamma');
  });
});

describe('decisions 25: a source that wants to know who asks', () => {
  it('decisions 25: the client certificate and key of the source are shown, its CA is believed', async (t) => {
    const pki = await testPki();
    const files = scratch();
    t.after(() => files.remove());
    const tls = selfSigned('localhost');
    const body = bytesOf(recordOf('Gamma', pki.beta, 'pec.gamma.example'));
    const shown: string[] = [];
    const server = createTlsServer(
      { ...tls, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const socket = request.socket as TLSSocket;
        shown.push(socket.getPeerX509Certificate()?.subject.split('\n').at(-1) ?? 'nobody');
        response.end(body);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => void server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/igpec`;
    const client = {
      cert: files.write('client.pem', pki.alfa.certificatePem),
      key: files.write('client.key', pki.alfa.keyPem),
    };
    const trust = files.write('ca.pem', tls.cert);
    const other = `${url}?senza-trust`;
    const sources: SourceLocation[] = [
      { kind: 'url', url, trust, client },
      { kind: 'url', url: `${url}?senza-cliente`, trust, client: null },
      { kind: 'url', url: other, trust: null, client },
    ];
    const { directory } = await lonely(t, sources);
    const { failed } = await directory.refresh();
    // Sources are read at once: who comes first is nobody's to say.
    assert.deepEqual(shown.sort(), ['CN=Posta Certificata', 'nobody']);
    assert.deepEqual(
      failed.map((line) => line.slice(0, other.length)),
      [other],
      'a server nobody vouches for',
    );
    assert.equal(directory.byDomain('pec.gamma.example')?.providerName, 'Gamma');
  });
});

describe('directory: who is looked up', () => {
  const here = sharedPair();

  it('a certificate is compared whole, not by its hash; a domain exactly, not by its end', async () => {
    const { alfa, beta } = here();
    const known = beta.gestore.certificate;
    const similar = Buffer.from(known);
    similar[similar.length - 1] = (similar.at(-1) ?? 0) ^ 1;
    assert.equal(alfa.directory.byCertificate(known)[0]?.providerName, beta.name);
    assert.deepEqual(alfa.directory.byCertificate(similar), []);
    assert.equal(alfa.directory.byDomain('pec.beta.example')?.mailReceipt, beta.serviceMailbox);
    for (const domain of ['sub.pec.beta.example', 'beta.example', 'pec.beta.example.', '']) {
      assert.equal(alfa.directory.byDomain(domain), undefined, domain);
    }
    assert.deepEqual(
      alfa.directory.records().map(({ providerName }) => providerName),
      [alfa.name, beta.name],
    );
  });
});
