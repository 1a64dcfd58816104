import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadConfig } from '../../src/config/index.js';
import { openssl, scratch } from '../support/openssl.js';
import { needs } from '../support/programs.js';
import { ceralacca, type Ran } from './terminal.js';

const work = scratch();
after(() => work.remove());

const initArguments = (dir: string, ...more: string[]): string[] => [
  'init',
  ...[
    '--dir',
    dir,
    '--name',
    'Alfa PEC S.p.A.',
    '--domain',
    'pec.alfa.example',
    '--host',
    'mail.alfa.example',
  ],
  ...more,
];

describe('init', () => {
  const dir = work.path('alfa');
  const inside = (...names: string[]): string => join(dir, ...names);
  let made: Ran;
  before(async () => {
    made = await ceralacca(initArguments(dir, '--ports', '10000'));
  });

  it('makes a configuration that loads', () => {
    assert.equal(made.code, 0, made.err);
    const config = loadConfig(inside('config', 'gestore.yaml'), {});
    assert.deepEqual(config.provider, {
      name: 'Alfa PEC S.p.A.',
      mail_domain: 'pec.alfa.example',
      service_mailbox: 'ricevute@pec.alfa.example',
    });
    assert.deepEqual(config.listen, {
      address: '127.0.0.1',
      submission: 10465,
      submission_starttls: 10587,
      mx: 10025,
      pop3s: 10995,
      imaps: 10993,
      https: 10443,
      pop3: false,
      imap: false,
    });
    assert.deepEqual(config.antivirus, { kind: 'builtin', builtin: 'eicar' });
    assert.equal(config.timestamp, null);
    assert.equal(config.testing, false);
    assert.equal(config.paths.root, dir);
    assert.match(readFileSync(config.paths.file, 'utf8'), /^ *# Submission over TLS/m);
  });

  it('keeps secrets to their owner and leaves nothing else behind', () => {
    const mode = (...names: string[]) => statSync(inside(...names)).mode & 0o777;
    for (const name of ['ca.key', 'tls.key', 'signing.key']) assert.equal(mode('certs', name), 0o600, name);
    assert.equal(mode('data'), 0o700);
    assert.equal(mode('data', 'ceralacca.db'), 0o600);
    assert.deepEqual(readdirSync(dir).sort(), ['certs', 'config', 'data']);
    for (const name of ['blobs', 'spool', 'registro', 'directory'])
      assert.ok(existsSync(inside('data', name)));
  });

  it('certificates that a strict verifier accepts', { skip: needs('openssl') }, () => {
    for (const [file, purpose] of [
      ['tls.pem', 'sslserver'],
      ['signing.pem', 'smimesign'],
    ] as const) {
      const { ok, stderr } = openssl(
        ...[
          'verify',
          '-x509_strict',
          '-CAfile',
          inside('certs', 'ca.pem'),
          '-purpose',
          purpose,
          inside('certs', file),
        ],
      );
      assert.ok(ok, `${file}: ${stderr}`);
    }
  });

  it('certificates for the right names, valid from a little earlier', () => {
    const read = (name: string) => new X509Certificate(readFileSync(inside('certs', name)));
    const tls = read('tls.pem');
    assert.ok(tls.checkHost('mail.alfa.example'));
    assert.ok(tls.checkHost('localhost'));
    assert.ok(tls.checkIP('127.0.0.1'));
    const signing = read('signing.pem');
    assert.ok(signing.checkEmail('posta-certificata@pec.alfa.example'));
    for (const certificate of [tls, signing]) {
      assert.ok(certificate.verify(read('ca.pem').publicKey));
      assert.ok(Date.parse(certificate.validFrom) < Date.now() - 60_000);
    }
  });

  it('manages the domain, with the service mailbox', async () => {
    const { out } = await ceralacca(['mailbox', 'list', '--json', '-c', inside('config', 'gestore.yaml')]);
    const [mailbox, ...others] = JSON.parse(out);
    assert.equal(others.length, 0);
    assert.equal(mailbox.address, 'ricevute@pec.alfa.example');
    assert.equal(mailbox.kind, 'service');
    const domains = await ceralacca(['domain', 'list', '--json', '-c', inside('config', 'gestore.yaml')]);
    assert.deepEqual(
      JSON.parse(domains.out).map(({ name }: { name: string }) => name),
      ['pec.alfa.example'],
    );
  });

  it('never overwrites', async () => {
    const before = readFileSync(inside('certs', 'signing.key'));
    const again = await ceralacca(initArguments(dir));
    assert.equal(again.code, 1);
    assert.equal(again.err, `ceralacca: ${inside('config')} is there already and is not overwritten\n`);
    assert.deepEqual(readFileSync(inside('certs', 'signing.key')), before);
    const other = work.path('other');
    mkdirSync(join(other, 'certs'), { recursive: true });
    writeFileSync(join(other, 'certs', 'mine.key'), 'precious');
    assert.equal((await ceralacca(initArguments(other))).code, 1);
    assert.deepEqual(readdirSync(other), ['certs']);
  });

  it('the doctor finds everything in order', async () => {
    const { code, out, err } = await ceralacca([
      'doctor',
      '--deep',
      '--json',
      '-c',
      inside('config', 'gestore.yaml'),
    ]);
    const failures = JSON.parse(out).filter(({ result }: { result: string }) => result === 'failed');
    assert.deepEqual(failures, [], err);
    assert.equal(code, 0);
  });
});

describe('init options', () => {
  it('mail domain, address, clamd, standard ports', async () => {
    const dir = work.path('beta');
    const { code, err } = await ceralacca(
      initArguments(
        dir,
        ...[
          '--mail-domain',
          'sigillo.alfa.example',
          '--address',
          '0.0.0.0',
          '--clamd',
          'unix:/run/clamd.ctl',
        ],
      ),
    );
    assert.equal(code, 0, err);
    const config = loadConfig(join(dir, 'config', 'gestore.yaml'), {});
    assert.equal(config.provider.mail_domain, 'sigillo.alfa.example');
    assert.equal(config.provider.service_mailbox, 'ricevute@pec.alfa.example');
    assert.equal(config.listen.address, '0.0.0.0');
    assert.equal(config.listen.mx, 25);
    assert.deepEqual(config.antivirus, { kind: 'clamd', clamd: 'unix:/run/clamd.ctl' });
    const signing = new X509Certificate(readFileSync(join(dir, 'certs', 'signing.pem')));
    assert.ok(signing.checkEmail('posta-certificata@sigillo.alfa.example'));
  });

  it('mistakes are usage errors and leave nothing behind', async () => {
    const dir = work.path('gamma');
    for (const wrong of [
      ['--ports', '65000'],
      ['--ports', 'many'],
      ['--address', 'mail.alfa.example'],
      ['--key-bits', '1024'],
      ['--mail-domain', 'alfa'],
    ]) {
      const { code, err } = await ceralacca(initArguments(dir, ...wrong));
      assert.equal(code, 2, err);
      assert.match(err, /^ceralacca: --[^\n]+\n$/);
    }
    const clamd = await ceralacca(initArguments(dir, '--clamd', '127.0.0.1:3310'));
    assert.equal(clamd.code, 1);
    assert.match(clamd.err, /antivirus\.clamd: "127\.0\.0\.1:3310" is not a clamd address/);
    assert.ok(!existsSync(dir));
  });
});
