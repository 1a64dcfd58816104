import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { readTracking } from '../../src/clock/chrony.js';
import { Chrony, monotonic } from '../../src/clock/index.js';
import { scratch } from '../support/openssl.js';

/** As chrony 4.3 wrote it beside a server that was 2.5 s ahead ("2.499556303 seconds slow of NTP time"). */
const slow =
  '7F000001,127.0.0.1,2,1795638478.984117212,2.499556065,0.000279426,0.000440379,-15.251,9.973,159.737,0.000991821,0.001409411,1.0,Normal\n';
/** As it wrote it before it had reached any server. */
const unsynchronised =
  '00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised\n';

const work = scratch();
after(() => work.remove());

function program(name: string, text: string): string {
  const file = work.write(name, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe('chrony', () => {
  it('says how far UTC is ahead of the system clock, and how sure it is', () => {
    const { offset, error } = readTracking(slow);
    assert.equal(Math.round(offset), 2_500);
    assert.ok(error > 1.8 && error < 2, String(error));
  });

  it('is not believed when it is not synchronised, unsure, or not understood', () => {
    assert.throws(() => readTracking(unsynchronised), /not synchronised/);
    assert.throws(() => readTracking(slow.replace('Normal', 'Not synchronised')), /not synchronised/);
    assert.throws(() => readTracking(slow.replace('0.001409411', '0.800000000')), /wrong by 8\d\d ms/);
    for (const line of [
      '',
      '506 Cannot talk to daemon',
      slow.replace('2.499556065', ''),
      slow.slice(0, 40),
    ]) {
      assert.throws(() => readTracking(line), /not understood/);
    }
  });

  it('is asked through chronyc', async () => {
    const chronyc = program('chronyc', `[ "$*" = "-n -c tracking" ] && printf '%s' '${slow.trim()}'`);
    const { utc } = await new Chrony({ program: chronyc }).measure();
    assert.ok(Math.abs(utc + monotonic() - Date.now() - 2_500) < 1_000);
    const absent = program('absent', 'echo "506 Cannot talk to daemon"; exit 1');
    await assert.rejects(new Chrony({ program: absent }).measure());
    await assert.rejects(new Chrony({ program: work.path('none') }).measure(), /ENOENT/);
  });
});
