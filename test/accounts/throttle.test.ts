import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LoginThrottle } from '../../src/accounts/throttle.js';

const outcomeOf = (throttled: ReturnType<LoginThrottle['admit']>): string =>
  throttled.ok ? 'admitted' : throttled.cause;

describe('login throttle', () => {
  it('counts ten a minute, and gives a good login back', () => {
    const throttle = new LoginThrottle();
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const counted = throttle.admit('192.0.2.1', 'a', 0);
      assert.ok(counted.ok);
      counted.giveBack();
    }
    const outcomes = Array.from({ length: 12 }, () => outcomeOf(throttle.admit('192.0.2.1', 'a', 0)));
    assert.deepEqual(outcomes, [...Array<string>(10).fill('admitted'), 'account', 'account']);
    assert.ok(throttle.admit('192.0.2.1', 'b', 0).ok);
    assert.ok(throttle.admit('192.0.3.1', 'a', 0).ok);
    assert.ok(throttle.admit('192.0.2.1', 'a', 60_000).ok);
  });

  it('counts a hundred a day', () => {
    const throttle = new LoginThrottle();
    const minutes = Array.from({ length: 11 }, (_, minute) =>
      Array.from({ length: 10 }, () => throttle.admit('192.0.2.1', 'a', minute * 60_000).ok),
    );
    assert.equal(minutes.flat().filter((ok) => ok).length, 100);
    assert.ok(throttle.admit('192.0.2.1', 'a', 86_400_000).ok);
  });

  it('stops who tries one password on everybody', () => {
    const throttle = new LoginThrottle();
    const outcomes = Array.from({ length: 400 }, (_, user) =>
      outcomeOf(throttle.admit('192.0.2.1', `u${user}`, 0)),
    );
    assert.equal(outcomes.filter((one) => one === 'admitted').length, 300);
    assert.ok(outcomes.slice(300).every((one) => one === 'network'));
  });
});
