import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { main } from '../../src/cli/index.js';
import type { EvidenceReport } from '../../src/evidence/index.js';
import { envelope, notice, original, sealed, type World, world } from '../evidence/world.js';
import { type Scratch, scratch } from '../support/openssl.js';

let w: World;
let files: Scratch;
let trust: string;
before(async () => {
  w = await world();
  files = scratch();
  trust = files.path('fiducia');
  mkdirSync(trust);
  for (const { name, bytes } of w.folder) files.write(`fiducia/${name}`, bytes);
  files.write('fiducia/LEGGIMI.txt', 'altro');
  const busta = await sealed(await envelope(w.pki.alfa), w.pki.alfa.signer);
  files.write('busta.eml', busta);
  files.write(
    'alterata.eml',
    Buffer.from(busta.toString('latin1').replace('Si trasmette', 'Si ritira'), 'latin1'),
  );
  files.write(
    'accettazione.eml',
    await sealed(notice(w.pki.alfa, { kind: 'accettazione' }), w.pki.alfa.signer),
  );
  files.write('originale.eml', original());
  files.write('altro.eml', original('Altro testo.'));
});
after(() => files.remove());

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function verify(...argv: readonly string[]): Promise<Outcome> {
  let out = '';
  let err = '';
  const code = await main(['verify', ...argv], {
    env: {},
    stdin: process.stdin,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

const path = (name: string): string => files.path(name);

describe('ceralacca verify', () => {
  it('gives 0 only when every file is PROVEN', async () => {
    assert.equal((await verify(path('busta.eml'), '--trust', trust)).code, 0);
    assert.equal((await verify(path('busta.eml'), path('accettazione.eml'), '--trust', trust)).code, 0);
    assert.equal((await verify(path('busta.eml'), path('alterata.eml'), '--trust', trust)).code, 1);
    assert.equal((await verify(path('busta.eml'))).code, 1);
  });

  it('prints one report a file, and goes on past one that cannot be read', async () => {
    const { code, out, err } = await verify(
      path('manca.eml'),
      path('busta.eml'),
      path('alterata.eml'),
      '--trust',
      trust,
    );
    assert.equal(code, 1);
    assert.match(err, /cannot read the file .*manca\.eml/);
    assert.match(out, /PROVATO \/ PROVEN[\s\S]*SMENTITO \/ REFUTED/);
  });

  it('compares with the original', async () => {
    const proven = await verify(path('busta.eml'), '--trust', trust, '--original', path('originale.eml'));
    assert.equal(proven.code, 0);
    assert.match(proven.out, /\[original-same\]/);
    const refuted = await verify(path('busta.eml'), '--trust', trust, '--original', path('altro.eml'));
    assert.equal(refuted.code, 1);
    assert.match(refuted.out, /\[original-differs\]/);
  });

  it('--json prints one array of reports', async () => {
    const { code, out } = await verify(path('busta.eml'), path('alterata.eml'), '--trust', trust, '--json');
    assert.equal(code, 1);
    const [proven, refuted] = JSON.parse(out) as EvidenceReport[];
    assert.equal(proven?.verdict, 'PROVEN');
    assert.equal(proven?.file, path('busta.eml'));
    assert.deepEqual(proven?.reasons, []);
    assert.equal(proven?.certified?.tipo, 'posta-certificata');
    assert.equal(proven?.directory?.snapshots[0]?.file, 'igpec.ldif');
    assert.equal(refuted?.verdict, 'REFUTED');
    const [reason] = refuted?.reasons ?? [];
    assert.deepEqual(
      [reason?.code, reason?.weight, typeof reason?.it, typeof reason?.en],
      ['altered', 'refutes', 'string', 'string'],
    );
  });

  it('--html prints one page', async () => {
    const { code, out } = await verify(path('busta.eml'), '--trust', trust, '--html');
    assert.equal(code, 0);
    assert.match(out, /^<!DOCTYPE html>[\s\S]*<\/html>\n$/);
  });

  it('makes no report out of a wrong call', async () => {
    assert.equal((await verify()).code, 2);
    assert.equal((await verify(path('busta.eml'), '--json', '--html')).code, 2);
    for (const wrong of [
      ['--trust', path('manca')],
      ['--original', path('manca')],
    ]) {
      const { code, out } = await verify(path('busta.eml'), ...wrong);
      assert.deepEqual([code, out], [1, '']);
    }
  });
});
