import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { identificativo, instantOf, legalTime } from '../../src/pec/index.js';

test('RFC 6109 4.1: the instant is cut to the second', () => {
  assert.deepEqual(legalTime(Date.UTC(2018, 10, 13, 15, 39, 26, 999)), {
    epochMs: Date.UTC(2018, 10, 13, 15, 39, 26),
    giorno: '13/11/2018',
    ora: '16:39:26',
    zona: '+0100',
    date: 'Tue, 13 Nov 2018 16:39:26 +0100',
    compact: '20181113163926',
  });
});

test('RFC 6109 4.2: summer time begins and ends at 01:00 UTC', () => {
  const spring = Date.UTC(2026, 2, 29, 1);
  assert.equal(legalTime(spring - 1).date, 'Sun, 29 Mar 2026 01:59:59 +0100');
  assert.equal(legalTime(spring).date, 'Sun, 29 Mar 2026 03:00:00 +0200');
  const autumn = Date.UTC(2026, 9, 25, 1);
  assert.equal(legalTime(autumn - 1).date, 'Sun, 25 Oct 2026 02:59:59 +0200');
  assert.equal(legalTime(autumn).date, 'Sun, 25 Oct 2026 02:00:00 +0100');
});

test('agrees with luxon at every instant, and reads back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (epochMs) => {
      const time = legalTime(epochMs);
      const expected = DateTime.fromMillis(time.epochMs, { zone: 'Europe/Rome', locale: 'en' });
      assert.equal(time.giorno, expected.toFormat('dd/MM/yyyy'));
      assert.equal(`${time.ora} ${time.zona}`, expected.toFormat('HH:mm:ss ZZZ'));
      assert.equal(time.compact, expected.toFormat('yyyyMMddHHmmss'));
      assert.equal(time.date, expected.toFormat('ccc, d LLL yyyy HH:mm:ss ZZZ'));
      assert.equal(instantOf(time.giorno, time.ora, time.zona), time.epochMs);
    }),
  );
});

test('no instant, no words', () => {
  for (const wrong of [Number.NaN, -1000, Number.POSITIVE_INFINITY, 8.64e15]) {
    assert.throws(() => legalTime(wrong), RangeError);
  }
  assert.equal(instantOf('31/02/2026', '10:00:00', '+0100'), undefined);
});

test('RFC 6109 2.2.1: the identificativo is an alphanumeric string at the mail domain', () => {
  const time = legalTime(Date.UTC(2018, 10, 13, 15, 39, 26));
  assert.equal(
    identificativo(time, '0123456789abcdef', 'gestore.example'),
    'ceralacca1.20181113163926.0123456789abcdef@gestore.example',
  );
  assert.throws(() => identificativo(time, 'short', 'gestore.example'), RangeError);
  assert.throws(() => identificativo(time, '0123456789abcdef\r\n', 'gestore.example'), RangeError);
  assert.throws(() => identificativo(time, '0123456789abcdef', 'gestore.example>\r\nX: y'), RangeError);
});
