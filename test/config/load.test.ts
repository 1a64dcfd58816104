import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Config, ConfigError, checkConfig, loadConfig } from '../../src/config/index.js';

const minimal = `
provider: { name: Alfa PEC S.p.A., mail_domain: pec.alfa.example }
hostname: mail.alfa.example
antivirus: { builtin: eicar }
`;

const file = '/srv/alfa/config/gestore.yaml';

function problems(text: string, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    checkConfig(text, file, env);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ path, text: reason }) => `${path}: ${reason}`);
  }
}

const load = (more = '', env: NodeJS.ProcessEnv = {}): Config => checkConfig(minimal + more, file, env);

describe('defaults', () => {
  it('are those of the reference', () => {
    const config = load();
    assert.deepEqual(config.listen, {
      address: '127.0.0.1',
      submission: 465,
      submission_starttls: 587,
      mx: 25,
      pop3s: 995,
      imaps: 993,
      https: 443,
      pop3: false,
      imap: false,
    });
    assert.equal(config.limits.message_size, 31_457_280);
    assert.equal(config.limits.recipients, 50);
    assert.equal(config.limits.recipients_hard, 500);
    assert.equal(config.limits.size_times_recipients, 31_457_280);
    assert.equal(config.limits.hard_size, 41_943_040);
    assert.equal(config.limits.incoming_size, 115_343_360);
    assert.equal(config.limits.mailbox_quota, 1_073_741_824);
    assert.equal(config.timers.first_notice.ms, 43_200_000);
    assert.equal(config.timers.second_notice.ms, 82_800_000);
    assert.equal(config.relay.give_up.envelopes.ms, 86_400_000);
    assert.equal(config.relay.give_up.notifications.ms, 432_000_000);
    assert.equal(config.relay.first_retry.ms, 2000);
    assert.equal(config.relay.max_retry.ms, 900_000);
    assert.equal(config.relay.require_tls, true);
    assert.equal(config.relay.smart_host, null);
    assert.deepEqual(config.retention.registro, { months: 30, days: 0, text: '30mo' });
    assert.equal(config.policy.ordinary_mail, 'reject');
    assert.equal(config.testing, false);
    assert.equal(config.timestamp, null);
    assert.equal(config.directory.refresh.ms, 86_400_000);
    assert.equal(config.directory.publish, true);
    assert.equal(config.provider.service_mailbox, 'ricevute@pec.alfa.example');
    assert.equal(config.web.public_url, 'https://mail.alfa.example');
    assert.deepEqual(config.antivirus, { kind: 'builtin', builtin: 'eicar' });
  });

  it('paths count from the folder above config/', () => {
    const config = load();
    assert.equal(config.paths.root, '/srv/alfa');
    assert.equal(config.tls.cert, '/srv/alfa/certs/tls.pem');
    assert.deepEqual(config.signing.key, {
      kind: 'file',
      file: '/srv/alfa/certs/signing.key',
      passphrase_file: null,
    });
    assert.deepEqual(config.storage.database, { engine: 'sqlite', file: '/srv/alfa/data/ceralacca.db' });
    assert.deepEqual(config.storage.blobs, { kind: 'file', folder: '/srv/alfa/data/blobs' });
    assert.equal(config.paths.spool, '/srv/alfa/data/spool');
  });

  it('paths count from the file itself when it is in no folder named config', () => {
    const config = checkConfig(minimal, '/srv/alfa/gestore.yaml', {});
    assert.equal(config.tls.key, '/srv/alfa/certs/tls.key');
  });

  it('is frozen to the ground', () => {
    const config = load('relay: { routes: { pec.beta.example: "127.0.0.1:20025" } }');
    const frozen = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      assert.ok(Object.isFrozen(value));
      Object.values(value).forEach(frozen);
    };
    frozen(config);
  });
});

describe('values', () => {
  it('routes keep the name as written', () => {
    const { routes } = load(
      'relay: { routes: { pec.beta.example: "mx.beta.example:20025", "*": "[::1]:25" } }',
    ).relay;
    assert.deepEqual(routes, {
      'pec.beta.example': { host: 'mx.beta.example', port: 20025, text: 'mx.beta.example:20025' },
      '*': { host: '::1', port: 25, text: '[::1]:25' },
    });
  });

  it('clamd by TCP and by socket', () => {
    const other = (value: string) =>
      checkConfig(minimal.replace('{ builtin: eicar }', `{ clamd: "${value}" }`), file, {}).antivirus;
    assert.deepEqual(other('tcp://127.0.0.1:3311'), {
      kind: 'clamd',
      clamd: 'tcp://127.0.0.1:3311',
    });
    assert.deepEqual(other('unix:/run/clamav/clamd.ctl'), {
      kind: 'clamd',
      clamd: 'unix:/run/clamav/clamd.ctl',
    });
  });

  it('directory sources of each kind', () => {
    const { sources, crl } = load(`
directory:
  sources:
    - { file: config/gestori.ldif.p7m, trust: certs/ca.pem }
    - { url: "https://igpec.example/x.ldif.p7m", client: { cert: a.pem, key: a.key } }
    - { ldap: "ldaps://igpec.example" }
  crl: [{ file: certs/ca.crl }, { url: "http://ca.example/x.crl" }]
`).directory;
    assert.deepEqual(sources, [
      { kind: 'file', file: '/srv/alfa/config/gestori.ldif.p7m', trust: '/srv/alfa/certs/ca.pem' },
      {
        kind: 'url',
        url: 'https://igpec.example/x.ldif.p7m',
        trust: null,
        client: { cert: '/srv/alfa/a.pem', key: '/srv/alfa/a.key' },
      },
      { kind: 'ldap', url: 'ldaps://igpec.example', trust: null, client: null },
    ]);
    assert.deepEqual(crl, [
      { kind: 'file', file: '/srv/alfa/certs/ca.crl' },
      { kind: 'url', url: 'http://ca.example/x.crl' },
    ]);
  });

  it('empty sections say nothing', () => {
    assert.equal(load('relay:\ntimestamp:\n').relay.require_tls, true);
  });

  it('testing retries within three seconds', () => {
    const { relay } = load('testing: true\nrelay: { first_retry: 10s }\n');
    assert.equal(relay.max_retry.ms, 3000);
    assert.equal(relay.first_retry.ms, 3000);
  });

  it('the hard size follows the message size', () => {
    assert.equal(load('limits: { message_size: 60MB }').limits.hard_size, 80 * 1024 ** 2);
  });
});

describe('problems are named exactly', () => {
  it('all at once, with their paths', () => {
    const text = `
provider: { mail_domain: "no domain" }
hostname: mail.alfa.example
limits: { mesage_size: 30MB, recipients: fifty, mailbox_quota: huge }
timers: { first_notice: 12 hours }
listen: { mx: yes, imaps: 99999 }
sign: {}
`;
    assert.deepEqual(problems(text), [
      'sign: unknown key; the nearest known one is signing',
      'provider.name: is missing',
      'provider.mail_domain: must be a domain name such as pec.alfa.example',
      'listen.mx: must be a port number or false',
      'listen.imaps: must be at most 65535',
      'antivirus: is missing',
      'limits.recipients: must be a whole number',
      'limits.mailbox_quota: "huge" is not a size: write a number of octets or 512KB, 30MB, 1GB',
      'limits.mesage_size: unknown key; the nearest known one is limits.message_size',
      'timers.first_notice: "12 hours" is not a duration: write 2s, 15min, 12h or 5d',
    ]);
  });

  it('an unknown key names the nearest known one, in its own section or elsewhere', () => {
    const nearest = (yaml: string) => problems(minimal + yaml)[0];
    assert.equal(
      nearest('message_size: 1'),
      'message_size: unknown key; the nearest known one is limits.message_size',
    );
    assert.equal(
      nearest('relay: { smarthost: null }'),
      'relay.smarthost: unknown key; the nearest known one is relay.smart_host',
    );
    assert.equal(
      nearest('log: { levle: info }'),
      'log.levle: unknown key; the nearest known one is log.level',
    );
    assert.equal(
      nearest('directory: { sources: [{ fil: x }] }'),
      'directory.sources.0.fil: unknown key; the nearest known one is directory.sources.file',
    );
    assert.equal(nearest('Testing: true'), 'Testing: unknown key; the nearest known one is testing');
  });

  it('one choice of several', () => {
    const antivirus = (value: string) => problems(minimal.replace('{ builtin: eicar }', value));
    assert.deepEqual(antivirus('{}'), ['antivirus: needs one of "clamd", "builtin"']);
    assert.deepEqual(antivirus('{ builtin: eicar, clamd: "tcp://127.0.0.1:1" }'), [
      'antivirus: takes only one of "clamd", "builtin"',
    ]);
    assert.deepEqual(antivirus('null'), ['antivirus: is missing']);
    assert.deepEqual(antivirus('{ builtin: none }'), ['antivirus.builtin: must be eicar']);
    assert.deepEqual(
      problems(
        `${minimal}signing: { key: { file: a, pkcs11: { module: m, slot: 0, pin_file: p, label: l } } }`,
      ),
      ['signing.key: takes only one of "file", "pkcs11"'],
    );
  });

  it('a route for something that is no domain', () => {
    assert.deepEqual(problems(`${minimal}relay: { routes: { "*.it": "x:25", "b.example": "x:99999" } }`), [
      'relay.routes.*.it: must be a domain, or "*" for all others',
      'relay.routes.b.example: "x:99999" is not a host and port: write mail.example:25, 127.0.0.1:20025 or [::1]:25',
    ]);
  });

  it('YAML that does not parse, with its line', () => {
    const [problem] = problems('provider: { name: x\nhostname: y\n');
    assert.match(problem ?? '', /^: line \d/);
    assert.match(problems(`${minimal}hostname: twice\n`)[0] ?? '', /Map keys must be unique/);
    assert.deepEqual(problems('- a\n'), [': must hold keys and values']);
  });

  it('ports taken twice, limits out of order, reserved addresses', () => {
    assert.deepEqual(problems(`${minimal}listen: { mx: 993 }`), [
      'listen.imaps: port 993 is taken by listen.mx',
    ]);
    assert.deepEqual(problems(`${minimal}listen: { mx: 0, imaps: 0 }`), []);
    assert.deepEqual(
      problems(`${minimal}limits: { hard_size: 30MB, incoming_size: 20MB, recipients_hard: 49 }`),
      [
        'limits.hard_size: must be larger than limits.message_size',
        'limits.incoming_size: must be larger than limits.message_size',
        'limits.recipients_hard: must be at least limits.recipients',
      ],
    );
    const reserved = minimal.replace(
      'mail_domain: pec.alfa.example',
      'mail_domain: pec.alfa.example, service_mailbox: Posta-Certificata@pec.alfa.example',
    );
    assert.deepEqual(problems(reserved), [
      'provider.service_mailbox: posta-certificata@ is reserved and can not be the service mailbox',
    ]);
  });

  it('a missing file', () => {
    assert.throws(() => loadConfig('/nowhere/config/gestore.yaml', {}), {
      name: 'ConfigError',
      message: '/nowhere/config/gestore.yaml: there is no such file; "ceralacca init" makes one',
    });
  });
});

describe('the figures of the law', () => {
  const cases: [yaml: string, problem: RegExp][] = [
    ['limits: { recipients: 49 }', /^limits\.recipients: the law wants at least 50; only "testing: true"/],
    ['limits: { message_size: 31457279 }', /^limits\.message_size: the law wants at least 30MB/],
    [
      'limits: { size_times_recipients: 29MB }',
      /^limits\.size_times_recipients: the law wants at least 30MB/,
    ],
    ['timers: { first_notice: 11h }', /^timers\.first_notice: the law wants 12h/],
    ['timers: { first_notice: 13h }', /^timers\.first_notice: the law wants 12h/],
    ['timers: { second_notice: 21h }', /^timers\.second_notice: must be at least 22h and less than 24h/],
    ['timers: { second_notice: 24h }', /^timers\.second_notice: must be at least 22h and less than 24h/],
    ['retention: { registro: 29mo }', /^retention\.registro: the law wants at least 30mo/],
    ['retention: { receipts: 2y }', /^retention\.receipts: the law wants at least 30mo/],
    ['retention: { quarantine: 914d }', /^retention\.quarantine: the law wants at least 30mo/],
  ];
  for (const [yaml, problem] of cases) {
    it(`${yaml} needs testing`, () => {
      const found = problems(minimal + yaml);
      assert.equal(found.length, 1);
      assert.match(found[0] ?? '', problem);
      assert.deepEqual(problems(`${minimal}testing: true\n${yaml}`), []);
    });
  }

  it('the edges that the law allows', () => {
    assert.deepEqual(problems(`${minimal}timers: { second_notice: 22h }`), []);
    assert.deepEqual(problems(`${minimal}timers: { second_notice: 1439min }`), []);
    assert.deepEqual(problems(`${minimal}retention: { registro: 915d, receipts: 3y, quarantine: 31mo }`), []);
  });

  it('are checked also when another section is broken', () => {
    const found = problems(`${minimal}limits: { recipients: 10 }\nlog: { level: loud }\n`);
    assert.equal(found.length, 2);
  });
});

describe('testing', () => {
  it('is refused off loopback', () => {
    for (const address of ['0.0.0.0', '::', '192.0.2.1']) {
      assert.deepEqual(problems(`${minimal}testing: true\nlisten: { address: "${address}" }`), [
        `testing: refused while listen.address is ${address}: testing is for loopback (127.0.0.1, ::1) only`,
      ]);
    }
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) {
      assert.deepEqual(problems(`${minimal}testing: true\nlisten: { address: "${address}" }`), []);
    }
  });

  it('does not allow disorder', () => {
    assert.deepEqual(problems(`${minimal}testing: true\ntimers: { first_notice: 5s, second_notice: 4s }`), [
      'timers.second_notice: must be longer than timers.first_notice',
    ]);
  });
});

describe('environment', () => {
  it('wins over the file, key by key', () => {
    const config = load('listen: { imaps: 1, mx: 2 }', {
      CERALACCA__LISTEN__IMAPS: '10993',
      CERALACCA__LISTEN__POP3: 'false',
      CERALACCA__TESTING: 'true',
      CERALACCA__PROVIDER__NAME: 'Beta: PEC',
      CERALACCA__LIMITS__MESSAGE_SIZE: '1MB',
      CERALACCA__RELAY__ROUTES: '{"pec.beta.example":"127.0.0.1:20025"}',
      CERALACCA__RELAY__GIVE_UP__ENVELOPES: '1h',
      CERALACCA__RELAY__SMART_HOST: 'null',
      CERALACCA__DIRECTORY__SOURCES: '[{"file":"x.ldif"}]',
      CERALACCA_CONFIG: 'ignored here',
    });
    assert.equal(config.listen.imaps, 10993);
    assert.equal(config.listen.mx, 2);
    assert.equal(config.testing, true);
    assert.equal(config.provider.name, 'Beta: PEC');
    assert.equal(config.limits.message_size, 1024 ** 2);
    assert.equal(config.relay.routes['pec.beta.example']?.port, 20025);
    assert.equal(config.relay.give_up.envelopes.ms, 3_600_000);
    assert.equal(config.relay.give_up.notifications.ms, 432_000_000);
    assert.equal(config.directory.sources.length, 1);
  });

  it('a choice replaces the other one of the file', () => {
    assert.deepEqual(load('', { CERALACCA__ANTIVIRUS__CLAMD: 'tcp://127.0.0.1:3310' }).antivirus, {
      kind: 'clamd',
      clamd: 'tcp://127.0.0.1:3310',
    });
    const { key } = load('signing: { key: { file: a.key } }', {
      CERALACCA__SIGNING__KEY__PKCS11__MODULE: '/m.so',
      CERALACCA__SIGNING__KEY__PKCS11__SLOT: '1',
      CERALACCA__SIGNING__KEY__PKCS11__PIN_FILE: '/pin',
      CERALACCA__SIGNING__KEY__PKCS11__LABEL: '123',
    }).signing;
    assert.deepEqual(key, { kind: 'pkcs11', module: '/m.so', slot: 1, pin_file: '/pin', label: '123' });
  });

  it('a whole section first, then its keys', () => {
    const { routes, require_tls } = load('', {
      CERALACCA__RELAY__REQUIRE_TLS: 'false',
      CERALACCA__RELAY: '{"require_tls": true, "routes": {"b.example": "x:1"}}',
    }).relay;
    assert.equal(require_tls, false);
    assert.equal(routes['b.example']?.host, 'x');
  });

  it('unknown variables are refused like unknown keys', () => {
    assert.deepEqual(
      problems(minimal, { CERALACCA__LISTEN__IMAP_S: '1', CERALACCA__RELAY__ROUTES__X: 'y:1' }),
      [
        'CERALACCA__LISTEN__IMAP_S: unknown key; the nearest known one is CERALACCA__LISTEN__IMAPS',
        'CERALACCA__RELAY__ROUTES__X: unknown key; the nearest known one is CERALACCA__RELAY__ROUTES',
      ],
    );
  });
});

describe('loadConfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-config-'));
  after(() => rmSync(folder, { recursive: true }));

  it('reads the file', () => {
    mkdirSync(join(folder, 'config'));
    const path = join(folder, 'config', 'gestore.yaml');
    writeFileSync(path, minimal);
    assert.equal(loadConfig(path, {}).paths.root, folder);
  });
});
