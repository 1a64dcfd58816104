import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LoginThrottle, networkOf } from '../../src/accounts/throttle.js';

describe('login throttle', () => {
  it('takes a network for one: /24 of IPv4, /64 of IPv6', () => {
    assert.equal(networkOf('192.0.2.7'), '192.0.2');
    assert.equal(networkOf('::ffff:192.0.2.7'), '192.0.2');
    assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2');
    assert.equal(networkOf('2001:0DB8:0001:2::1'), '2001:db8:1:2');
    assert.equal(networkOf('2001:db8::1'), '2001:db8:0:0');
    assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0');
    assert.equal(networkOf('::1'), '0:0:0:0');
    assert.equal(networkOf('unknown'), 'unknown');
  });

  it('counts ten a minute, and gives a good login back', () => {
    const throttle = new LoginThrottle();
    for (let attempt = 0; attempt < 100; attempt += 1) {
      assert.ok(throttle.admit('192.0.2.1', 'a', 0));
      throttle.giveBack('192.0.2.1', 'a', 0);
    }
    const admitted = Array.from({ length: 12 }, () => throttle.admit('192.0.2.1', 'a', 0));
    assert.equal(admitted.filter((one) => one).length, 10);
    assert.ok(throttle.admit('192.0.2.1', 'b', 0));
    assert.ok(throttle.admit('192.0.3.1', 'a', 0));
    assert.ok(throttle.admit('192.0.2.1', 'a', 60_000));
  });

  it('stops who tries one password on everybody', () => {
    const throttle = new LoginThrottle();
    const admitted = Array.from({ length: 400 }, (_, user) => throttle.admit('192.0.2.1', `u${user}`, 0));
    assert.equal(admitted.filter((one) => one).length, 300);
  });

  it('keeps so many counters and no more', () => {
    const throttle = new LoginThrottle(9);
    fc.assert(
      fc.property(fc.ipV4(), fc.string(), fc.nat(100_000), (remote, account, now) => {
        throttle.admit(remote, account, now);
        return throttle.size <= 9;
      }),
    );
  });
});
