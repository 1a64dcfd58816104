import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { signAttached } from '../../src/smime/index.js';
import { StoreUnavailable } from '../../src/storage/index.js';
import { silentTelemetry } from '../../src/telemetry/index.js';
import { createWebServer, type WebServerOptions } from '../../src/web/index.js';
import { selfSigned } from '../smtp/certificate.js';
import { openssl, scratch } from '../support/openssl.js';
import { sharedPair } from '../support/pair.js';
import { needs } from '../support/programs.js';

const tlsPair = selfSigned('localhost');

interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** A server of the tests; what it should not have said is in `telemetry`. */
async function serving(t: TestContext, options: Partial<WebServerOptions> = {}, address = '127.0.0.1') {
  const telemetry = silentTelemetry();
  const server = await createWebServer({
    tls: tlsPair,
    telemetry,
    caFile: null,
    providerRecord: null,
    metrics: () => telemetry.metrics(),
    metricsAllow: ['127.0.0.1'],
    alarms: () => [],
    checks: [],
    ...options,
  });
  t.after(() => server.close());
  const { port } = await server.listen(0, address);
  const get = (path: string, more: RequestOptions = {}): Promise<Answer> =>
    ask({ host: address, port, path, ...more });
  return { get, port, telemetry, server };
}

function ask(options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ rejectUnauthorized: false, agent: false, ...options }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () =>
        resolve({ code: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

const json = ({ body }: Answer): unknown => JSON.parse(body.toString());

describe('web: health', () => {
  it('/healthz answers while the process does, /readyz when everything it needs does', async (t) => {
    const checks = [
      { name: 'store', ok: async () => true },
      { name: 'antivirus', ok: async () => true },
    ];
    const { get } = await serving(t, { checks });
    assert.deepEqual(json(await get('/healthz')), { status: 'ok' });
    const ready = await get('/readyz');
    assert.deepEqual(
      [ready.code, json(ready)],
      [200, { status: 'ready', checks: { store: true, antivirus: true }, alarms: [] }],
    );
  });

  for (const [what, ok] of [
    ['says no', async () => false],
    ['rejects', async () => Promise.reject(new StoreUnavailable('full', 'disk full at /var/lib/ceralacca'))],
    [
      'throws',
      () => {
        throw new Error('gone');
      },
    ],
  ] as const) {
    it(`a check that ${what} is 503, and the others are told all the same`, async (t) => {
      const { get } = await serving(t, {
        checks: [
          { name: 'store', ok },
          { name: 'antivirus', ok: async () => true },
        ],
      });
      const ready = await get('/readyz');
      assert.deepEqual(
        [ready.code, json(ready)],
        [503, { status: 'not ready', checks: { store: false, antivirus: true }, alarms: [] }],
      );
      assert.equal((await get('/healthz')).code, 200);
    });
  }
});

describe('web: the alarms that stand', () => {
  it('are told in /readyz to those who may read the metrics, and change nothing in its answer', async (t) => {
    const alarms = () => ['signer-unavailable'];
    const { get } = await serving(t, { alarms });
    const told = await get('/readyz');
    assert.deepEqual(
      [told.code, json(told)],
      [200, { status: 'ready', checks: {}, alarms: ['signer-unavailable'] }],
    );
    const { get: stranger } = await serving(t, { alarms, metricsAllow: [] });
    assert.deepEqual(json(await stranger('/readyz')), { status: 'ready', checks: {} });
  });
});

describe('web: metrics', () => {
  it('are for those on the list', async (t) => {
    for (const [metricsAllow, code] of [
      [['127.0.0.1'], 200],
      [['127.0.0.0/8'], 200],
      [['::1', '10.0.0.0/8', '127.0.0.1'], 200],
      [[], 403],
      [['127.0.0.2', '10.0.0.0/8', 'fd00::/8'], 403],
    ] as const) {
      const { get } = await serving(t, { metricsAllow });
      const answer = await get('/metrics', { headers: { 'x-forwarded-for': '127.0.0.1' } });
      assert.equal(answer.code, code, metricsAllow.join());
      if (code === 403) assert.deepEqual(json(answer), { error: 'not allowed from this address' });
    }
  });

  it('are the text Prometheus reads', async (t) => {
    const { get, telemetry } = await serving(t);
    telemetry.event('alarm', { name: 'prova', reason: 'x' });
    const { headers, body } = await get('/metrics');
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
    assert.match(body.toString(), /^ceralacca_alarms_total\{name="prova"\} 1$/m);
    await get('/healthz');
    assert.match(
      (await get('/metrics')).body.toString(),
      /http_seconds_count\{method="GET",route="\/healthz",status="200"\} 1/,
    );
  });

  it('a name made up by a stranger makes no label', async (t) => {
    const { get } = await serving(t);
    for (let number = 0; number < 20; number++) await get(`/inventato/${number}`);
    const text = (await get('/metrics')).body.toString();
    assert.ok(!text.includes('inventato'));
    assert.match(text, /http_seconds_count\{method="GET",route="\*",status="404"\} 20/);
  });

  it('an IPv4 client of a dual-stack listener counts as IPv4', async (t) => {
    const telemetry = silentTelemetry();
    const server = await createWebServer({
      tls: tlsPair,
      telemetry,
      caFile: null,
      providerRecord: null,
      metrics: async () => 'ok',
      metricsAllow: ['127.0.0.0/8'],
      alarms: () => [],
      checks: [],
    });
    t.after(() => server.close());
    const { port } = await server.listen(0, '::');
    assert.equal((await ask({ host: '127.0.0.1', port, path: '/metrics' })).code, 200);
    assert.equal((await ask({ host: '::1', port, path: '/metrics' })).code, 403);
  });
});

describe('web: what everybody gets', () => {
  it('the security headers stand on every answer, errors included', async (t) => {
    const { get } = await serving(t, { metricsAllow: [] });
    for (const path of ['/healthz', '/niente', '/metrics', '/%', '/readyz?x=1']) {
      const { headers } = await get(path);
      assert.equal(headers['strict-transport-security'], 'max-age=31536000', path);
      assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'", path);
      assert.equal(headers['x-content-type-options'], 'nosniff', path);
      assert.equal(headers['referrer-policy'], 'no-referrer', path);
      assert.equal(headers['x-powered-by'], undefined);
    }
  });

  it('unknown paths and methods are 404 and say nothing', async (t) => {
    const { get } = await serving(t);
    for (const [path, method] of [
      ['/', 'GET'],
      ['/niente', 'GET'],
      ['/healthz', 'POST'],
      ['/healthz', 'DELETE'],
      ['/ca.pem', 'GET'],
      ['/igpec/provider.ldif.p7m', 'GET'],
      ['/../../etc/passwd', 'GET'],
      ['/%2e%2e/%2e%2e/etc/passwd', 'GET'],
    ]) {
      const answer = await get(path ?? '', { method });
      assert.equal(answer.code, 404, `${method} ${path}`);
      assert.deepEqual(json(answer), { error: 'Not Found' });
    }
    const bad = await get('/%zz');
    assert.deepEqual([bad.code, json(bad)], [400, { error: 'Bad Request' }]);
  });

  it('a huge header, a huge body and noise are refused; the server goes on', async (t) => {
    const { get, port } = await serving(t);
    const huge = await get('/healthz', { headers: { 'x-huge': 'x'.repeat(100_000) } }).catch(
      (error: Error) => error,
    );
    assert.ok(huge instanceof Error || huge.code === 431);
    const answers = await new Promise<string>((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () =>
        socket.write('NOISE\0\r\n\r\n'),
      );
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    assert.match(answers, /^HTTP\/1\.1 400 /);
    assert.equal((await get('/healthz')).code, 200);
  });

  it('a failure inside is a 500 that says nothing of the inside; the log has it', async (t) => {
    const secret = '/var/lib/ceralacca/certs/ca.pem';
    const { get, telemetry } = await serving(t, {
      caFile: secret,
      providerRecord: async () => Promise.reject(new Error('the key in /etc/ceralacca is away')),
    });
    for (const path of ['/ca.pem', '/igpec/provider.ldif.p7m']) {
      const answer = await get(path);
      assert.deepEqual([answer.code, json(answer)], [500, { error: 'Internal Server Error' }]);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    }
    const told = telemetry.recorded.flatMap((event) =>
      event.name === 'session.failed' ? [event.fields.error] : [],
    );
    assert.ok(told[0]?.includes(secret) && told[1]?.includes('/etc/ceralacca'));
  });

  it('only TLS 1.2 and later, and a new certificate without a restart', async (t) => {
    const { port, server } = await serving(t);
    const shown = (maxVersion: 'TLSv1.1' | 'TLSv1.3'): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connectTls(
          {
            host: '127.0.0.1',
            port,
            rejectUnauthorized: false,
            minVersion: 'TLSv1',
            maxVersion,
            ciphers: 'DEFAULT@SECLEVEL=0',
          },
          () => {
            resolve(socket.getPeerX509Certificate()?.fingerprint ?? '');
            socket.end();
          },
        );
        socket.on('error', reject);
      });
    await assert.rejects(shown('TLSv1.1'));
    const before = await shown('TLSv1.3');
    server.reload(selfSigned('altro.example'));
    assert.notEqual(await shown('TLSv1.3'), before);
  });

  it('/ca.pem hands out the file as it is now', async (t) => {
    const files = scratch();
    t.after(() => files.remove());
    const caFile = files.write('ca.pem', 'PRIMA');
    const { get } = await serving(t, { caFile });
    assert.equal((await get('/ca.pem')).body.toString(), 'PRIMA');
    files.write('ca.pem', 'DOPO');
    const answer = await get('/ca.pem');
    assert.deepEqual(
      [answer.body.toString(), answer.headers['content-type']],
      ['DOPO', 'application/x-pem-file'],
    );
  });
});

describe('web: our record for the directory', () => {
  const here = sharedPair();

  it('is signed, openssl verifies it, and the other side imports it', {
    skip: needs('openssl'),
  }, async (t) => {
    const { alfa, beta, pki, clock } = here();
    const { get } = await serving(t, {
      providerRecord: async () =>
        signAttached(Buffer.from(alfa.directory.ownLdif()), alfa.gestore.signer, clock.now),
    });
    await alfa.store.write('addDomain', { name: 'pec.cliente.example', now: clock.now });
    await alfa.directory.current();
    const { body, headers, code } = await get('/igpec/provider.ldif.p7m');
    assert.deepEqual(
      [code, headers['content-type']],
      [200, 'application/pkcs7-mime; smime-type=signed-data'],
    );
    const files = scratch();
    t.after(() => files.remove());
    const out = files.path('out.ldif');
    const { ok, stderr } = openssl(
      ...[
        'cms',
        '-verify',
        '-inform',
        'DER',
        '-in',
        files.write('record.p7m', body),
        '-purpose',
        'smimesign',
      ],
      ...['-CAfile', files.write('ca.pem', pki.authority.certificatePem), '-out', out, '-binary'],
    );
    assert.ok(ok, stderr);
    clock.advance(1000);
    const believed = await beta.directory.import(body, pki.authority.certificatePem);
    assert.equal(Buffer.from(believed.ldif).toString(), alfa.directory.ownLdif());
    assert.equal(believed.signer?.organization, alfa.name);
    assert.equal(beta.directory.byDomain('pec.cliente.example')?.mailReceipt, alfa.serviceMailbox);
    assert.equal(readFileSync(out, 'utf8'), alfa.directory.ownLdif());
  });
});
