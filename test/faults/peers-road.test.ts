import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  basicConstraints,
  extendedKeyUsage,
  issueCertificate,
  keyUsage,
  subjectAltName,
} from '../../src/smime/keys/issue-certificate.js';
import { Purpose } from '../../src/smime/read/extensions.js';
import { toPem } from '../../src/smime/read/pem.js';
import { addRoute, step, type TestGestore, twoGestori } from '../support/gestore.js';
import { Promises } from './promises.js';
import { Road } from './road.js';
import { courseOf, eventually, readiness, standing, untilCleared, untilRaised } from './watching.js';

/** Octets of a message whose final dot is beyond what is lost, and of what is said before it. */
const LARGE = 400_000;
const MOST_OF_IT = 300_000;
const DAY = 86_400_000;

/** Writes a TLS certificate of the gestore's own CA over the one in use, with its key. */
function showCertificate(
  { dir, name }: TestGestore,
  { hosts, notAfter }: { hosts: string[]; notAfter: number },
): void {
  const certs = join(dir, 'certs');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificate = issueCertificate({
    subject: [['CN', hosts[0] ?? '']],
    issuer: [
      ['C', 'IT'],
      ['O', name],
      ['CN', `${name} - CA di sviluppo`],
    ],
    publicKey: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
    issuerKey: createPrivateKey(readFileSync(join(certs, 'ca.key'))),
    notBefore: notAfter - 30 * DAY,
    notAfter,
    extensions: [
      basicConstraints(false),
      keyUsage('digitalSignature', 'keyEncipherment'),
      extendedKeyUsage(Purpose.serverAuth),
      subjectAltName({ hosts, addresses: hosts.includes('localhost') ? ['127.0.0.1'] : [] }),
    ],
  });
  writeFileSync(join(certs, 'tls.pem'), toPem('CERTIFICATE', certificate));
  writeFileSync(join(certs, 'tls.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

/** SIGHUP, until the server says that it has read its files. */
async function reload(gestore: TestGestore): Promise<void> {
  const reloads = (): number => gestore.log.split('"event":"server.reloaded"').length;
  const before = reloads();
  process.kill(gestore.pid ?? 0, 'SIGHUP');
  await eventually('its files are read again', () => reloads() > before);
}

test('a peer whose way breaks, in every manner: nothing lost, nothing twice, and it goes on by itself', async (t) => {
  const roads: Road[] = [];
  const pair = await twoGestori(t, {
    prepare: async ({ alfa, beta }) => {
      for (const [from, to] of [
        [alfa, beta],
        [beta, alfa],
      ] as const) {
        const road = new Road(to.port(25), MOST_OF_IT);
        roads.push(road);
        await addRoute(from, to.domain, await road.listen());
      }
    },
  });
  t.after(() => Promise.all(roads.map((road) => road.close())));
  const [there, back] = roads;
  if (there === undefined || back === undefined) throw new Error('the roads are not there');
  const { alfa, beta } = pair;
  const promises = new Promises(pair);
  const standsNothing = async (): Promise<void> => {
    for (const gestore of [alfa, beta]) assert.deepEqual((await readiness(gestore)).alarms, []);
  };

  await step(t, pair, 'the answer to the dot is lost, of the envelope and of its consegna', async () => {
    there.toLose = 2;
    await promises.sent({ octets: LARGE });
    await promises.kept();
    assert.equal(there.lost, 2);
    back.toLose = 2;
    await promises.sent({ octets: LARGE });
    await promises.kept();
    assert.equal(back.lost, 2, 'the complete receipt is as large as the message');
    await standsNothing();
  });

  await step(t, pair, 'a connection that waits goes nowhere without a word: left for a new one', async () => {
    const connections = there.connections;
    there.freeze();
    back.freeze();
    await promises.sent();
    await promises.kept();
    assert.ok(there.connections > connections);
    await standsNothing();
  });

  await step(
    t,
    pair,
    'takes connections and never answers: mail is accepted, and arrives afterwards',
    async () => {
      there.freeze();
      there.cut();
      there.state = 'silent';
      await promises.sent();
      await promises.sent();
      assert.equal((await readiness(alfa)).code, 200);
      there.state = 'open';
      // The machine there starts anew; one that never comes back is given up by the timeouts (peers-stubborn).
      there.cut();
      await promises.kept();
    },
  );

  await step(t, pair, 'drops every connection: an alarm after nine tries, until it takes one', async () => {
    there.cut();
    there.state = 'dead';
    await promises.sent();
    await untilRaised(alfa, 'peer-unreachable');
    assert.equal(await standing(alfa, 'peer-unreachable'), 1);
    await promises.sent();
    there.state = 'open';
    await untilCleared(alfa, 'peer-unreachable');
    await promises.kept();
    assert.deepEqual(courseOf(alfa, 'peer-unreachable'), ['raised', 'cleared']);
    await standsNothing();
  });

  const certs = join(beta.dir, 'certs');
  for (const name of ['tls.pem', 'tls.key']) copyFileSync(join(certs, name), join(certs, `${name}.right`));
  const faults = {
    'has run out': { hosts: ['localhost'], notAfter: Date.now() - DAY },
    'is for another name': { hosts: ['altro.example'], notAfter: Date.now() + DAY },
  };
  let times = 0;
  for (const [what, fault] of Object.entries(faults)) {
    await step(
      t,
      pair,
      `a certificate that ${what}: never in clear, an alarm until it is right`,
      async () => {
        times += 1;
        showCertificate(beta, fault);
        await reload(beta);
        there.cut();
        await promises.sent();
        await untilRaised(alfa, 'peer-tls', times);
        await promises.sent();
        for (const name of ['tls.pem', 'tls.key'])
          copyFileSync(join(certs, `${name}.right`), join(certs, name));
        await reload(beta);
        await untilCleared(alfa, 'peer-tls', times);
        await promises.kept();
        await standsNothing();
      },
    );
  }
});
