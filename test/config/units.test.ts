import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseDuration, parseSize, subtractPeriod, UnitError } from '../../src/config/index.js';
import {
  parseBlobs,
  parseDatabase,
  parseEndpoint,
  parsePeriod,
  parseResolver,
} from '../../src/config/units.js';

describe('units', () => {
  it('sizes are powers of 1024', () => {
    assert.equal(parseSize('30MB'), 31_457_280);
    assert.equal(parseSize('1gb'), 1_073_741_824);
    assert.equal(parseSize('1.5 KB'), 1536);
    assert.equal(parseSize('77'), 77);
    for (const wrong of ['', 'MB', '1.3', '-1MB', '1XB', '1e3'])
      assert.throws(() => parseSize(wrong), UnitError);
  });

  it('durations never mean months', () => {
    assert.equal(parseDuration('15min').ms, 900_000);
    assert.equal(parseDuration('500ms').ms, 500);
    assert.equal(parseDuration('1.5h').ms, 5_400_000);
    for (const wrong of ['12', '0s', '3m', '30mo', '12 hours', '-2s']) {
      assert.throws(() => parseDuration(wrong), UnitError);
    }
  });

  it('periods are counted on the calendar', () => {
    const from = Date.UTC(2026, 7, 31, 10, 20, 30, 400);
    assert.equal(subtractPeriod(from, parsePeriod('30mo')), Date.UTC(2024, 1, 29, 10, 20, 30, 400));
    assert.equal(subtractPeriod(from, parsePeriod('1y')), Date.UTC(2025, 7, 31, 10, 20, 30, 400));
    assert.equal(subtractPeriod(from, parsePeriod('31d')), Date.UTC(2026, 6, 31, 10, 20, 30, 400));
    assert.throws(() => parsePeriod('30'), UnitError);
  });

  it('thirty months before any day are never less than 911 nor more than 915 days', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (now) => {
        const days = (now - subtractPeriod(now, parsePeriod('30mo'))) / 86_400_000;
        return days >= 911 && days <= 915;
      }),
    );
  });

  it('endpoints', () => {
    assert.deepEqual(parseEndpoint('[::1]:25'), { host: '::1', port: 25, text: '[::1]:25' });
    assert.deepEqual(parseEndpoint('mx.example', 25), { host: 'mx.example', port: 25, text: 'mx.example' });
    for (const wrong of ['mx.example', ':25', 'a b:1', '[zz]:1', 'x:0', '::1:25']) {
      assert.throws(() => parseEndpoint(wrong), UnitError);
    }
    assert.equal(parseResolver('127.0.0.1:5353'), '127.0.0.1:5353');
    assert.equal(parseResolver('::1'), '::1');
    assert.throws(() => parseResolver('dns.example:53'), UnitError);
  });

  it('places', () => {
    const resolve = (path: string) => `/root/${path}`;
    assert.deepEqual(parseDatabase('postgres://db/x', resolve), {
      engine: 'postgres',
      url: 'postgres://db/x',
    });
    assert.throws(() => parseDatabase('data/x.db', resolve), UnitError);
    assert.deepEqual(parseBlobs('s3://bucket-1?endpoint=https://s3.example&region=eu', resolve), {
      kind: 's3',
      bucket: 'bucket-1',
      endpoint: 'https://s3.example',
      region: 'eu',
    });
    assert.throws(() => parseBlobs('blobs', resolve), UnitError);
  });
});
