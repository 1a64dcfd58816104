import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  certificateHash,
  type Directory,
  type ProviderRecord,
  type SourceLocation,
} from '../../src/directory/index.js';
import { signAttached } from '../../src/smime/index.js';
import { ceralacca } from '../cli/terminal.js';
import { scratch } from '../support/openssl.js';
import { createAuthority, type Identity, signerOf } from '../support/pki.js';
import { DAY, HOUR } from '../support/points.js';
import { bytesOf, lonely, recordOf } from './lonely.js';

const BASE = 'dn: o=postacert\nobjectclass: top\no: postacert\n\n';
const DOMAIN = 'pec.beta.example';

const betaBy = (...identities: readonly Identity[]): ProviderRecord => ({
  ...recordOf('Beta', identities[0] as Identity, DOMAIN),
  certificates: identities.map(({ certificate }) => certificate),
  certificateHashes: identities.map(({ certificate }) => certificateHash(certificate)),
});

/** Alfa's directory, and two that say they are Beta, each with a CA of its own. */
async function usurped(t: TestContext, sources: readonly SourceLocation[] = []) {
  const here = await lonely(t, sources);
  const [ca, otherCa] = [
    await createAuthority({ name: 'CA di beta' }),
    await createAuthority({ name: 'Altra CA' }),
  ];
  const [beta, thief] = [await ca.issue({ name: 'Beta' }), await otherCa.issue({ name: 'Beta' })];
  const sign = (bytes: Buffer, by: Identity) => signAttached(bytes, signerOf(by), here.clock.now);
  const alarms = (): string[] =>
    here.telemetry.recorded.flatMap((event) =>
      event.name === 'alarm' && event.fields.name === 'provider-claimed-twice' ? [event.fields.reason] : [],
    );
  return { ...here, ca, otherCa, beta, thief, sign, alarms };
}

const isKnownBy = (directory: Directory, { certificate }: Identity): boolean =>
  directory.byCertificate(certificate).some(({ providerName }) => providerName === 'Beta');

describe('decisions 25: an import does not take over a gestore', () => {
  it('decisions 25: other certificates are refused, both named, and nothing changes', async (t) => {
    const { directory, beta, thief, ca, otherCa, sign, open } = await usurped(t);
    await directory.import(await sign(bytesOf(betaBy(beta)), beta), ca.certificatePem);
    const plain = bytesOf(betaBy(thief));
    const whole = Buffer.concat([Buffer.from(BASE), plain]);
    for (const [bytes, trust] of [
      [plain, ''],
      [plain, ca.certificatePem],
      [whole, ''],
      [await sign(plain, thief), otherCa.certificatePem],
    ] as const) {
      await assert.rejects(directory.import(bytes, trust), (error: Error) => {
        assert.equal(error.name, 'DirectoryError');
        for (const { certificate } of [beta, thief])
          assert.ok(error.message.includes(certificateHash(certificate)));
        return error.message.startsWith('Beta is known by certificate ');
      });
    }
    for (const each of [directory, await open()]) {
      assert.deepEqual([isKnownBy(each, beta), isKnownBy(each, thief)], [true, false]);
      assert.equal(each.trust().anchors.length, 2, 'nor is its CA believed');
    }
  });

  it('decisions 25: the same file again, a certificate in common, the kept trust, the operator\u2019s word', async (t) => {
    const { directory, beta, thief, ca, sign } = await usurped(t);
    const next = await ca.issue({ name: 'Beta' });
    const later = await ca.issue({ name: 'Beta' });
    const first = await sign(bytesOf(betaBy(beta)), beta);
    await directory.import(first, ca.certificatePem);
    await directory.import(first, ca.certificatePem);
    await directory.import(bytesOf(betaBy(beta, next)), '');
    await assert.rejects(directory.import(await sign(bytesOf(betaBy(later)), later), ca.certificatePem), {
      name: 'DirectoryError',
    });
    await directory.import(await sign(bytesOf(betaBy(next)), next), ca.certificatePem);
    assert.deepEqual([isKnownBy(directory, beta), isKnownBy(directory, next)], [false, true]);
    await directory.import(await sign(bytesOf(betaBy(later)), later), ca.certificatePem);
    assert.deepEqual([isKnownBy(directory, next), isKnownBy(directory, later)], [false, true]);
    await directory.import(bytesOf(betaBy(thief)), '', { replace: true });
    assert.deepEqual([isKnownBy(directory, later), isKnownBy(directory, thief)], [false, true]);
    assert.equal(directory.byDomain(DOMAIN)?.providerName, 'Beta');
  });

  it('decisions 25: under one CA another gestore\u2019s signature is no word of Beta\u2019s', async (t) => {
    const { directory, beta, ca, sign } = await usurped(t);
    await directory.import(await sign(bytesOf(betaBy(beta)), beta), ca.certificatePem);
    const [gamma, fake] = [await ca.issue({ name: 'Gamma' }), await ca.issue({ name: 'Beta' })];
    const whole = await sign(Buffer.concat([Buffer.from(BASE), bytesOf(betaBy(fake))]), gamma);
    await assert.rejects(directory.import(whole, ca.certificatePem), { name: 'DirectoryError' });
    assert.equal(isKnownBy(directory, beta), true);
  });

  it('decisions 25: the whole directory and a gestore\u2019s own file, one after the other', async (t) => {
    const { directory, beta, ca, sign, clock, open, alarms } = await usurped(t);
    const keeper = await ca.issue({ name: 'Agenzia' });
    const next = await ca.issue({ name: 'Beta' });
    const wholeBy = (identity: Identity): Promise<Buffer> =>
      sign(Buffer.concat([Buffer.from(BASE), bytesOf(betaBy(identity))]), keeper);
    await directory.import(await wholeBy(beta), ca.certificatePem);
    clock.advance(HOUR);
    await directory.import(await sign(bytesOf(betaBy(next)), next), ca.certificatePem);
    for (const each of [directory, await open()]) {
      assert.deepEqual(
        [isKnownBy(each, beta), isKnownBy(each, next)],
        [false, true],
        'what was allowed counts',
      );
      assert.deepEqual(each.byDomain(DOMAIN)?.certificates, [next.certificate]);
    }
    assert.match(alarms()[0] ?? '', /^Beta is known by certificate .* \(Beta\); igpec shows /);
    clock.advance(HOUR);
    // The keeper catches up, then goes ahead: its file takes the place of what it disagrees with.
    await directory.import(await wholeBy(next), ca.certificatePem);
    const last = await ca.issue({ name: 'Beta' });
    await assert.rejects(directory.import(Buffer.concat([Buffer.from(BASE), bytesOf(betaBy(last))]), ''));
    clock.advance(HOUR);
    await directory.import(await wholeBy(last), ca.certificatePem);
    for (const each of [directory, await open()]) {
      assert.deepEqual([isKnownBy(each, next), isKnownBy(each, last)], [false, true]);
    }
  });

  it('decisions 26: the command refuses with 1, says why on one line, and takes --replace', async (t) => {
    const files = scratch();
    t.after(() => files.remove());
    const dir = files.path('alfa');
    mkdirSync(dir, { recursive: true });
    const config = join(dir, 'config', 'gestore.yaml');
    assert.equal(
      (await ceralacca(['init', '--dir', dir, '--name', 'Alfa', '--domain', 'pec.alfa.example'])).code,
      0,
    );
    const { beta, thief } = await usurped(t);
    const run = (...argv: string[]) => ceralacca(['directory', ...argv, '-c', config]);
    const genuine = files.write('beta.ldif', bytesOf(betaBy(beta)));
    const other = files.write('ladra.ldif', bytesOf(betaBy(thief)));
    assert.equal((await run('import', genuine)).code, 0);
    const { code, out, err } = await run('import', other);
    assert.deepEqual([code, out], [1, '']);
    assert.equal(err.trimEnd().split('\n').length, 1);
    for (const { certificate } of [beta, thief]) assert.ok(err.includes(certificateHash(certificate)));
    assert.equal((await run('import', genuine)).code, 0);
    assert.equal((await run('import', other, '--replace')).code, 0);
    const [shown] = JSON.parse((await run('show', 'Beta', '--json')).out);
    assert.deepEqual(shown.certificateHashes, [certificateHash(thief.certificate)]);
  });
});

describe('decisions 25: two sources that show different certificates for one gestore', () => {
  const source = (file: string): SourceLocation => ({ kind: 'file', file, trust: null });

  it('decisions 25: the older stays, an alarm tells once, also after a restart and a new reading', async (t) => {
    const files = scratch();
    t.after(() => files.remove());
    const [one, two] = [files.path('uno.ldif'), files.path('due.ldif')];
    // The younger is read first: the order in the configuration says nothing.
    const { directory, beta, thief, clock, alarms, open, point } = await usurped(t, [
      source(two),
      source(one),
    ]);
    writeFileSync(one, bytesOf(betaBy(beta)));
    await directory.refresh();
    clock.advance(DAY);
    writeFileSync(two, bytesOf({ ...betaBy(thief), managedDomains: [DOMAIN, 'pec.ladra.example'] }));
    for (let day = 0; day < 3; day++) {
      await directory.refresh();
      clock.advance(DAY);
    }
    assert.equal(alarms().length, 1);
    for (const { certificate } of [beta, thief])
      assert.ok(alarms()[0]?.includes(certificateHash(certificate)));
    for (const each of [directory, await open()]) {
      assert.deepEqual([isKnownBy(each, beta), isKnownBy(each, thief)], [true, false]);
      assert.equal(each.byDomain('pec.ladra.example'), undefined);
      assert.deepEqual(each.byDomain(DOMAIN)?.certificates, [beta.certificate]);
      assert.equal(each.records().length, 2);
    }
    await point.store.write('removeDirectorySource', { id: one });
    await directory.current();
    assert.equal(isKnownBy(directory, thief), true, 'when the older is gone there is nothing to dispute');
  });

  it('decisions 25: who changes its certificates is the younger of the two', async (t) => {
    const files = scratch();
    t.after(() => files.remove());
    const [one, two] = [files.path('uno.ldif'), files.path('due.ldif')];
    const { directory, beta, thief, clock, alarms } = await usurped(t, [source(one), source(two)]);
    writeFileSync(one, bytesOf(betaBy(beta)));
    await directory.refresh();
    clock.advance(DAY);
    writeFileSync(two, bytesOf(betaBy(beta)));
    await directory.refresh();
    assert.deepEqual(alarms(), []);
    clock.advance(DAY);
    writeFileSync(one, bytesOf(betaBy(thief)));
    await directory.refresh();
    assert.deepEqual([isKnownBy(directory, beta), isKnownBy(directory, thief)], [true, false]);
    // A renewal shows both for a while, and nobody has to decide anything.
    clock.advance(DAY);
    writeFileSync(one, bytesOf(betaBy(thief, beta)));
    await directory.refresh();
    assert.deepEqual([isKnownBy(directory, beta), isKnownBy(directory, thief)], [true, true]);
    assert.equal(alarms().length, 1);
  });

  it('decisions 26: what was imported is believed before what a source says', async (t) => {
    const files = scratch();
    t.after(() => files.remove());
    const one = files.path('uno.ldif');
    const { directory, beta, thief, clock } = await usurped(t, [source(one)]);
    writeFileSync(one, bytesOf(betaBy(thief)));
    await directory.refresh();
    clock.advance(DAY);
    await assert.rejects(directory.import(bytesOf(betaBy(beta)), ''), /uno\.ldif/);
    await directory.import(bytesOf(betaBy(beta)), '', { replace: true });
    clock.advance(DAY);
    await directory.refresh();
    assert.deepEqual([isKnownBy(directory, beta), isKnownBy(directory, thief)], [true, false]);
  });

  it('decisions 24: several records of one gestore, and several gestori of one certificate, are no dispute', async (t) => {
    const { directory, beta, clock, alarms } = await usurped(t);
    const unit = { ...recordOf('Beta', beta, 'pec.due.example'), providerUnit: 'Due' };
    await directory.import(bytesOf(betaBy(beta), unit), '');
    clock.advance(DAY);
    await directory.import(bytesOf(recordOf('Gamma', beta, 'pec.gamma.example')), '');
    assert.deepEqual(alarms(), []);
    assert.equal(directory.byCertificate(beta.certificate).length, 3);
  });
});
