import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { monotonic, NtpServer } from '../../src/clock/index.js';
import { FakeNtpServer, type Says } from '../support/ntp-server.js';

async function asked(t: TestContext, says: Says | null, clock?: { now: number }) {
  const fake = await FakeNtpServer.open();
  t.after(() => fake.close());
  fake.says = says;
  const steady = clock === undefined ? monotonic : () => clock.now;
  const server = new NtpServer({ host: '127.0.0.1', port: fake.port, timeout: 400, monotonic: steady });
  return { fake, server };
}

describe('an NTP server, over UDP', () => {
  it('gives UTC against the monotonic clock', async (t) => {
    const { server } = await asked(t, { ahead: 2_000 });
    const { utc, error } = await server.measure();
    const offset = utc + monotonic() - Date.now();
    assert.ok(Math.abs(offset - 2_000) <= error + 2, `${offset} ± ${error}`);
  });

  it('is asked with another random number each time', async (t) => {
    const { fake, server } = await asked(t, {});
    await server.measure();
    await server.measure();
    const [first, second] = fake.questions.map((question) => question.toString('hex', 40, 48));
    assert.notEqual(first, second);
  });

  it('an answer that is not to our question is passed over, and the true one after it taken', async (t) => {
    const { fake, server } = await asked(t, {});
    fake.several = [
      { ahead: 3_600_000, originate: Buffer.alloc(8, 1) },
      { stratum: 0, reference: 'DENY', originate: Buffer.alloc(8, 2) },
      { length: 12 },
      { ahead: 50 },
    ];
    const { utc } = await server.measure();
    assert.ok(Math.abs(utc + monotonic() - Date.now()) < 1_000);
  });

  it('one that is silent, or that nobody runs, is no answer, and the question ends', async (t) => {
    const { fake, server } = await asked(t, null);
    await assert.rejects(server.measure(), /no answer/);
    assert.equal(fake.questions.length, 2, 'a datagram may be lost: it is asked once more');
    const nobody = await FakeNtpServer.open();
    const { port } = nobody;
    await nobody.close();
    await assert.rejects(new NtpServer({ host: '127.0.0.1', port, timeout: 400 }).measure());
    await assert.rejects(new NtpServer({ host: 'niente.invalid', port: 123, timeout: 400 }).measure());
  });

  it('RFC 5905 7.4: after DENY or RSTR it is never asked again', async (t) => {
    for (const code of ['DENY', 'RSTR']) {
      const clock = { now: 1_000 };
      const { fake, server } = await asked(t, { stratum: 0, reference: code }, clock);
      await assert.rejects(server.measure(), new RegExp(code));
      fake.says = {};
      clock.now += 1e12;
      await assert.rejects(server.measure(), new RegExp(code));
      assert.equal(fake.questions.length, 1);
    }
  });

  it('RFC 5905 7.4: after RATE it is left alone, longer each time', async (t) => {
    const clock = { now: 1_000 };
    const { fake, server } = await asked(t, { stratum: 0, reference: 'RATE' }, clock);
    const rests = async (): Promise<number> => {
      await assert.rejects(server.measure(), /RATE/);
      const before = fake.questions.length;
      let waited = 0;
      while (fake.questions.length === before) {
        clock.now += 64_000;
        waited += 64_000;
        await assert.rejects(server.measure(), /RATE/);
        assert.ok(waited < 1e9);
      }
      return waited;
    };
    assert.equal(await rests(), 128_000);
    clock.now += 256_000;
    fake.says = {};
    clock.now += 256_000;
    await server.measure();
  });

  it('is named as the configuration writes it', () => {
    assert.equal(new NtpServer({ host: 'ntp1.inrim.it', port: 123 }).name, 'ntp1.inrim.it');
    assert.equal(new NtpServer({ host: '::1', port: 1123 }).name, '[::1]:1123');
  });
});
