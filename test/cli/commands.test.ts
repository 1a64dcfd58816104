import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { commands } from '../../src/cli/index.js';
import { loadConfig } from '../../src/config/index.js';
import { openStore } from '../../src/storage/index.js';
import { scratch } from '../support/openssl.js';
import { ceralacca } from './terminal.js';

const work = scratch();
after(() => work.remove());
const dir = work.path('alfa');
const file = join(dir, 'config', 'gestore.yaml');

/** Runs a command on the gestore made for these tests. */
const run = (line: string, stdin = '') =>
  ceralacca(line.split(' '), { env: { CERALACCA_CONFIG: file }, stdin });

async function json(line: string) {
  const { code, out, err } = await run(`${line} --json`);
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

/** One line, no stack trace. */
async function refused(line: string, pattern: RegExp, expected = 1, stdin = ''): Promise<void> {
  const { code, out, err } = await run(line, stdin);
  assert.equal(code, expected, err);
  assert.equal(out, '');
  assert.match(err, pattern);
  assert.doesNotMatch(err, /\n {4}at /);
}

before(async () => {
  const { code, err } = await ceralacca([
    ...[
      'init',
      '--dir',
      dir,
      '--name',
      'Alfa',
      '--domain',
      'pec.alfa.example',
      '--host',
      'mail.alfa.example',
    ],
  ]);
  assert.equal(code, 0, err);
});

describe('the command line', () => {
  it('every command of the table loads', async () => {
    for (const { load, name } of commands) assert.equal(typeof (await load()).run, 'function', name);
  });

  it('usage errors are 2, help is 0', async () => {
    for (const line of [
      'frobnicate',
      'domain',
      'domain add',
      'mailbox add',
      'queue list --jsn',
      'queue retry x',
    ]) {
      const { code, err } = await run(line);
      assert.equal(code, 2, line);
      assert.notEqual(err, '');
    }
    assert.equal((await ceralacca([])).code, 2);
    const help = await run('mailbox --help');
    assert.equal(help.code, 0);
    assert.match(help.out, /suspend .*ADDRESS/);
    assert.match((await run('--version')).out, /^\d+\.\d+\.\d+\n$/);
  });

  it('a configuration that is not there or does not hold is 1, on one line', async () => {
    await refused(
      'domain list -c /nowhere/gestore.yaml',
      /^ceralacca: \/nowhere\/gestore\.yaml: there is no such file[^\n]*\n$/,
    );
    const broken = work.write('broken.yaml', readFileSync(file, 'utf8').replace('mx: 25', 'mx: none'));
    await refused(
      `config check -c ${broken}`,
      /^ceralacca: [^\n]*listen\.mx: must be a port number or false\n$/,
    );
  });

  it('a mistyped database makes no second gestore', async () => {
    const { code, err } = await ceralacca(['domain', 'list'], {
      env: { CERALACCA_CONFIG: file, CERALACCA__STORAGE__DATABASE: 'sqlite:data/typo.db' },
    });
    assert.equal(code, 1);
    assert.match(err, /typo\.db: there is no such database/);
  });
});

describe('domain, holder, mailbox, alias', () => {
  it('domains', async () => {
    assert.equal((await run('domain add Altro.Alfa.Example')).code, 0);
    await refused('domain add altro.alfa.example', /^ceralacca: /);
    await refused('domain add nonsense', /^ceralacca: "nonsense" is not a domain/);
    const names = (await json('domain list')).map(({ name }: { name: string }) => name);
    assert.deepEqual(names, ['altro.alfa.example', 'pec.alfa.example']);
    const shown = await json('domain show pec.alfa.example');
    assert.equal(shown.name, 'pec.alfa.example');
    assert.deepEqual(shown.dns[0], { name: 'pec.alfa.example', type: 'MX', value: '10 mail.alfa.example.' });
    assert.equal((await run('domain remove altro.alfa.example')).code, 0);
    await refused('domain remove pec.alfa.example', /still has 1 address/);
    await refused('domain show altro.alfa.example', /is not managed here/);
  });

  it('holders and mailboxes', async () => {
    const { out } = await run('holder add Rossi --tax-code RSSMRA80A01H501U');
    const holder = out.trim();
    assert.match(holder, /^\d+$/);
    const added = await run(
      `mailbox add Mario@pec.alfa.example --password-stdin --holder ${holder} --quota 2GB`,
      'supersegreta\n',
    );
    assert.equal(added.code, 0, added.err);
    const mailbox = await json('mailbox show mario@pec.alfa.example');
    assert.equal(mailbox.address, 'Mario@pec.alfa.example');
    assert.equal(mailbox.quota, 2 * 1024 ** 3);
    assert.equal(mailbox.state, 'active');
    assert.equal('passwordHash' in mailbox, false);
    assert.deepEqual((await json(`holder show ${holder}`)).mailboxes, ['Mario@pec.alfa.example']);
    await refused('mailbox add mario@pec.alfa.example --password-stdin', /^ceralacca: /, 1, 'supersegreta\n');
    await refused(
      'mailbox add x@elsewhere.example --password-stdin',
      /not managed here/,
      1,
      'supersegreta\n',
    );
    await refused('mailbox add x@pec.alfa.example', /--password-stdin/, 2, 'supersegreta\n');
    await refused('mailbox add x@pec.alfa.example --password-stdin', /no password on standard input/);
    await refused(
      'mailbox add x@pec.alfa.example --password-stdin --quota lots',
      /"lots" is not a size/,
      1,
      'supersegreta\n',
    );
  });

  it('states, quota, password', async () => {
    const state = async () => (await json('mailbox show mario@pec.alfa.example')).state;
    for (const [verb, then] of [
      ['suspend', 'suspended'],
      ['revoke', 'revoked'],
      ['resume', 'active'],
    ] as const) {
      assert.equal((await run(`mailbox ${verb} mario@pec.alfa.example`)).code, 0);
      assert.equal(await state(), then);
    }
    assert.equal(
      (await run('mailbox quota mario@pec.alfa.example 512MB')).out,
      'Mario@pec.alfa.example: quota 512MB\n',
    );
    assert.equal(
      (await run('mailbox passwd mario@pec.alfa.example --password-stdin', 'altra parola\n')).code,
      0,
    );
    await refused('mailbox suspend nobody@pec.alfa.example', /^ceralacca: no mailbox/);
  });

  it('capabilities of IMAP', async () => {
    const address = 'mario@pec.alfa.example';
    const hidden = async () =>
      ((await json(`mailbox capability ${address} list`)) as { capability: string; hidden: boolean }[])
        .filter((row) => row.hidden)
        .map(({ capability }) => capability);
    assert.deepEqual(await hidden(), []);
    for (const name of ['idle', 'THREAD=REFERENCES', 'IDLE'])
      assert.equal((await run(`mailbox capability ${address} hide ${name}`)).code, 0);
    assert.deepEqual(await hidden(), ['IDLE', 'THREAD=REFERENCES']);
    assert.match(
      (await run(`mailbox capability ${address} list`)).out,
      /^CAPABILITY +HIDDEN\n(.+\n)+IDLE +yes\n/,
    );
    assert.equal(
      (await run(`mailbox capability ${address} show IDLE`)).out,
      'Mario@pec.alfa.example: IDLE shown from the next login on\n',
    );
    assert.deepEqual(await hidden(), ['THREAD=REFERENCES']);
    for (const name of ['IMAP4rev1', 'STARTTLS', 'AUTH=PLAIN', 'XYZZY'])
      await refused(`mailbox capability ${address} hide ${name}`, /no capability .* that can be hidden/);
    await refused(`mailbox capability ${address} drop IDLE`, /none of hide, show, list/, 2);
    await refused(`mailbox capability ${address} hide`, /an argument is missing/, 2);
    await refused(`mailbox capability ${address} list IDLE`, /takes no capability/, 2);
    await refused('mailbox capability nobody@pec.alfa.example hide IDLE', /no mailbox/);
  });

  it('rules for ordinary mail, and who is told of certified mail', async () => {
    const address = 'mario@pec.alfa.example';
    const rule = async () => (await json(`mailbox show ${address}`)).ordinary;
    assert.equal(await rule(), 'default');
    for (const text of ['anomaly', 'forward=mario@casa.example', 'reject', 'default']) {
      assert.equal(
        (await run(`mailbox rule ${address} --ordinary ${text}`)).out,
        `Mario@pec.alfa.example: ordinary mail: ${text}\n`,
      );
      assert.equal(await rule(), text);
    }
    await refused(
      `mailbox rule ${address} --ordinary maybe`,
      /none of reject, anomaly, forward=A@B, default/,
      2,
    );
    await refused(`mailbox rule ${address} --ordinary forward=casa`, /is not an address/);
    await refused(`mailbox rule ${address} --ordinary forward=${address}`, /managed here/);
    await refused(`mailbox rule ${address}`, /--ordinary/, 2);

    const watch = `${address} --from anna@pec.beta.example --to mario@casa.example`;
    assert.match(
      (await run(`mailbox notify add ${watch}`)).out,
      /mario@casa\.example is told of messages from anna@/,
    );
    await refused(`mailbox notify add ${watch}`, /already/);
    const [row, ...others] = await json(`mailbox notify list ${address}`);
    assert.deepEqual(others, []);
    assert.deepEqual([row.sender, row.notified], ['anna@pec.beta.example', 'mario@casa.example']);
    assert.match((await run(`mailbox notify list ${address}`)).out, /^FROM +TO +SINCE\n/);
    assert.equal((await run(`mailbox notify remove ${watch}`)).code, 0);
    await refused(`mailbox notify remove ${watch}`, /is not told/);
    assert.deepEqual(await json(`mailbox notify list ${address}`), []);
  });

  it('aliases', async () => {
    assert.equal((await run('alias add info@pec.alfa.example mario@pec.alfa.example')).code, 0);
    const [alias] = await json('alias list');
    assert.equal(alias.address, 'info@pec.alfa.example');
    assert.equal(alias.mailbox, 'Mario@pec.alfa.example');
    assert.equal((await run('alias remove info@pec.alfa.example')).code, 0);
    assert.deepEqual(await json('alias list'), []);
  });

  it('tables for eyes', async () => {
    const { out } = await run('mailbox list');
    assert.match(out, /^ADDRESS +KIND +STATE +HOLDER +USED +QUOTA\n/);
  });
});

describe('queue', () => {
  it('lists, holds, retries and drops rows', async () => {
    const config = loadConfig(file, {});
    const store = await openStore(config.storage);
    const content = {
      size: 3,
      text: Buffer.from('abc'),
      layout: [{ text: [0, 3] as const }],
      smallBlobs: [],
    };
    await store.write('commitRefusal', {
      contents: [content],
      events: [],
      deposits: [],
      receipts: [],
      queue: [
        {
          kind: 'notification',
          identificativo: 'id1@pec.alfa.example',
          sender: 'anna@pec.alfa.example',
          subject: 'Prova',
          origin: 'Alfa PEC S.p.A.',
          content: { new: 0 },
          size: 3,
          mailFrom: '',
          recipient: 'x@pec.beta.example',
          destination: 'pec.beta.example',
          eightBit: false,
          nextAttempt: 1_000,
          giveUpAt: 2_000,
        },
      ],
    });
    await store.close();
    const [row] = await json('queue list');
    assert.equal(row.recipient, 'x@pec.beta.example');
    assert.equal(row.state, 'due');
    assert.equal(row.nextAttempt, '1970-01-01T00:00:01.000Z');
    assert.equal((await run(`queue hold ${row.id}`)).code, 0);
    assert.equal((await json(`queue show ${row.id}`)).state, 'held');
    assert.equal((await run(`queue retry ${row.id}`)).code, 0);
    assert.equal((await json(`queue show ${row.id}`)).state, 'due');
    const partly = await run(`queue drop 999 ${row.id}`);
    assert.equal(partly.code, 1);
    assert.match(partly.err, /no queue row 999/);
    assert.deepEqual(await json('queue list'), []);
  });
});

describe('config', () => {
  it('get, set, reference', async () => {
    assert.equal((await run('config get limits.message_size')).out, '30MB\n');
    const set = await run('config set limits.message_size 60MB');
    assert.equal(set.out, 'limits.message_size: set; a running server takes it up at its next start\n');
    assert.equal((await run('config get limits.message_size')).out, '60MB\n');
    assert.match((await run('config set tls.cert certs/tls.pem')).out, /on SIGHUP/);
    assert.deepEqual(await json('config get timers'), { first_notice: '12h', second_notice: '23h' });
    const before = readFileSync(file, 'utf8');
    await refused('config set limits.recipients 3', /limits\.recipients: the law wants at least 50/);
    await refused(
      'config set limit.recipients 3',
      /unknown key; the nearest known one is limits\.recipients/,
    );
    assert.equal(readFileSync(file, 'utf8'), before);
    assert.match((await run('config reference')).out, /^provider:$/m);
  });

  it('says so when the environment wins', async () => {
    const env = { CERALACCA_CONFIG: file, CERALACCA__LOG__LEVEL: 'warn' };
    const { err } = await ceralacca(['config', 'set', 'log.level', 'debug'], { env });
    assert.match(err, /CERALACCA__LOG__LEVEL is set here and wins/);
    assert.equal((await ceralacca(['config', 'get', 'log.level'], { env })).out, 'warn\n');
  });
});

describe('registro and directory', () => {
  it('an untouched register is told so', async () => {
    assert.equal((await json('registro verify')).fault, null);
    assert.deepEqual(await json('registro search --from 2026-01-01 --to 2026-12-31'), []);
    await refused('registro search --from yesterday', /^ceralacca: --from yesterday: not a date/, 2);
    await refused('registro show nothing@pec.alfa.example', /nothing about nothing@pec\.alfa\.example/);
    await refused(
      `registro receipt nothing@pec.alfa.example --out ${work.path('r.eml')}`,
      /no accettazione of/,
    );
  });

  it('what happened to a message, and its receipt byte for byte', async () => {
    const identificativo = 'ceralacca1.20261122100000.0123456789abcdef@pec.alfa.example';
    const at = Date.UTC(2026, 10, 22, 9);
    const bytes = Buffer.from('From: posta-certificata@pec.alfa.example\r\n\r\nricevuta\r\n');
    const layout = [{ text: [0, bytes.length] as const }];
    const store = await openStore(loadConfig(file, {}).storage);
    await store.write('commitRefusal', {
      contents: [{ size: bytes.length, text: bytes, layout, smallBlobs: [] }],
      events: [
        {
          identificativo,
          at,
          event: 'accettazione',
          sender: 'mario@pec.alfa.example',
          recipients: ['anna@pec.beta.example'],
          subject: 'Diffida \u001b[31m',
          related: [],
          gestore: 'Alfa',
          detail: { msgid: '<a@b>' },
        },
      ],
      deposits: [],
      receipts: [
        {
          direction: 'issued',
          origin: 'Alfa',
          identificativo,
          kind: 'accettazione',
          recipient: '',
          step: '',
          messageId: 'a1@pec.alfa.example',
          content: { new: 0 },
          at,
        },
      ],
      queue: [],
    });
    await store.close();
    const [entry, ...others] = await json(
      'registro search --sender MARIO@pec.alfa.example --from 2026-11-22 --to 2026-11-22',
    );
    assert.equal(others.length, 0);
    assert.equal(entry.identificativo, identificativo);
    assert.equal(entry.event, 'accettazione');
    assert.equal(entry.at, '2026-11-22T09:00:00.000Z');
    assert.equal(entry.subject, 'Diffida \u001b[31m');
    assert.deepEqual(await json('registro search --event avvenuta-consegna'), []);
    assert.deepEqual(await json('registro search --to 2026-11-21'), []);
    const table = await run('registro search');
    assert.match(table.out, /Diffida \\u001b\[31m/);
    assert.equal((await json(`registro show <${identificativo}>`)).length, 1);
    const out = work.path('accettazione.eml');
    assert.equal((await run(`registro receipt ${identificativo} --out ${out}`)).code, 0);
    assert.deepEqual(readFileSync(out), bytes);
    await refused(
      `registro receipt ${identificativo} --recipient anna@pec.beta.example --out ${out}`,
      /no receipt for anna/,
    );
    const verdict = await json('registro verify');
    assert.equal(verdict.entries, 1);
  });

  it('our own record, and another gestore imported', async () => {
    const [own] = await json('directory list');
    assert.equal(own.providerName, 'Alfa');
    assert.deepEqual(own.managedDomains, ['pec.alfa.example']);
    const beta = work.path('beta');
    const made = await ceralacca(['init', '--dir', beta, '--name', 'Beta', '--domain', 'pec.beta.example']);
    assert.equal(made.code, 0, made.err);
    const signed = work.path('beta.ldif.p7m');
    const exported = await ceralacca([
      'directory',
      'export',
      '--out',
      signed,
      '-c',
      join(beta, 'config', 'gestore.yaml'),
    ]);
    assert.equal(exported.code, 0, exported.err);
    await refused(`directory import ${signed}`, /^ceralacca: /);
    const imported = await run(`directory import ${signed} --trust ${join(beta, 'certs', 'ca.pem')}`);
    assert.equal(imported.code, 0, imported.err);
    const names = (await json('directory list')).map(
      ({ providerName }: { providerName: string }) => providerName,
    );
    assert.deepEqual(names, ['Alfa', 'Beta']);
    const [record] = await json('directory show pec.beta.example');
    assert.equal(record.mailReceipt, 'ricevute@pec.beta.example');
    assert.equal(record.certificates.length, 1);
    await refused('directory show gamma', /no gestore and no managed domain "gamma"/);
  });
});

describe('doctor', () => {
  it('tells what is wrong', async () => {
    const sick = work.path('sick');
    mkdirSync(sick);
    cpSync(dir, sick, { recursive: true });
    writeFileSync(join(sick, 'certs', 'tls.key'), readFileSync(join(sick, 'certs', 'signing.key')), {
      mode: 0o644,
    });
    const path = join(sick, 'config', 'gestore.yaml');
    const { code, out } = await ceralacca(['doctor', '--json', '-c', path]);
    assert.equal(code, 1);
    const failures = JSON.parse(out).filter(({ result }: { result: string }) => result === 'failed');
    assert.deepEqual(
      failures.map(({ check }: { check: string }) => check),
      ['tls'],
    );
  });
});

describe('bin/ceralacca', () => {
  it('says what to do before the build', () => {
    const place = work.path('unbuilt');
    mkdirSync(join(place, 'bin'), { recursive: true });
    cpSync('bin/ceralacca', join(place, 'bin', 'ceralacca'));
    writeFileSync(join(place, 'package.json'), '{ "type": "module" }');
    const { status, stderr } = spawnSync(join(place, 'bin', 'ceralacca'), ['domain', 'list']);
    assert.equal(status, 2);
    assert.match(stderr.toString(), /run "npm run build"/);
  });
});
