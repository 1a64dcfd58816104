import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IncomingRate } from '../../src/incoming-point/index.js';
import { SmtpError } from '../../src/smtp/index.js';

const MINUTE = 60_000;

function incoming(perMinute: number) {
  const time = { now: 0 };
  const rate = new IncomingRate({ perMinute, clock: () => time.now });
  const takes = (peer: string): boolean => {
    try {
      rate.begin(peer);
      return true;
    } catch (error) {
      assert.ok(error instanceof SmtpError);
      assert.match(error.message, /try again in [0-9]+ seconds/);
      return false;
    }
  };
  return { time, rate, takes };
}

describe('the rate of incoming mail', () => {
  it('of a stranger is so many a minute', () => {
    const { time, takes } = incoming(3);
    for (let n = 0; n < 3; n++) assert.ok(takes('192.0.2.1'));
    assert.ok(!takes('192.0.2.1'));
    assert.ok(!takes('::ffff:192.0.2.1'));
    assert.ok(takes('192.0.2.2'), 'another address');
    time.now = MINUTE - 1;
    assert.ok(!takes('192.0.2.1'));
    time.now = MINUTE;
    assert.ok(takes('192.0.2.1'));
  });

  it('is counted by the /64 of IPv6', () => {
    const { takes } = incoming(2);
    assert.ok(takes('2001:db8::1'));
    assert.ok(takes('2001:db8::2'));
    assert.ok(!takes('2001:db8::3'));
    assert.ok(takes('2001:db8:0:1::3'));
  });

  it('of certified mail has no bound, as long as it comes by connections that have one', () => {
    const { rate } = incoming(3);
    for (let n = 0; n < 10_000; n++) {
      const underWay = Array.from({ length: 3 }, () => rate.begin('192.0.2.1'));
      for (const charge of underWay) rate.certified('192.0.2.1', charge);
    }
  });

  it('of a source that lately brought certified mail may be ten times that of a stranger', () => {
    const { time, rate, takes } = incoming(3);
    rate.certified('192.0.2.1', rate.begin('192.0.2.1'));
    for (let n = 0; n < 30; n++) assert.ok(takes('192.0.2.1'));
    assert.ok(!takes('192.0.2.1'));
    time.now = 60 * MINUTE;
    for (let n = 0; n < 3; n++) assert.ok(takes('192.0.2.1'));
    assert.ok(!takes('192.0.2.1'), 'forgotten after an hour');
  });
});
