import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { networkOf, sourceOf, Windows } from '../../src/limits/index.js';

const rate = { most: 3, within: 1000 };

describe('windows', () => {
  it('admit so much within the time, and say how long the rest has to wait', () => {
    const windows = new Windows();
    assert.ok(windows.admit([{ key: 'a', rate }], 0).ok);
    assert.ok(windows.admit([{ key: 'a', rate, amount: 2 }], 400).ok);
    const refused = windows.admit([{ key: 'a', rate }], 600);
    assert.ok(!refused.ok);
    assert.equal(refused.retryAfter, 400);
    assert.equal(refused.full.key, 'a');
    assert.ok(!windows.admit([{ key: 'a', rate }], 999).ok);
    assert.ok(windows.admit([{ key: 'a', rate }], 1000).ok);
  });

  it('count all charges or none', () => {
    const windows = new Windows();
    const charges = [
      { key: 'messages', rate },
      { key: 'recipients', rate, amount: 2 },
    ];
    assert.ok(windows.admit(charges, 0).ok);
    assert.ok(!windows.admit(charges, 0).ok);
    assert.equal(windows.count('messages', rate, 0), 1);
    assert.equal(windows.count('recipients', rate, 0), 2);
  });

  it('give back once, and only to the window that counted', () => {
    const windows = new Windows();
    const first = windows.admit([{ key: 'a', rate }], 0);
    assert.ok(first.ok);
    first.giveBack();
    first.giveBack();
    assert.equal(windows.count('a', rate, 0), 0);
    const late = windows.admit([{ key: 'a', rate }], 0);
    assert.ok(late.ok);
    assert.ok(windows.admit([{ key: 'a', rate, amount: 3 }], 1000).ok);
    late.giveBack();
    assert.equal(windows.count('a', rate, 1000), 3);
  });

  it('do not last longer because the clock was set back', () => {
    const windows = new Windows();
    assert.ok(windows.admit([{ key: 'a', rate, amount: 3 }], 1_000_000).ok);
    assert.ok(windows.admit([{ key: 'a', rate }], 0).ok);
  });

  it('count nothing where there is no limit', () => {
    const windows = new Windows();
    const free = { key: 'a', rate: { most: Number.POSITIVE_INFINITY, within: 1000 } };
    for (let n = 0; n < 100; n++) assert.ok(windows.admit([free], 0).ok);
    assert.equal(windows.size, 0);
  });

  it('keep so many counters and no more', () => {
    const windows = new Windows(9);
    fc.assert(
      fc.property(fc.string(), fc.nat(100_000), (key, now) => {
        windows.admit([{ key, rate }], now);
        return windows.size <= 9;
      }),
    );
  });

  it('never let more than the rate through one window', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(2000), fc.boolean())), (steps) => {
        const windows = new Windows();
        let now = 0;
        for (const [amount, wait, back] of steps) {
          now += wait;
          const admission = windows.admit([{ key: 'a', rate, amount }], now);
          if (admission.ok && back) admission.giveBack();
          const count = windows.count('a', rate, now);
          if (count < 0 || count > rate.most) return false;
        }
        return true;
      }),
    );
  });
});

describe('networks', () => {
  it('of a login are /24 of IPv4 and /64 of IPv6', () => {
    assert.equal(networkOf('192.0.2.7'), '192.0.2');
    assert.equal(networkOf('::ffff:192.0.2.7'), '192.0.2');
    assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2');
    assert.equal(networkOf('2001:0DB8:0001:2::1'), '2001:db8:1:2');
    assert.equal(networkOf('2001:db8::1'), '2001:db8:0:0');
    assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0');
    assert.equal(networkOf('::1'), '0:0:0:0');
    assert.equal(networkOf('unknown'), 'unknown');
  });

  it('of a connection are the IPv4 address and the /64 of IPv6', () => {
    assert.equal(sourceOf('192.0.2.7'), '192.0.2.7');
    assert.equal(sourceOf('::FFFF:192.0.2.7'), '192.0.2.7');
    assert.equal(sourceOf('2001:db8:1:2:3:4:5:6'), sourceOf('2001:db8:1:2::9'));
    assert.notEqual(sourceOf('2001:db8:1:2::1'), sourceOf('2001:db8:1:3::1'));
    assert.equal(sourceOf(''), '');
  });
});
