import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { judge, medianOf, slopeOf } from './trend.js';

describe('a trend', () => {
  it('is the slope of a line', () => {
    const line = fc.record({
      from: fc.integer({ min: -1000, max: 1000 }),
      by: fc.integer({ min: -50, max: 50 }),
      count: fc.integer({ min: 2, max: 40 }),
    });
    fc.assert(
      fc.property(line, ({ from, by, count }) => {
        assert.equal(slopeOf(Array.from({ length: count }, (_, at) => from + by * at)), by);
      }),
    );
  });

  it('is not that of a few readings far off', () => {
    const readings = Array.from({ length: 20 }, (_, at) => (at % 5 === 0 ? 100_000 : 2 * at));
    assert.equal(slopeOf(readings), 2);
  });

  it('of one reading, or of none, is none', () => {
    assert.equal(slopeOf([]), 0);
    assert.equal(slopeOf([7]), 0);
    assert.equal(medianOf([]), 0);
  });

  it('is judged by what the whole series grew', () => {
    const bound = { least: 10, share: 0.1 };
    assert.deepEqual(judge([100, 102, 104, 106], bound), { grown: 6, allowed: 10.3 });
    assert.deepEqual(judge([0, 0, 0, 0], bound), { grown: 0, allowed: 10 });
    const { grown, allowed } = judge([100, 110, 120, 130], bound);
    assert.ok(grown > allowed);
  });
});
