import assert from 'node:assert/strict';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { createWebServer } from '../../../src/web/index.js';
import { selfSigned } from '../../smtp/certificate.js';
import { failureTelemetry } from '../events.js';
import { TRUST } from '../signed.js';
import { converse, ownPieces } from '../socket.js';
import type { Target } from '../target.js';

const failures = failureTelemetry();
const server = await createWebServer({
  tls: selfSigned('localhost'),
  telemetry: failures.telemetry,
  caFile: join(TRUST, 'ca.pem'),
  providerRecord: async () => Buffer.from('record'),
  metrics: () => Promise.resolve('ceralacca_up 1\n'),
  metricsAllow: ['127.0.0.1'],
  alarms: () => ['disk'],
  checks: [{ name: 'store', ok: async () => true }],
});
const { port } = await server.listen(0, '127.0.0.1');
/** A handshake costs more than a request: the session is taken up again. */
let session: Buffer | undefined;

function client() {
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true };
  const socket = connect(session === undefined ? options : { ...options, session });
  return socket.on('session', (given: Buffer) => {
    session = given;
  });
}

export const target: Target = {
  corpus: ['http'],
  covers: ['src/web/server', 'src/web/health', 'src/web/published'],
  words: [
    'GET /healthz HTTP/1.1\r\nHost: a.example\r\n\r\n',
    'POST /readyz HTTP/1.1\r\n',
    'HEAD ',
    'OPTIONS * ',
    ' HTTP/1.0\r\n',
    ' HTTP/2.0\r\n',
    '/metrics',
    '/ca.pem',
    '/igpec/provider.ldif.p7m',
    '/%2e%2e/',
    '/../',
    '%00',
    '%',
    '%ff',
    '?a=b&__proto__[x]=1',
    '//',
    'http://a.example/',
    '\r\n',
    '\r\n\r\n',
    '\n',
    ': ',
    'Host: a.example\r\n',
    'Connection: close\r\n',
    'Connection: Upgrade\r\nUpgrade: h2c\r\n',
    'Content-Type: application/json\r\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    '\r\n5\r\nabcde\r\n0\r\n\r\n',
    'Expect: 100-continue\r\n',
    'Accept-Version: 1\r\n',
    'X-Forwarded-For: 10.0.0.1\r\n',
    'Range: bytes=0-1\r\n',
    '{"__proto__":{"x":1}}',
  ],
  longest: 8192,
  async run(input) {
    const heard = await converse(client(), ownPieces(input));
    assert.ok(heard === '' || heard.startsWith('HTTP/1.1 '), 'an answer that is none');
    for (const [, code = ''] of heard.matchAll(/^HTTP\/1\.1 (\d{3})/gm))
      assert.ok(Number(code) < 500 || ['501', '505'].includes(code), `an answer ${code}`);
    // Nothing of the inside reaches a peer.
    assert.ok(!/node_modules|\.js:\d|at \w+ \(/.test(heard), 'the inside of the program');
    assert.equal(Reflect.get({}, 'x'), undefined);
    assert.deepEqual(failures.taken(), []);
  },
  close: () => server.close(),
};
