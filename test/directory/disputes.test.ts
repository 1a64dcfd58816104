import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { silentTelemetry } from '../../src/telemetry/index.js';
import type { Identity } from '../support/pki.js';
import { DAY } from '../support/points.js';
import { bytesOf, lonely, recordOf } from './lonely.js';

describe('decisions 25: disputes', () => {
  const alarms = (telemetry: ReturnType<typeof silentTelemetry>): string[] =>
    telemetry.recorded.flatMap((event) =>
      event.name === 'alarm' && event.fields.name === 'domain-claimed-twice' ? [event.fields.reason] : [],
    );

  it('decisions 25: a domain claimed twice stays with who had it, and an alarm tells once', async (t) => {
    const { directory, pki, clock, telemetry } = await lonely(t);
    const [beta, gamma] = [
      await pki.authority.issue({ name: 'Beta' }),
      await pki.authority.issue({ name: 'Gamma' }),
    ];
    await directory.import(bytesOf(recordOf('Beta', beta, 'pec.beta.example', 'pec.conteso.example')), '');
    clock.advance(DAY);
    await directory.import(bytesOf(recordOf('Gamma', gamma, 'pec.gamma.example', 'pec.conteso.example')), '');
    assert.equal(directory.byDomain('pec.conteso.example')?.providerName, 'Beta');
    assert.deepEqual(
      directory.byCertificate(gamma.certificate).map(({ managedDomains }) => managedDomains),
      [['pec.gamma.example']],
    );
    assert.deepEqual(alarms(telemetry), [
      'pec.conteso.example is managed by Beta; Gamma claims it too (Gamma)',
    ]);
    clock.advance(DAY);
    await directory.import(
      bytesOf(recordOf('Gamma', gamma, 'pec.conteso.example', 'pec.gamma.example', 'pec.altro.example')),
      '',
    );
    assert.equal(alarms(telemetry).length, 1);
  });

  it('decisions 25: reading the holder\u2019s file again does not make it the younger', async (t) => {
    const { directory, pki, clock, open } = await lonely(t);
    const [beta, gamma] = [
      await pki.authority.issue({ name: 'Beta' }),
      await pki.authority.issue({ name: 'Gamma' }),
    ];
    const betas = bytesOf(recordOf('Beta', beta, 'pec.beta.example', 'pec.conteso.example'));
    await directory.import(betas, '');
    clock.advance(DAY);
    await directory.import(bytesOf(recordOf('Gamma', gamma, 'pec.conteso.example')), '');
    for (let day = 0; day < 3; day++) {
      clock.advance(DAY);
      await directory.import(
        day === 1 ? bytesOf(recordOf('Beta', beta, 'pec.conteso.example', 'pec.nuovo.example')) : betas,
        '',
      );
      assert.equal(directory.byDomain('pec.conteso.example')?.providerName, 'Beta');
    }
    assert.equal((await open()).byDomain('pec.conteso.example')?.providerName, 'Beta', 'nor does a restart');
  });

  it('decisions 25: an older file that begins to claim a domain does not take it from who has it', async (t) => {
    const { directory, pki, clock, open } = await lonely(t);
    const [beta, gamma] = [
      await pki.authority.issue({ name: 'Beta' }),
      await pki.authority.issue({ name: 'Gamma' }),
    ];
    await directory.import(bytesOf(recordOf('Gamma', gamma, 'pec.gamma.example')), '');
    clock.advance(DAY);
    await directory.import(bytesOf(recordOf('Beta', beta, 'pec.beta.example')), '');
    clock.advance(DAY);
    await directory.import(bytesOf(recordOf('Gamma', gamma, 'pec.gamma.example', 'pec.beta.example')), '');
    for (const each of [directory, await open()]) {
      assert.equal(each.byDomain('pec.beta.example')?.providerName, 'Beta');
    }
  });

  it('decisions 25: a domain that is let go may be taken, and is not given back', async (t) => {
    const { directory, pki, clock, open } = await lonely(t);
    const [beta, gamma] = [
      await pki.authority.issue({ name: 'Beta' }),
      await pki.authority.issue({ name: 'Gamma' }),
    ];
    const put = async (name: string, identity: Identity, ...domains: string[]) => {
      clock.advance(DAY);
      await directory.import(bytesOf(recordOf(name, identity, ...domains)), '');
    };
    await put('Beta', beta, 'pec.beta.example', 'pec.mobile.example');
    await put('Beta', beta, 'pec.beta.example');
    await put('Gamma', gamma, 'pec.mobile.example');
    assert.equal(directory.byDomain('pec.mobile.example')?.providerName, 'Gamma');
    await put('Beta', beta, 'pec.beta.example');
    await put('Beta', beta, 'pec.beta.example', 'pec.mobile.example');
    for (const each of [directory, await open()]) {
      assert.equal(each.byDomain('pec.mobile.example')?.providerName, 'Gamma');
    }
  });
});
