import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  availabilityOf,
  collect,
  Delays,
  statisticsCsv,
  statisticsHtml,
} from '../../src/statistics/index.js';
import { anna, bruno } from '../incoming-point/arrivals.js';
import { EICAR } from '../support/eicar.js';
import { scratch } from '../support/openssl.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { needs } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';

const MINUTE = 60_000;
const at = (text: string): number => Date.parse(text);

describe('statistics: what the register says of a time', () => {
  const here = sharedPair();
  let from = 0;
  let to = 0;

  before(async () => {
    const pair: Pair = here();
    const { alfa, beta, network, clock } = pair;
    from = clock.now;
    await alfa.submit({ from: anna, to: [bruno, 'nessuno@pec.beta.example'], subject: 'Uno' });
    await network.pump();
    await alfa.submit({ from: anna, to: [bruno], subject: 'Virus', body: `${EICAR}\r\n` });
    await alfa.submit({
      from: anna,
      to: [bruno],
      recipients: [bruno, 'x@pec.beta.example'],
      subject: 'Errato',
    });
    await beta
      .receive({
        mailFrom: 'a@b.example',
        recipients: [bruno],
        message: Buffer.from('Subject: x\r\n\r\ny\r\n'),
      })
      .catch(() => undefined);
    to = clock.now + MINUTE;
  });
  const of = (point: Pair['alfa']) => collect(point.store, point.name, { from, to }, to);

  it('counts what each gestore did, and nothing outside the time', async () => {
    const { alfa, beta } = here();
    const { total } = await of(alfa);
    assert.deepEqual(
      [
        total.accettazioni,
        total.nonAccettazioni,
        total.virusInUscita,
        total.busteInviate,
        total.notificheRicevute,
      ],
      [1, 2, 1, 1, 3],
    );
    const theirs = (await of(beta)).total;
    assert.deepEqual(
      [theirs.busteRicevute, theirs.preseInCarico, theirs.consegne, theirs.mancateConsegne, theirs.rifiutati],
      [1, 1, 1, 1, 1],
    );
    const none = await collect(alfa.store, alfa.name, { from: 0, to: from - 1 }, to);
    assert.ok(Object.values(none.total).every((count) => count === 0));
    assert.deepEqual(none.days, []);
  });

  it('days add up to the whole; mailboxes by domain; delays of what arrived', async () => {
    const statistics = await of(here().alfa);
    assert.equal(
      statistics.days.reduce((sum, { counts }) => sum + counts.accettazioni, 0),
      statistics.total.accettazioni,
    );
    assert.deepEqual(statistics.mailboxes, [
      { domain: 'pec.alfa.example', active: 2, suspended: 0, revoked: 0 },
    ]);
    assert.deepEqual([statistics.acceptance.count, statistics.delivery.count], [1, 1]);
  });

  it('as CSV: a line a day and one for the whole', async () => {
    const lines = statisticsCsv(await of(here().alfa)).split('\r\n');
    assert.match(lines[0] ?? '', /^\ufeffgiorno,accettazioni,/);
    assert.match(lines.at(-2) ?? '', /^totale,1,2,/);
    assert.ok(lines.every((line) => line === '' || line.split(',').length === 15));
  });

  it('as a page: well formed, nothing fetched, names of others are only text', {
    skip: needs('xmllint'),
  }, async (t) => {
    const { alfa } = here();
    const page = statisticsHtml({ ...(await of(alfa)), gestore: '<script>"&\'' });
    assert.doesNotMatch(page, /<script|https?:/);
    const body = page.slice(page.indexOf('<body>'), page.indexOf('</body>') + 7);
    const files = scratch();
    t.after(() => files.remove());
    await runProgram('xmllint', ['--noout', files.write('page.xml', body)]);
  });
});

describe('statistics: delays', () => {
  it('percentiles are right to two in a hundred, however many there are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90_000_000 }), { minLength: 1 }), (list) => {
        const delays = new Delays();
        for (const ms of list) delays.add(ms);
        const sorted = [...list].sort((a, b) => a - b);
        const { p50, p95, p99, longest, count } = delays.summary();
        assert.deepEqual([count, longest], [list.length, sorted.at(-1)]);
        for (const [share, found] of [
          [0.5, p50],
          [0.95, p95],
          [0.99, p99],
        ] as const) {
          const exact = sorted[Math.ceil(list.length * share) - 1] ?? 0;
          assert.ok(found !== null && found >= exact && found <= exact * 1.021 + 1, `${found} for ${exact}`);
        }
      }),
    );
  });

  it('of nothing there are none', () => {
    assert.deepEqual(new Delays().summary(), { count: 0, p50: null, p95: null, p99: null, longest: null });
  });
});

describe('statistics: availability by four months (DM 2/11/2005 art. 14)', () => {
  const year = { from: at('2026-01-01T00:00:00+01:00'), to: at('2027-01-01T00:00:00+01:00') };
  const node = (since: string, until: string, name = 'a') => ({
    node: name,
    since: at(since),
    until: at(until),
  });

  it('an outage counts in its period; restarts of some seconds are none', () => {
    const found = availabilityOf(
      [
        node('2026-01-01T00:00:00+01:00', '2026-02-10T10:00:00+01:00'),
        node('2026-02-10T16:00:00+01:00', '2026-06-01T00:00:00+02:00'),
        node('2026-06-01T00:00:08+02:00', '2026-08-31T23:59:59+02:00'),
      ],
      year,
      at('2026-09-01T00:00:00+02:00'),
    );
    assert.deepEqual(
      found.map(({ period, outages, meets }) => [period, outages, meets]),
      [
        ['2026-01 - 2026-04', 1, false],
        ['2026-05 - 2026-08', 0, true],
      ],
    );
    const [first] = found;
    assert.ok(first?.longest);
    assert.equal(first.longest.to - first.longest.from, 6 * 60 * MINUTE);
    // 6 h of 120 days, of which one day has 23 h.
    assert.ok(Math.abs(first.share - (1 - 6 / (120 * 24 - 1))) < 1e-9);
  });

  it('two nodes stand in for each other; what is before the first sign is not judged', () => {
    const [only, ...others] = availabilityOf(
      [
        node('2026-03-01T00:00:00+01:00', '2026-03-10T00:00:00+01:00', 'a'),
        node('2026-03-09T00:00:00+01:00', '2026-03-20T00:00:00+01:00', 'b'),
      ],
      year,
      at('2026-03-20T00:02:00+01:00'),
    );
    assert.deepEqual(others, []);
    assert.deepEqual([only?.share, only?.outages, only?.from], [1, 0, at('2026-03-01T00:00:00+01:00')]);
  });

  it('who is away now is away', () => {
    const [only] = availabilityOf(
      [node('2026-03-01T00:00:00+01:00', '2026-03-02T00:00:00+01:00')],
      year,
      at('2026-03-03T00:00:00+01:00'),
    );
    assert.deepEqual([only?.share, only?.outages, only?.meets], [0.5, 1, false]);
  });

  it('without a sign there is nothing to say', () => {
    assert.deepEqual(availabilityOf([], year, year.to), []);
  });
});

describe('presence: signs of a node', () => {
  const here = sharedPair();

  it('go on while they come, begin anew after silence, a start, or a clock set back', async () => {
    const { alfa } = here();
    const sign = (now: number, begins = false) =>
      alfa.store.write('recordPresence', { node: 'n', now, begins, patience: 3 * MINUTE });
    const T = 1_000_000_000;
    await sign(T, true);
    await sign(T + MINUTE);
    await sign(T + 4 * MINUTE);
    await sign(T + 8 * MINUTE);
    await sign(T + 9 * MINUTE, true);
    await sign(T + 7 * MINUTE);
    const spans = await alfa.store.read('presenceBetween', { from: T, to: T + 10 * MINUTE });
    assert.deepEqual(
      spans.map(({ since, until }) => [since - T, until - T].map((ms) => ms / MINUTE)),
      [
        [0, 4],
        [7, 7],
        [8, 8],
        [9, 9],
      ],
    );
    assert.deepEqual(
      await alfa.store.read('presenceBetween', { from: T + 20 * MINUTE, to: T + 21 * MINUTE }),
      [],
    );
  });
});
