import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { COOKIE, ntpRequest, readNtpAnswer } from '../../src/clock/ntp-packet.js';
import { ntpAnswer, type Says } from '../support/ntp-server.js';

const cookie = Buffer.from('0123456789abcdef', 'hex');
const question = ntpRequest(cookie);
const NOW = Date.UTC(2026, 10, 25, 20, 30, 0, 250);

/** An answer to a question that was under way for `delay` milliseconds, there and back alike. */
function answer(says: Says = {}, delay = 20) {
  const sentAt = 5_000;
  const packet = ntpAnswer(question, { at: NOW, ...says });
  return readNtpAnswer(packet, { cookie, sentAt, receivedAt: sentAt + delay });
}

function utcOf(says: Says, delay = 20): number {
  const read = answer(says, delay);
  assert.equal(read.kind, 'sample', JSON.stringify(read));
  return read.kind === 'sample' ? read.sample.utc : Number.NaN;
}

describe('NTP packets', () => {
  it('a question is 48 octets of client mode, version 4, and tells nothing but a random number (RFC 5905 14)', () => {
    assert.equal(question.length, 48);
    assert.equal(question[0], 0b00_100_011);
    assert.deepEqual(question.subarray(40), cookie);
    assert.ok(question.subarray(1, 40).every((octet) => octet === 0));
    assert.equal(COOKIE, 8);
  });

  it('RFC 5905 8: theta is the mean of both ways, and its error half of the delay and what the server says of itself', () => {
    const read = answer({ rootDelay: 30, rootDispersion: 40 }, 100);
    assert.equal(read.kind, 'sample');
    if (read.kind !== 'sample') return;
    // The server was asked in the middle: 5050 on our monotonic clock.
    assert.ok(Math.abs(read.sample.utc - (NOW - 5_050)) < 0.01, String(read.sample.utc));
    assert.ok(Math.abs(read.sample.error - (50 + 15 + 40)) < 0.1, String(read.sample.error));
  });

  it('time the server spent thinking is no delay', () => {
    const read = answer({ thought: 60 }, 100);
    assert.ok(read.kind === 'sample' && Math.abs(read.sample.error - 20 - 1.5) < 0.1, JSON.stringify(read));
  });

  it('the seconds begin anew on 7 February 2036: era 1 follows era 0', () => {
    for (const at of [
      Date.UTC(2024, 0, 1),
      Date.UTC(2036, 1, 7, 6, 28, 15),
      Date.UTC(2036, 1, 7, 6, 28, 17),
    ]) {
      assert.ok(Math.abs(utcOf({ at }) + 5_010 - at) < 0.01, new Date(at).toISOString());
    }
  });

  it('what is not the answer to our question is nobody: another originate timestamp, another mode, too short', () => {
    const others: Says[] = [
      { originate: Buffer.from('0123456789abcdee', 'hex') },
      { originate: Buffer.alloc(8) },
      { mode: 3 },
      { mode: 5 },
      { mode: 6 },
      { length: 47 },
      { length: 0 },
    ];
    for (const says of others) assert.deepEqual(answer(says), { kind: 'stranger' }, JSON.stringify(says));
  });

  it('a kiss of death counts only with our originate timestamp (RFC 5905 7.4)', () => {
    assert.deepEqual(answer({ stratum: 0, reference: 'RATE' }), { kind: 'kiss', code: 'RATE' });
    assert.deepEqual(answer({ stratum: 0, reference: 'D\n\x00\x00' }), { kind: 'kiss', code: 'D?' });
    const forged = { stratum: 0, reference: 'DENY', originate: Buffer.alloc(8) };
    assert.deepEqual(answer(forged), { kind: 'stranger' });
  });

  it('a server that is not synchronised, has no time, or cannot decide about a second is refused', () => {
    const bad: readonly (readonly [Says, number, RegExp])[] = [
      [{ leap: 3 }, 20, /not synchronised/],
      [{ stratum: 16 }, 20, /not synchronised/],
      [{ stratum: 255 }, 20, /not synchronised/],
      [{ timeless: true }, 20, /no time/],
      [{ rootDispersion: 600 }, 20, /wrong by 6\d\d ms/],
      [{ rootDelay: 1_100 }, 20, /wrong by 5\d\d ms/],
      [{ precision: 0 }, 20, /wrong by 10\d\d ms/],
      [{}, 1_100, /wrong by 5\d\d ms/],
      [{ thought: 3_000 }, 20, /longer than it was awaited/],
    ];
    for (const [says, delay, reason] of bad) {
      const read = answer(says, delay);
      assert.equal(read.kind, 'refused', JSON.stringify(says));
      assert.match(read.kind === 'refused' ? read.reason : '', reason);
    }
    assert.equal(answer({ leap: 1, stratum: 15 }).kind, 'sample');
  });

  it('no packet breaks it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, ours) => {
        const packet = Buffer.from(bytes);
        if (ours && packet.length >= 32) cookie.copy(packet, 24);
        const read = readNtpAnswer(packet, { cookie, sentAt: 0, receivedAt: 10 });
        if (read.kind === 'sample') assert.ok(Number.isFinite(read.sample.utc) && read.sample.error <= 500);
      }),
    );
  });
});
