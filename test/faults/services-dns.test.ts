import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Dns, networkDns, watchedDns } from '../../src/relay/index.js';
import { codeOf } from '../../src/relay/routing.js';
import { silentTelemetry } from '../../src/telemetry/index.js';
import { selfSigned } from '../smtp/certificate.js';
import { step, twoGestori } from '../support/gestore.js';
import { NameServer } from './name-server.js';
import { Promises } from './promises.js';
import { StubbornPeer } from './stubborn-peer.js';
import { courseOf, eventually, readiness, untilCleared, untilRaised } from './watching.js';

/** A DNS that gives the errors told to it, and its watch. */
function watched() {
  const telemetry = silentTelemetry();
  let error = '';
  const answer = async (): Promise<string[]> => {
    if (error !== '') throw Object.assign(new Error(error), { code: error });
    return ['192.0.2.1'];
  };
  const dns: Dns = watchedDns(
    { mx: async () => (await answer()).map(() => never), addresses: answer },
    telemetry,
  );
  const ask = async (name: string, code: string): Promise<void> => {
    error = code;
    await dns.addresses(name).catch(() => undefined);
  };
  return { ask, stands: () => telemetry.standing().map(({ name }) => name) };
}
const never = { exchange: 'mx.example', priority: 10 };

suite('when the DNS counts as gone', () => {
  test('three questions without an answer, whoever they are about; any answer ends it', async () => {
    const { ask, stands } = watched();
    for (const code of ['ETIMEOUT', 'ECONNREFUSED']) {
      await ask('a.example', code);
      await ask('a.example', code);
      assert.deepEqual(stands(), []);
      await ask('a.example', code);
      assert.deepEqual(stands(), ['dns-unavailable']);
      await ask('b.example', code === 'ETIMEOUT' ? '' : 'ENOTFOUND');
      assert.deepEqual(stands(), []);
    }
  });

  test('SERVFAIL about three names, but not about one however often: that is its own disorder', async () => {
    const { ask, stands } = watched();
    for (let times = 0; times < 5; times++) await ask('a.example', 'ESERVFAIL');
    await ask('b.example', 'ESERVFAIL');
    assert.deepEqual(stands(), []);
    await ask('c.example', 'ESERVFAIL');
    assert.deepEqual(stands(), ['dns-unavailable']);
    await ask('d.example', '');
    assert.deepEqual(stands(), []);
    for (const name of ['a.example', 'b.example']) await ask(name, 'ESERVFAIL');
    await ask('d.example', '');
    await ask('c.example', 'ESERVFAIL');
    assert.deepEqual(stands(), [], 'not in a row');
  });
});

test('what a real resolver in trouble comes to, and that one not asked is not believed', {
  timeout: 300_000,
}, async (t) => {
  const server = new NameServer();
  const dns = networkDns([await server.listen()]);
  t.after(() => server.close());
  server.hosts.set('mx.beta.example', ['127.0.0.1']);
  server.exchanges.set('pec.beta.example', ['mx.beta.example']);
  const outcome = async (asked: Promise<unknown>): Promise<unknown> => {
    try {
      return await asked;
    } catch (error) {
      return codeOf(error);
    }
  };
  const exchanges = async (): Promise<string[]> =>
    (await dns.mx('pec.beta.example')).map(({ exchange, priority }) => `${priority} ${exchange}`);
  const both = () => Promise.all([outcome(exchanges()), outcome(dns.addresses('mx.beta.example'))]);
  const right = [['10 mx.beta.example'], ['127.0.0.1']];
  assert.deepEqual(await both(), right);
  server.temper = 'SERVFAIL';
  assert.deepEqual(await both(), ['ESERVFAIL', 'ESERVFAIL']);
  server.temper = 'silent';
  assert.deepEqual(await both(), ['ETIMEOUT', 'ETIMEOUT']);
  server.temper = 'forged';
  assert.deepEqual(await both(), ['ETIMEOUT', 'ETIMEOUT']);
  server.temper = 'garbage';
  for (const answer of await both()) assert.match(String(answer), /^(ETIMEOUT|EBADRESP)$/);
  server.temper = 'right';
  assert.deepEqual(await both(), right);
});

test('a gestore whose DNS is gone, or lies: mail is accepted and waits, and goes nowhere else', {
  timeout: 600_000,
}, async (t) => {
  const server = new NameServer();
  const resolver = await server.listen();
  t.after(() => server.close());
  let name = '';
  const pair = await twoGestori(t, {
    prepare: async ({ alfa, beta }) => {
      name = JSON.parse(await beta.run(['config', 'get', 'hostname', '--json'])) as string;
      const routes = { [beta.domain]: `${name}:${beta.port(25)}` };
      await alfa.run(['config', 'set', 'relay.routes', JSON.stringify(routes)]);
      await alfa.run(['config', 'set', 'relay.dns', JSON.stringify([resolver])]);
    },
  });
  const { alfa } = pair;
  const promises = new Promises(pair);
  const right = ['127.0.0.1'];

  await step(t, pair, 'never answers: an alarm, until it does', async () => {
    server.temper = 'silent';
    await promises.sent();
    await untilRaised(alfa, 'dns-unavailable');
    assert.equal((await readiness(alfa)).code, 200);
    await promises.sent();
    server.hosts.set(name, right);
    server.temper = 'right';
    await untilCleared(alfa, 'dns-unavailable');
    await promises.kept();
  });

  await step(t, pair, 'only SERVFAIL: mail waits', async () => {
    await closeConnections();
    server.temper = 'SERVFAIL';
    const asked = server.asked.length;
    await promises.sent();
    await eventually('it is asked more than once', () => server.asked.length > asked + 8);
    server.temper = 'right';
    await promises.kept();
  });

  await step(t, pair, 'the name leads elsewhere, or nowhere: the stranger there gets nothing', async () => {
    await closeConnections();
    const stranger = new StubbornPeer(selfSigned(name));
    await stranger.listen(pair.beta.port(25), '127.0.0.2');
    t.after(() => stranger.close());
    server.hosts.set(name, ['127.0.0.2']);
    await promises.sent();
    await untilRaised(alfa, 'peer-tls');
    assert.deepEqual([stranger.messages, stranger.secured], [[], []]);
    for (const command of stranger.clear) assert.match(command, /^(EHLO|STARTTLS)/);
    server.hosts.delete(name);
    await promises.sent();
    const asked = server.asked.length;
    await eventually('it is told that there is no such name', () => server.asked.length > asked + 4);
    server.hosts.set(name, right);
    await untilCleared(alfa, 'peer-tls');
    await promises.kept();
    assert.deepEqual(courseOf(alfa, 'peer-tls'), ['raised', 'cleared']);
    assert.deepEqual((await readiness(alfa)).alarms, []);
  });

  /** What is connected needs no DNS: beta starts anew. */
  async function closeConnections(): Promise<void> {
    await pair.beta.stop();
    await pair.beta.start();
  }
});
