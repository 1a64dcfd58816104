import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, truncateSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { zipSync } from 'fflate';
import type { Surroundings } from '../../src/cli/command.js';
import { main } from '../../src/cli/index.js';
import { archiveLimits, type EvidenceReport } from '../../src/evidence/index.js';
import { briefForm } from '../../src/pec/index.js';
import {
  envelope,
  notice,
  original,
  postacert,
  RECIPIENT,
  sealed,
  type World,
  world,
} from '../evidence/world.js';
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
  const brief = await briefForm(await postacert());
  const delivered = {
    kind: 'avvenuta-consegna',
    recipient: RECIPIENT,
    receipt: 'breve',
    form: 'breve',
  } as const;
  files.write(
    'breve.eml',
    await sealed(notice(w.pki.beta, { ...delivered, original: brief }), w.pki.beta.signer),
  );
  files.write('altro.eml', original('Altro testo.'));
  const accettazione = readFileSync(files.path('accettazione.eml'));
  files.write('posta.zip', zipSync({ 'invio/busta.eml': busta, 'accettazione.eml': accettazione }));
  files.write('altra-posta.zip', zipSync({ 'busta.eml': busta, 'rotta.zip': Buffer.from('PK\x03\x04') }));
  files.write('senza.zip', zipSync({ 'leggimi.txt': Buffer.from('niente') }));
  mkdirSync(files.path('cartella/dentro'), { recursive: true });
  files.write('cartella/b.eml', busta);
  files.write('cartella/a.eml', accettazione);
  files.write('cartella/dentro/posta.zip', readFileSync(files.path('posta.zip')));
  files.write('cartella/note.txt', 'niente');
  symlinkSync(files.path('alterata.eml'), files.path('cartella/dentro/collegamento.eml'));
});
after(() => files.remove());

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const verify = (...argv: readonly string[]): Promise<Outcome> => verifyWith({}, argv);

async function verifyWith(more: Partial<Surroundings>, argv: readonly string[]): Promise<Outcome> {
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
    ...more,
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

const filesIn = ({ out }: Outcome): string[] => (JSON.parse(out) as EvidenceReport[]).map(({ file }) => file);

describe('ceralacca verify with archives and folders', () => {
  it('judges each message of a ZIP, and names where it stands', async () => {
    const outcome = await verify(path('posta.zip'), '--trust', trust, '--json');
    assert.equal(outcome.code, 0);
    assert.deepEqual(filesIn(outcome), [
      `${path('posta.zip')} > invio/busta.eml`,
      `${path('posta.zip')} > accettazione.eml`,
    ]);
  });

  it('judges what is in a folder and its folders in the order of names, and follows no link', async () => {
    const outcome = await verify(path('cartella'), '--trust', trust, '--json');
    assert.equal(outcome.code, 0);
    assert.deepEqual(
      filesIn(outcome),
      ['a.eml', 'b.eml', 'dentro/posta.zip > invio/busta.eml', 'dentro/posta.zip > accettazione.eml'].map(
        (name) => path(`cartella/${name}`),
      ),
    );
    assert.match(outcome.err, /skipped, no mail message: \S+note\.txt\n$/);
  });

  it('gives 1 for a member that could not be judged, and for nothing to judge', async () => {
    const broken = await verify(path('altra-posta.zip'), '--trust', trust);
    assert.equal(broken.code, 1);
    assert.match(broken.out, /PROVATO[\s\S]*rotta\.zip[\s\S]*INDETERMINATO[\s\S]*\[not-judged\]/);
    const none = await verify(path('senza.zip'), '--trust', trust, '--json');
    assert.deepEqual([none.code, none.out], [1, '[]\n']);
    assert.match(none.err, /there is no message to verify/);
  });

  it('compares the original with those messages that are about it', async () => {
    const same = await verify(
      path('posta.zip'),
      '--trust',
      trust,
      '--original',
      path('originale.eml'),
      '--json',
    );
    const [busta, accettazione] = JSON.parse(same.out) as EvidenceReport[];
    assert.ok(busta?.checks.some(({ code }) => code === 'original-same'));
    // It is about it too, but does not carry it.
    assert.ok(accettazione?.reasons.some(({ code }) => code === 'original-not-comparable'));
    files.write(
      'terzo.eml',
      Buffer.from(original().toString('latin1').replace('<1@client', '<3@client'), 'latin1'),
    );
    const other = await verify(path('posta.zip'), '--trust', trust, '--original', path('terzo.eml'));
    assert.equal(other.code, 1);
    assert.doesNotMatch(other.out, /\[original-/);
    assert.match(other.err, /none of the messages is about the original/);
    const only = await verify(path('busta.eml'), '--trust', trust, '--original', path('terzo.eml'));
    assert.match(only.out, /\[original-message-id-differs\]/);
  });

  it('--files compares attachments with the hashes of brief receipts, and tells of those that are in none', async () => {
    mkdirSync(path('allegati'), { recursive: true });
    files.write('allegati/ricorso.pdf', Buffer.from('JVBERi0xLjQKJcOkw7zDtsOfCg==', 'base64'));
    const found = await verify(path('breve.eml'), '--trust', trust, '--files', path('allegati'));
    assert.deepEqual([found.code, found.err], [0, '']);
    assert.match(found.out, /\[file-hash-same\]/);
    files.write('altro.pdf', 'altro');
    const stranger = await verify(path('breve.eml'), '--trust', trust, '--files', path('altro.pdf'));
    assert.equal(stranger.code, 1);
    assert.match(stranger.err, /in no brief receipt the hash was found of: \S+altro\.pdf/);
    assert.equal((await verify(path('breve.eml'), '--files', path('manca'))).code, 1);
  });

  it('takes no original and no attachment that is longer than a message can be', async () => {
    const file = files.write('enorme', '');
    for (const [octets, err] of [
      [archiveLimits.messageOctets, /skipped|none|in no|^$/],
      [archiveLimits.messageOctets + 1, /enorme is larger than 268435456 octets/],
    ] as const) {
      truncateSync(file, octets);
      const { code, out, err: said } = await verify(path('breve.eml'), '--original', file);
      assert.equal(code, 1);
      assert.match(said, err);
      assert.equal(out === '', octets > archiveLimits.messageOctets);
    }
    const [report] = JSON.parse((await verify(file, '--json')).out) as EvidenceReport[];
    assert.match(report?.reasons[0]?.en ?? '', /larger than a message can be/);
  });

  it('shows how far it is to a person, when there is much, and leaves nothing of it', async () => {
    const many = Array.from({ length: 20 }, () => path('busta.eml'));
    const seen = await verifyWith({ errIsTerminal: true }, [...many, '--trust', trust]);
    assert.match(seen.err, /^\r10\/20 \(10\)\u001b\[K/);
    assert.match(seen.err, /\r\u001b\[K$/);
    assert.equal((await verify(...many, '--trust', trust)).err, '');
    assert.equal((await verifyWith({ errIsTerminal: true }, [path('busta.eml')])).err, '');
  });

  it('writes each report as it comes', async () => {
    const parts: string[] = [];
    await verifyWith({ out: (text) => parts.push(text) }, [path('posta.zip'), path('alterata.eml')]);
    assert.equal(parts.length, 3);
  });
});
