import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  type Certificate,
  CmsError,
  CrlStore,
  nodeCrypto,
  readCertificate,
  readCrls,
  revocationFrom,
} from '../../src/smime/index.js';
import { crlDistributionPoints } from '../../src/smime/keys/issue-certificate.js';
import { der } from '../../src/smime/read/der.js';
import { ExtensionOid } from '../../src/smime/read/extensions.js';
import { type Scratch, scratch } from '../support/openssl.js';
import { type Authority, createAuthority, type Identity } from '../support/pki.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let files: Scratch;
let authority: Authority;
let issuer: Certificate;
let leaf: Identity;
let certificate: Certificate;
before(async () => {
  files = scratch();
  authority = await createAuthority();
  issuer = readCertificate(authority.certificate);
  leaf = await authority.issue();
  certificate = readCertificate(leaf.certificate);
});
after(() => files.remove());

const revokedNow = (): Buffer =>
  authority.crl({ revoked: [{ certificate: leaf.certificate, at: Date.now() - HOUR }] });

describe('CrlStore with files', () => {
  it('reads DER, PEM and file: URLs', async () => {
    const binary = files.write('ca.crl', revokedNow());
    const text = files.write('ca.pem', `preface\n${authority.crlPem()}`);
    for (const [source, expected] of [
      [{ file: binary }, 'revoked'],
      [{ url: pathToFileURL(binary).href }, 'revoked'],
      [{ file: text }, 'good'],
    ] as const) {
      const store = new CrlStore({ sources: [source] });
      assert.equal((await store.check(certificate, issuer, Date.now())).status, expected);
      assert.equal(store.lists().length, 1);
    }
  });

  it('notices a list put in its place', async () => {
    let now = Date.now();
    const file = files.write('changing.crl', authority.crl());
    const store = new CrlStore({ sources: [{ file }], now: () => now, monotonic: () => now });
    assert.equal((await store.check(certificate, issuer, now)).status, 'good');
    files.write('changing.crl', revokedNow());
    now += 2000;
    assert.equal((await store.check(certificate, issuer, now)).status, 'revoked');
    assert.deepEqual(await store.refresh(), []);
  });

  it('keeps what it read when the file goes, and says what failed', async () => {
    const file = files.write('vanishing.crl', authority.crl());
    const store = new CrlStore({ sources: [{ file }] });
    assert.equal((await store.check(certificate, issuer, Date.now())).status, 'good');
    rmSync(file);
    assert.match((await store.refresh())[0] ?? '', /vanishing\.crl.*ENOENT/);
    assert.equal((await store.check(certificate, issuer, Date.now())).status, 'good');
  });

  it('is no-pointer only when nothing is configured that might have spoken (architecture 6)', async () => {
    const at = Date.now();
    assert.equal((await new CrlStore().check(certificate, issuer, at)).status, 'no-pointer');
    const stranger = await createAuthority({ name: 'Altra' });
    const other = new CrlStore({ sources: [{ file: files.write('other.crl', stranger.crl()) }] });
    assert.equal((await other.check(certificate, issuer, at)).status, 'no-pointer');
    const missing = new CrlStore({ sources: [{ file: files.path('missing.crl') }] });
    assert.equal((await missing.check(certificate, issuer, at)).status, 'unavailable');
    const broken = new CrlStore({ sources: [{ file: files.write('broken.crl', 'rubbish') }] });
    assert.equal((await broken.check(certificate, issuer, at)).status, 'unavailable');
  });

  it("misses a list that was there and is now another's", async () => {
    let now = Date.now();
    const stranger = await createAuthority({ name: 'Altra' });
    const file = files.write('swapped.crl', authority.crl());
    const store = new CrlStore({ sources: [{ file }], now: () => now, monotonic: () => now });
    assert.equal((await store.check(certificate, issuer, now)).status, 'good');
    files.write('swapped.crl', stranger.crl());
    now += 2000;
    assert.equal((await store.check(certificate, issuer, now)).status, 'unavailable');
  });

  it('ends the grace time at its end, counted from the list that ran out', async () => {
    const now = Date.now();
    const status = async (nextUpdate: number) => {
      const file = files.write('stale.crl', authority.crl({ thisUpdate: now - 9 * DAY, nextUpdate }));
      const store = new CrlStore({ sources: [{ file }], now: () => now, monotonic: () => now, grace: DAY });
      return store.check(certificate, issuer, now);
    };
    const fresh = await status(now - DAY + 2000);
    assert.deepEqual([fresh.status, 'temporary' in fresh && fresh.temporary], ['unavailable', true]);
    const stale = await status(now - DAY - 2000);
    assert.deepEqual([stale.status, 'temporary' in stale && stale.temporary], ['unavailable', false]);
  });

  it('counts the grace time from the first miss when there never was a list', async () => {
    let now = Date.now();
    const store = new CrlStore({
      sources: [{ file: files.path('never.crl') }],
      now: () => now,
      monotonic: () => now,
    });
    const temporary = async () => {
      const found = await store.check(certificate, issuer, now);
      return found.status === 'unavailable' && found.temporary;
    };
    assert.equal(await temporary(), true);
    now += DAY - 1;
    assert.equal(await temporary(), true);
    now += 1;
    assert.equal(await temporary(), false);
  });

  it('does not believe a list that another key signed under the same name', async () => {
    const twin = await createAuthority();
    const forged = new CrlStore({ sources: [{ file: files.write('forged.crl', twin.crl()) }] });
    assert.equal((await forged.check(certificate, issuer, Date.now())).status, 'no-pointer');
  });
});

describe('CrlStore with URLs', () => {
  let server: Server;
  let base: string;
  let asked = 0;
  let answer: { status: number; body: Buffer; hang?: boolean };
  before(async () => {
    server = createServer((_, response) => {
      asked++;
      if (answer.hang) return;
      response.writeHead(answer.status);
      response.end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    asked = 0;
    answer = { status: 200, body: authority.crl() };
  });

  const pointed = async (...uris: string[]): Promise<Certificate> =>
    readCertificate((await authority.issue({ more: [crlDistributionPoints(...uris)] })).certificate);

  it('follows the pointer of a certificate, once for many questions', async () => {
    const subject = await pointed('ldap://ca.example/CRL', `${base}/ca.crl`);
    const store = new CrlStore({ pointers: 'anywhere' });
    const found = await Promise.all(
      Array.from({ length: 5 }, () => store.check(subject, issuer, Date.now())),
    );
    assert.deepEqual(new Set(found.map(({ status }) => status)), new Set(['good']));
    assert.equal(asked, 1);
  });

  it('asks no pointer where a configured list answers, and none at all when told so', async () => {
    const subject = await pointed(`${base}/ca.crl`);
    const configured = new CrlStore({ sources: [{ file: files.write('own.crl', authority.crl()) }] });
    assert.equal((await configured.check(subject, issuer, Date.now())).status, 'good');
    const still = new CrlStore({ followPointers: false });
    assert.equal((await still.check(subject, issuer, Date.now())).status, 'unavailable');
    assert.equal(asked, 0);
  });

  it('is unavailable when the pointer cannot be followed', async () => {
    answer = { status: 503, body: Buffer.alloc(0) };
    const found = await new CrlStore({ pointers: 'anywhere' }).check(
      await pointed(`${base}/ca.crl`),
      issuer,
      Date.now(),
    );
    assert.equal(found.status, 'unavailable');
    assert.match('reason' in found ? found.reason : '', /HTTP 503/);
    const directory = await new CrlStore().check(await pointed('ldap://ca.example/CRL'), issuer, Date.now());
    assert.equal(directory.status, 'unavailable');
  });

  it('bounds size and time, and leaves a place that failed alone for a while', async () => {
    const subject = await pointed(`${base}/ca.crl`);
    let now = Date.now();
    const small = new CrlStore({ pointers: 'anywhere', size: 100, now: () => now, monotonic: () => now });
    assert.equal((await small.check(subject, issuer, now)).status, 'unavailable');
    await small.check(subject, issuer, now);
    assert.equal(asked, 1);
    now += 31_000;
    await small.check(subject, issuer, now);
    assert.equal(asked, 2);
    answer = { ...answer, hang: true };
    assert.equal(
      (await new CrlStore({ pointers: 'anywhere', timeout: 50 }).check(subject, issuer, now)).status,
      'unavailable',
    );
  });

  it('fetches anew when a list runs out', async () => {
    const subject = await pointed(`${base}/ca.crl`);
    let now = Date.now();
    const store = new CrlStore({ pointers: 'anywhere', now: () => now, monotonic: () => now });
    answer = { status: 200, body: authority.crl({ nextUpdate: now + HOUR / 2 }) };
    assert.equal((await store.check(subject, issuer, now)).status, 'good');
    now += HOUR * 0.75;
    answer = { status: 200, body: authority.crl({ nextUpdate: now + HOUR }) };
    assert.equal((await store.check(subject, issuer, now)).status, 'good');
    assert.equal(asked, 2);
  });

  it('takes only http, https and file', () => {
    assert.throws(() => new CrlStore({ sources: [{ url: 'ftp://ca.example/crl' }] }), TypeError);
    assert.throws(() => new CrlStore({ sources: [{ url: 'data:text/plain,x' }] }), TypeError);
  });
});

describe('lists at hand', () => {
  const status = async (crls: readonly Buffer[], at: number, subject = certificate) =>
    (
      await revocationFrom(
        crls.flatMap((crl) => readCrls(crl)),
        nodeCrypto,
      ).check(subject, issuer, at)
    ).status;

  it('vouch for any instant up to their nextUpdate', async () => {
    const now = Date.now();
    const list = authority.crl({ thisUpdate: now - DAY, nextUpdate: now + DAY });
    assert.equal(await status([list], now), 'good');
    assert.equal(await status([list], now - 5 * DAY), 'good');
    assert.equal(await status([list], now + 2 * DAY), 'unavailable');
    assert.equal(await status([], now), 'no-pointer');
  });

  it('are no proof when younger than the end of the certificate: expired ones drop out', async () => {
    const now = Date.now();
    const ended = await authority.issue({ notBefore: now - 9 * DAY, notAfter: now - 5 * DAY });
    const list = authority.crl({ thisUpdate: now - DAY });
    assert.equal(await status([list], now - 6 * DAY, readCertificate(ended.certificate)), 'unavailable');
  });

  it('count from the invalidity date where the issuer gives one (RFC 5280 5.3.2)', async () => {
    const now = Date.now();
    const list = authority.crl({ revoked: [{ certificate: leaf.certificate, at: now - HOUR }] });
    assert.equal(await status([list], now - 2 * HOUR), 'good');
    assert.equal(await status([list], now), 'revoked');
  });

  it('must be whole: delta, indirect and partial ones are refused', () => {
    const number = der(0x02, Uint8Array.of(1));
    const delta = { oid: ExtensionOid.deltaCrlIndicator, critical: true, value: number };
    const scope = (...flags: Uint8Array[]) => ({
      oid: ExtensionOid.issuingDistributionPoint,
      critical: true,
      value: der(0x30, ...flags),
    });
    const indirect = scope(der(0x84, Uint8Array.of(0xff)));
    const partial = scope(der(0x83, Uint8Array.of(0, 0x40)));
    const odd = { oid: '1.2.3.4', critical: true, value: number };
    for (const extension of [delta, indirect, partial, odd]) {
      assert.throws(() => readCrls(authority.crl({ extensions: [extension] })), CmsError);
    }
  });

  it('speak only for the certificates they cover', async () => {
    const only = (tag: number) => ({
      oid: ExtensionOid.issuingDistributionPoint,
      critical: true,
      value: der(0x30, der(tag, Uint8Array.of(0xff))),
    });
    const now = Date.now();
    assert.equal(await status([authority.crl({ extensions: [only(0x81)] })], now), 'good');
    assert.equal(await status([authority.crl({ extensions: [only(0x82)] })], now), 'no-pointer');
    const part = (uri: string) => ({
      oid: ExtensionOid.issuingDistributionPoint,
      critical: true,
      value: der(0x30, der(0xa0, der(0xa0, der(0x86, Buffer.from(uri))))),
    });
    const pointing = await authority.issue({ more: [crlDistributionPoints('http://ca.example/1.crl')] });
    const subject = readCertificate(pointing.certificate);
    assert.equal(
      await status([authority.crl({ extensions: [part('http://ca.example/1.crl')] })], now, subject),
      'good',
    );
    assert.equal(
      await status([authority.crl({ extensions: [part('http://ca.example/2.crl')] })], now, subject),
      'unavailable',
    );
  });
});
