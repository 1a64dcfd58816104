import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MimeError } from '../../src/mime/index.js';
import { retryDelay } from '../../src/relay/backoff.js';
import { timeoutsFor } from '../../src/relay/connector.js';
import { dispose, errorOutcome, type Outcome, outcomeOf, routeOutcome } from '../../src/relay/outcome.js';
import { type Dns, RouteError, type RoutingOptions, route } from '../../src/relay/routing.js';
import { defaultTimeouts, makeReply, SmtpClientError, SmtpError } from '../../src/smtp/index.js';

describe('backoff', () => {
  const backoff = { first: 2_000, max: 900_000 };

  it('doubles up to the longest wait', () => {
    const delays = [0, 1, 2, 8, 9, 1000].map((attempts) => retryDelay(backoff, attempts, 0.5));
    assert.deepEqual(delays, [2_000, 4_000, 8_000, 512_000, 900_000, 900_000]);
  });

  it('spreads by a quarter', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempts, random) => {
        const plain = Math.min(backoff.max, backoff.first * 2 ** attempts);
        const delay = retryDelay(backoff, attempts, random);
        assert.ok(delay >= plain * 0.75 && delay <= plain * 1.25);
      }),
    );
  });
});

describe('outcomes', () => {
  const verdict = (code: number, line: string, phase: 'mail' | 'rcpt' | 'final' = 'final') =>
    outcomeOf({ recipient: 'a@b.it', phase, reply: makeReply(code, [line]) });

  it('follow the class of the reply', () => {
    assert.deepEqual(verdict(250, '2.0.0 ok'), { kind: 'sent', answer: '250 2.0.0 ok' });
    assert.deepEqual(verdict(452, '4.2.2 full'), { kind: 'temporary', error: '452 4.2.2 full' });
    assert.deepEqual(verdict(550, '5.7.1 no'), {
      kind: 'permanent',
      failure: { kind: 'refused', enhanced: '5.7.1', text: '550 5.7.1 no' },
    });
  });

  it('read a bare 550 to RCPT as an unknown mailbox', () => {
    const enhanced = (outcome: Outcome) =>
      outcome.kind === 'permanent' && outcome.failure.kind === 'refused' ? outcome.failure.enhanced : 'none';
    assert.equal(enhanced(verdict(550, 'no such user', 'rcpt')), '5.1.1');
    assert.equal(enhanced(verdict(550, 'no such user', 'final')), undefined);
    assert.equal(enhanced(verdict(554, 'no', 'rcpt')), undefined);
  });

  it('take a lost connection for a temporary failure', () => {
    const lost = new SmtpClientError('final', 'connection closed by the peer');
    assert.equal(outcomeOf({ recipient: 'a@b.it', phase: 'final', lost }).kind, 'temporary');
  });

  it('read our own incoming point like a peer', () => {
    const refusal = new SmtpError({ code: 550, enhanced: '5.1.1', publicText: 'Casella inesistente' });
    assert.equal(errorOutcome(refusal).kind, 'permanent');
    assert.equal(errorOutcome(new Error('disk')).kind, 'temporary');
  });

  it('a structure that cannot be read will be no better next time', () => {
    const outcome = errorOutcome(new MimeError('too-deep', 'nested too deep'));
    assert.ok(outcome.kind === 'permanent' && outcome.failure.kind === 'refused');
    assert.equal(outcome.failure.enhanced, '5.6.0');
  });

  it('say what the DNS said', () => {
    const kind = (permanent: boolean, status: string) => {
      const outcome = routeOutcome(new RouteError(permanent, status, 'x'));
      return outcome.kind === 'permanent' ? outcome.failure.kind : outcome.kind;
    };
    assert.equal(kind(true, '5.1.2'), 'no-domain');
    assert.equal(kind(true, '5.1.10'), 'no-mail');
    assert.equal(kind(true, '5.4.6'), 'refused');
    assert.equal(kind(false, '4.4.3'), 'temporary');
  });
});

describe('where a row goes', () => {
  const hour = 3_600_000;
  const row = (kind: 'envelope' | 'notification' | 'ordinary' | 'dsn', attempts = 1) => ({
    kind,
    giveUpAt: 24 * hour,
    attempts,
  });
  const later: Outcome = { kind: 'temporary', error: '451 later' };
  const never: Outcome = { kind: 'permanent', failure: { kind: 'refused', text: '550 no' } };

  it('a temporary failure is tried again, for the last time when the time is over', () => {
    assert.deepEqual(dispose(row('envelope'), later, hour, 5_000), {
      kind: 'retry',
      at: hour + 5_000,
      error: '451 later',
    });
    assert.deepEqual(dispose(row('ordinary'), later, 24 * hour - 1, 5_000), {
      kind: 'retry',
      at: 24 * hour,
      error: '451 later',
    });
  });

  it('decisions 10: envelopes leave silently, notifications are held', () => {
    assert.equal(dispose(row('envelope'), later, 24 * hour, 1).kind, 'dropped');
    assert.equal(dispose(row('notification'), later, 24 * hour, 1).kind, 'held');
    assert.equal(dispose(row('dsn'), later, 24 * hour, 1).kind, 'dropped');
    assert.deepEqual(dispose(row('ordinary'), later, 24 * hour, 1), {
      kind: 'failed',
      failure: { kind: 'expired', text: '451 later' },
    });
  });

  it('decisions 8, 10, 11: only envelopes and ordinary mail fail with a notice', () => {
    assert.equal(dispose(row('envelope'), never, hour, 1).kind, 'failed');
    assert.equal(dispose(row('ordinary'), never, hour, 1).kind, 'failed');
    assert.equal(dispose(row('dsn'), never, hour, 1).kind, 'dropped');
    assert.equal(dispose(row('notification'), never, hour, 1).kind, 'retry');
    assert.equal(dispose(row('notification'), never, 24 * hour, 1).kind, 'held');
  });
});

describe('patience', () => {
  it('is short with ordinary hosts until they have greeted, and never longer than with gestori', () => {
    const { connect, greeting, ...rest } = timeoutsFor(true, defaultTimeouts);
    assert.deepEqual([connect, greeting], [30_000, 30_000]);
    assert.deepEqual({ ...rest, connect }, defaultTimeouts);
    assert.equal(timeoutsFor(true, { ...defaultTimeouts, command: 500 }).greeting, 500);
    assert.deepEqual(timeoutsFor(false, defaultTimeouts), defaultTimeouts);
  });
});

describe('routing', () => {
  const failing = (code: string) => Object.assign(new Error(code), { code });
  const dns = (
    mx: Record<string, { exchange: string; priority: number }[] | string>,
    addresses: Record<string, string[] | string>,
  ): Dns => ({
    async mx(domain) {
      const found = mx[domain] ?? 'ENOTFOUND';
      if (typeof found === 'string') throw failing(found);
      return found;
    },
    async addresses(name) {
      const found = addresses[name] ?? 'ENOTFOUND';
      if (typeof found === 'string') throw failing(found);
      return found;
    },
  });
  const options = (network: Dns, more: Partial<RoutingOptions> = {}): RoutingOptions => ({
    routes: {},
    smartHost: null,
    hostname: 'mail.alfa.example',
    dns: network,
    random: () => 0.5,
    ...more,
  });
  const hosts = async (routing: RoutingOptions, domain: string, external = false) =>
    (await route(routing, domain, external)).map(({ host, port, name }) => `${name}=${host}:${port}`);
  const fails = async (routing: RoutingOptions, domain: string, external = false) => {
    try {
      await route(routing, domain, external);
    } catch (error) {
      if (error instanceof RouteError)
        return `${error.permanent ? 'permanent' : 'temporary'} ${error.status}`;
      throw error;
    }
    return 'no failure';
  };
  const none = dns({}, {});

  it('takes MX hosts by preference, all addresses of each', async () => {
    const network = dns(
      {
        'beta.example': [
          { exchange: 'mx2.beta.example', priority: 20 },
          { exchange: 'mx1.beta.example', priority: 10 },
        ],
      },
      { 'mx1.beta.example': ['192.0.2.1', '2001:db8::1'], 'mx2.beta.example': ['192.0.2.2'] },
    );
    assert.deepEqual(await hosts(options(network), 'beta.example'), [
      'mx1.beta.example=192.0.2.1:25',
      'mx1.beta.example=2001:db8::1:25',
      'mx2.beta.example=192.0.2.2:25',
    ]);
  });

  it('falls back on the domain itself', async () => {
    const network = dns({ 'beta.example': 'ENODATA' }, { 'beta.example': ['192.0.2.9'] });
    assert.deepEqual(await hosts(options(network), 'beta.example'), ['beta.example=192.0.2.9:25']);
  });

  it('tells what will never work from what may', async () => {
    const network = dns(
      {
        'nullo.example': [{ exchange: '', priority: 0 }],
        'guasto.example': 'ESERVFAIL',
        'vuoto.example': 'ENODATA',
        'noi.example': [{ exchange: 'MAIL.alfa.example', priority: 10 }],
        'perso.example': [{ exchange: 'mx.perso.example', priority: 10 }],
        'dubbio.example': [
          { exchange: 'perso.example', priority: 10 },
          { exchange: 'lento.example', priority: 10 },
        ],
      },
      { 'vuoto.example': 'ENODATA', 'lento.example': 'ETIMEOUT' },
    );
    assert.equal(await fails(options(network), 'assente.example'), 'permanent 5.1.2');
    // It exists (decisions 11 speaks of domains that do not): for a gestore's domain that is no final answer.
    assert.equal(await fails(options(network), 'vuoto.example'), 'temporary 4.4.4');
    assert.equal(await fails(options(network), 'vuoto.example', true), 'permanent 5.4.4');
    assert.equal(await fails(options(network), 'nullo.example'), 'permanent 5.1.10');
    assert.equal(await fails(options(network), 'noi.example'), 'permanent 5.4.6');
    assert.equal(await fails(options(network), 'guasto.example'), 'temporary 4.4.3');
    assert.equal(await fails(options(network), 'perso.example'), 'permanent 5.4.4');
    assert.equal(await fails(options(network), 'dubbio.example'), 'temporary 4.4.3');
  });

  it('a written route goes before the DNS', async () => {
    const routes = {
      'pec.beta.example': { host: '127.0.0.1', port: 20025 },
      'pec.gamma.example': { host: 'mx.gamma.example', port: 26 },
    };
    const routing = options(dns({}, { 'mx.gamma.example': ['192.0.2.3'] }), { routes });
    assert.deepEqual(await hosts(routing, 'pec.beta.example'), ['127.0.0.1=127.0.0.1:20025']);
    assert.deepEqual(await hosts(routing, 'pec.gamma.example'), ['mx.gamma.example=192.0.2.3:26']);
    assert.deepEqual(await hosts(routing, '[192.0.2.7]'), ['192.0.2.7=192.0.2.7:25']);
    assert.equal(await fails(options(none, { routes }), 'pec.gamma.example'), 'temporary 4.4.4');
  });

  it('a route is one that was written, whatever the domain is called', async () => {
    const absent: Dns = { ...none, mx: async () => Promise.reject(failing('ENOTFOUND')) };
    for (const domain of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      assert.equal(await fails(options(absent), domain), 'permanent 5.1.2');
    }
  });

  it('decisions 31: "*" and the smart host are for external recipients only', async () => {
    const star = { routes: { '*': { host: '127.0.0.1', port: 1 } } };
    assert.deepEqual(await hosts(options(none, star), 'x.example', true), ['127.0.0.1=127.0.0.1:1']);
    assert.equal(await fails(options(none, star), 'x.example'), 'permanent 5.1.2');
    const smart = { smartHost: { host: '127.0.0.1', port: 2 } };
    assert.deepEqual(await hosts(options(none, smart), 'x.example', true), ['127.0.0.1=127.0.0.1:2']);
    assert.equal(await fails(options(none, smart), 'x.example'), 'permanent 5.1.2');
  });
});
