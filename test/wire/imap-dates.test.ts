import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readDateTime, readSearchKeys, writeDateTime } from '../../src/wire/imap/index.js';
import { fuzz, readWhole, refuses, scan } from './imap-fuzz.js';

const at = (text: string): number => readWhole(readDateTime, `"${text}"`);
const DAY = 86_400_000;

function day(text: string): number {
  const key = readSearchKeys(scan(`ON ${text}`));
  return key.kind === 'day' ? key.from : Number.NaN;
}

describe('date-time (RFC 9051 9)', () => {
  it('is an instant', () => {
    assert.equal(at('17-Jul-1996 02:44:25 -0700'), Date.parse('1996-07-17T09:44:25Z'));
    assert.equal(at(' 7-feb-1994 22:43:04 +0530'), Date.parse('1994-02-07T17:13:04Z'));
    assert.equal(at('07-FEB-1994 00:00:00 +0000'), Date.parse('1994-02-07T00:00:00Z'));
    assert.equal(at('31-Dec-2016 23:59:60 +0000'), Date.parse('2017-01-01T00:00:00Z'));
    assert.equal(at('29-Feb-2024 12:00:00 +0000'), Date.parse('2024-02-29T12:00:00Z'));
    assert.equal(at('01-Jan-0050 00:00:00 +0000'), Date.parse('0050-01-01T00:00:00Z'));
    assert.equal(at('01-Jan-1970 00:00:00 +0100'), -3_600_000);
  });

  it('is refused when no clock shows it', () => {
    for (const text of [
      '',
      '7-Feb-1994 22:43:04 +0000',
      '00-Feb-1994 22:43:04 +0000',
      ' 0-Feb-1994 22:43:04 +0000',
      '30-Feb-1994 22:43:04 +0000',
      '29-Feb-2023 22:43:04 +0000',
      '17-Abc-1996 02:44:25 -0700',
      '17-Jul-1996 24:00:00 -0700',
      '17-Jul-1996 02:60:00 -0700',
      '17-Jul-1996 02:44:61 -0700',
      '17-Jul-1996 02:44:25 -0760',
      '17-Jul-1996 02:44:25 UTC',
      '17-Jul-1996 02:44:25',
      '17-Jul-1996  02:44:25 -0700',
      '17-Jul-96 02:44:25 -0700',
      '31-Dec-9999 23:59:59 -0001',
      '01-Jan-0000 00:00:00 +0001',
    ])
      refuses(readDateTime, `"${text}"`);
    refuses(readDateTime, '17-Jul-1996');
    fuzz(readDateTime, [
      '"',
      '17-Jul-1996',
      ' ',
      '02:44:25',
      '+0000',
      '-9999',
      '31-Feb-0000',
      '23:59:60',
      '"01-',
    ]);
  });

  it('is written in UTC, and read again', () => {
    assert.equal(writeDateTime(Date.parse('1996-07-07T02:44:25.999Z')), '" 7-Jul-1996 02:44:25 +0000"');
    const seconds = fc.integer({
      min: at('01-Jan-0000 00:00:00 +0000') / 1000,
      max: at('31-Dec-9999 23:59:59 +0000') / 1000,
    });
    fc.assert(
      fc.property(seconds, (second) => {
        assert.equal(readWhole(readDateTime, writeDateTime(second * 1000)), second * 1000);
      }),
    );
  });
});

describe('date', () => {
  it('is a day', () => {
    for (const text of ['1-Feb-1994', '01-feb-1994', '"1-Feb-1994"'])
      assert.equal(day(text), Date.parse('1994-02-01') / DAY);
    assert.equal(day('1-Jan-1970'), 0);
    assert.equal(day('31-Dec-1969'), -1);
    assert.equal(day('1-Jan-0001'), Date.parse('0001-01-01') / DAY);
  });

  it('is refused when no calendar has it', () => {
    for (const text of [
      '0-Feb-1994',
      '30-Feb-1994',
      '1-Foo-1994',
      '1-Feb-94',
      '1-2-1994',
      '1-Feb-1994-',
      '',
      '"1-Feb-1994',
    ])
      refuses(readSearchKeys, `ON ${text}`);
  });
});
