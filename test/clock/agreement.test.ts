import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { agreementOf } from '../../src/clock/agreement.js';

const said = (...offsets: readonly number[]) =>
  offsets.map((utc, index) => ({ source: `s${index}`, sample: { utc, error: 10 } }));

describe('agreement between sources', () => {
  it('is the median of those that agree', () => {
    assert.equal(agreementOf(said(5))?.utc, 5);
    assert.equal(agreementOf(said(5, 9))?.utc, 7);
    assert.equal(agreementOf(said(1, 30, 8))?.utc, 8);
    assert.equal(agreementOf(said(1, 2, 40, 60))?.utc, 21);
  });

  it('a liar is outvoted, however far away', () => {
    for (const lie of [3_600_000, -3_600_000, 500]) {
      const found = agreementOf(said(4, lie, 6));
      assert.equal(found?.utc, 5);
      assert.deepEqual(
        found?.outvoted.map(({ source }) => source),
        ['s1'],
      );
    }
    assert.equal(agreementOf(said(4, 9_000, 6, 9_000, 8))?.utc, 6);
  });

  it('without a majority nobody is believed', () => {
    assert.equal(agreementOf([]), undefined);
    assert.equal(agreementOf(said(0, 5_000)), undefined);
    assert.equal(agreementOf(said(0, 5_000, 10_000)), undefined);
    assert.equal(agreementOf(said(0, 1, 5_000, 5_001)), undefined);
  });

  it('a source that knows how little it knows disagrees with nobody', () => {
    const vague = { source: 'vague', sample: { utc: 400, error: 450 } };
    const found = agreementOf([...said(0, 2), vague]);
    assert.equal(found?.utc, 2);
    assert.equal(found?.outvoted.length, 0);
  });

  it('any minority of liars changes nothing beyond what honest sources allow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 7 }),
        fc.array(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), { maxLength: 6 }),
        (honest, liars) => {
          fc.pre(liars.length < honest.length);
          const found = agreementOf(said(...honest, ...liars));
          assert.ok(found !== undefined && Math.abs(found.utc) <= 150, JSON.stringify(found));
        },
      ),
    );
  });
});
