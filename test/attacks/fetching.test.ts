/** What we are made to fetch: revocation lists that certificates point at, directory sources, values by URL. */
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, describe, it, type TestContext } from 'node:test';
import { readLdif } from '../../src/directory/index.js';
import { fetchSource } from '../../src/directory/source-file.js';
import {
  type Certificate,
  CrlStore,
  createTrustStore,
  readCertificate,
  verifySignature,
} from '../../src/smime/index.js';
import { crlDistributionPoints } from '../../src/smime/keys/issue-certificate.js';
import { download, isPublicAddress } from '../../src/smime/verify/download.js';
import { FROM, halves, sealed } from '../smime/messages.js';
import { type Authority, createAuthority } from '../support/pki.js';

const MIB = 1024 * 1024;
const LIMITS = { timeout: 30_000, size: MIB };

let authority: Authority;
let issuer: Certificate;
before(async () => {
  authority = await createAuthority();
  issuer = readCertificate(authority.certificate);
});

const pointing = async (...uris: string[]): Promise<Certificate> =>
  readCertificate((await authority.issue({ more: [crlDistributionPoints(...uris)] })).certificate);

/** A web server on the loopback address, and how often it was asked. */
async function web(t: TestContext, answer: RequestListener): Promise<{ base: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('the pointer of a certificate', () => {
  it('never leads into our own network, however the address is written', async (t) => {
    const { base, asked } = await web(t, (_, response) => void response.end(authority.crl()));
    const port = new URL(base).port;
    const hosts = [
      '127.0.0.1',
      'localhost',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
    ];
    for (const host of hosts) {
      const found = await new CrlStore().check(
        await pointing(`http://${host}:${port}/ca.crl`),
        issuer,
        Date.now(),
      );
      assert.equal(found.status, 'unavailable', host);
      assert.match('reason' in found ? found.reason : '', /public address/, host);
    }
    assert.deepEqual(asked, []);
    const named = new CrlStore({ sources: [{ url: `${base}/ca.crl` }] });
    const subject = await pointing('http://10.0.0.1/ca.crl');
    assert.equal(
      (await named.check(subject, issuer, Date.now())).status,
      'good',
      'unless the operator says so',
    );
    assert.deepEqual(asked, ['/ca.crl']);
  });

  it('is one of four at most, and only http and https are followed', async () => {
    const fetched: string[] = [];
    const store = new CrlStore({
      download: async (url, _, reach) => {
        fetched.push(`${reach} ${url.href}`);
        throw new Error('nothing there');
      },
    });
    const odd = ['ldap://ca.example/', 'file:///etc/passwd', 'gopher://ca.example/', 'http://'];
    const many = Array.from({ length: 40 }, (_, index) => `http://ca.example/${index}`);
    await store.check(await pointing(...odd, ...many), issuer, Date.now());
    assert.deepEqual(
      fetched,
      many.slice(0, 4).map((url) => `public ${url}`),
    );
  });

  it('is not followed before the chain is proved: a stranger makes us fetch nothing', async (t) => {
    const { base, asked } = await web(t, (_, response) => void response.end());
    const stranger = await createAuthority({ name: 'Falsa' });
    const leaf = await stranger.issue({ more: [crlDistributionPoints(`${base}/probe`)] });
    const signed = await halves(await sealed(leaf));
    const crls = new CrlStore({ pointers: 'anywhere' });
    const faultsTrusting = async ({ certificatePem }: Authority): Promise<string[]> => {
      const trust = createTrustStore(certificatePem);
      const { faults } = await verifySignature({ signed, from: FROM, trust, crls, at: Date.now() });
      return faults.map(({ code }) => code);
    };
    assert.deepEqual(await faultsTrusting(authority), ['untrusted']);
    assert.deepEqual(asked, []);
    await faultsTrusting(stranger);
    assert.deepEqual(asked, ['/probe'], 'the test can tell');
  });
});

describe('a download', () => {
  const get = (url: string, limits = LIMITS) => download(new URL(url), limits, 'anywhere');

  it('follows three redirects on its host, and out of it to public addresses only', async (t) => {
    const inside = await web(t, (_, response) => void response.end('secret'));
    const { base } = await web(t, ({ url = '' }, response) => {
      const count = Number(/^\/hop(\d)$/.exec(url)?.[1] ?? 0);
      if (count > 0) response.writeHead(302, { location: `/hop${count - 1}` }).end();
      else if (url === '/in') response.writeHead(301, { location: `${inside.base}/admin` }).end();
      else if (url === '/meta') response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
      else if (url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      else if (url === '/none') response.writeHead(302, { location: 'http://[' }).end();
      else if (url === '/loop') response.writeHead(307, { location: '/loop' }).end();
      else response.end('list');
    });
    assert.equal(Buffer.from(await get(`${base}/hop3`)).toString(), 'list');
    await assert.rejects(get(`${base}/hop4`), /more than 3 redirects/);
    await assert.rejects(get(`${base}/loop`), /more than 3 redirects/);
    await assert.rejects(get(`${base}/in`), /127\.0\.0\.1 is not a public address/);
    await assert.rejects(get(`${base}/meta`), /169\.254\.169\.254 is not a public address/);
    await assert.rejects(get(`${base}/file`), /only http and https|not a public/);
    await assert.rejects(get(`${base}/none`), /no URL/);
    assert.deepEqual(inside.asked, []);
  });

  it('ends at its size, and at its time over all, also for a body that trickles', async (t) => {
    const { base } = await web(t, ({ url }, response) => {
      if (url === '/huge') {
        const more = (): void => {
          while (response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', more);
        more();
        return;
      }
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    await assert.rejects(get(`${base}/huge`), /more than 1048576 octets/);
    await assert.rejects(get(`${base}/slow`, { ...LIMITS, timeout: 500 }), /aborted|took too long/);
    const source = { kind: 'url', url: `${base}/huge`, trust: null, client: null } as const;
    await assert.rejects(fetchSource(source), /more than \d+ octets/);
  });
});

describe('the directory', () => {
  it('is read where the operator says, and nowhere a server sends us', async (t) => {
    const inside = await web(t, (_, response) => void response.end());
    const { base } = await web(t, (_, response) => {
      response.writeHead(302, { location: `${inside.base}/admin` }).end();
    });
    const source = { kind: 'url', url: `${base}/igpec`, trust: null, client: null } as const;
    await assert.rejects(fetchSource(source), /HTTP 302/);
    assert.deepEqual(inside.asked, []);
  });

  it('has no values by URL', () => {
    assert.throws(() => readLdif(Buffer.from('dn: o=x\ndescription:< file:///etc/passwd\n')), /by URL/);
  });
});

describe('an address', () => {
  it('is public, or it is not', () => {
    for (const address of [
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '127.1.2.3',
      '169.254.169.254',
      '172.31.0.1',
      '192.168.0.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:8.8.8.8',
      '64:ff9b::a00:1',
      'fc00::1',
      'fd00::1',
      'fe80::1',
      'ff02::1',
      '2002:a00:1::',
      '2001::1',
      '2001:db8::1',
      'localhost',
      '',
    ]) {
      assert.equal(isPublicAddress(address), false, address);
    }
    for (const address of [
      '8.8.8.8',
      '172.32.0.1',
      '100.128.0.1',
      '2a00:1450:4002::1',
      '2001:4860:4860::8888',
    ])
      assert.equal(isPublicAddress(address), true, address);
  });
});
