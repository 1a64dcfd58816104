import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { ConfigError, checkConfig, readKey, renderConfig, setKey } from '../../src/config/index.js';

const file = '/srv/alfa/config/gestore.yaml';
const reference = renderConfig();

describe('reference', () => {
  it('is a configuration, and its values are the defaults', () => {
    const minimal = `
provider: { name: Alfa PEC S.p.A., mail_domain: pec.alfa.example }
hostname: mail.alfa.example
antivirus: { clamd: "tcp://127.0.0.1:3310" }
`;
    assert.deepEqual(checkConfig(reference, file, {}), checkConfig(minimal, file, {}));
  });

  it('names every key of the contract', () => {
    const content = parse(reference);
    assert.deepEqual(Object.keys(content), [
      'provider',
      'hostname',
      'listen',
      'tls',
      'signing',
      'dkim',
      'storage',
      'directory',
      'antivirus',
      'quarantine',
      'timestamp',
      'relay',
      'limits',
      'imap',
      'policy',
      'testing',
      'timers',
      'clock',
      'retention',
      'web',
      'log',
    ]);
    assert.deepEqual(Object.keys(content.relay), [
      'routes',
      'dns',
      'require_tls',
      'tls_ca',
      'smart_host',
      'give_up',
      'first_retry',
      'max_retry',
    ]);
    assert.deepEqual(content.relay.give_up, { envelopes: '24h', notifications: '5d' });
  });

  it('describes every key on the line above it', () => {
    const lines = reference.split('\n');
    for (const [index, line] of lines.entries()) {
      if (/^\s*[a-z0-9_]+:/.test(line)) assert.match(lines[index - 1] ?? '', /^\s*# /, line);
    }
  });

  it('takes values in place of the defaults', () => {
    const text = renderConfig({
      provider: { name: 'Beta: "PEC"' },
      listen: { mx: 10025 },
      antivirus: { builtin: 'eicar' },
    });
    const config = checkConfig(text, file, {});
    assert.equal(config.provider.name, 'Beta: "PEC"');
    assert.equal(config.listen.mx, 10025);
    assert.equal(config.listen.imaps, 993);
    assert.deepEqual(config.antivirus, { kind: 'builtin', builtin: 'eicar' });
  });
});

describe('set', () => {
  const set = (key: string, value: string, text = reference) => setKey(text, file, key, value).text;

  it('changes one line and keeps every comment', () => {
    const changed = set('limits.message_size', '60MB');
    const before = reference.split('\n');
    const after = changed.split('\n');
    assert.equal(after.length, before.length);
    const differing = after.filter((line, index) => line !== before[index]);
    assert.deepEqual(differing, ['  message_size: 60MB']);
  });

  it('keeps a comment on the same line', () => {
    const text = reference.replace('  level: info', '  level: info # as agreed');
    assert.match(set('log.level', 'debug', text), /^ {2}level: debug # as agreed$/m);
  });

  it('replaces lists, maps and whole choices', () => {
    const routed = set('relay.routes', '{pec.beta.example: "127.0.0.1:20025"}');
    assert.deepEqual(parse(routed).relay.routes, { 'pec.beta.example': '127.0.0.1:20025' });
    const clamd = set('antivirus', '{builtin: eicar}', routed);
    assert.deepEqual(parse(clamd).antivirus, { builtin: 'eicar' });
    const sources = set('directory.sources', '[{file: a.ldif}]', clamd);
    assert.deepEqual(parse(sources).directory.sources, [{ file: 'a.ldif' }]);
    const comments = (text: string) => text.split('\n').filter((line) => line.includes('#'));
    assert.deepEqual(comments(sources), comments(reference));
  });

  it('reaches one entry of a map', () => {
    const text = set('relay.routes.pec.beta.example', '"127.0.0.1:20025"');
    assert.deepEqual(parse(text).relay.routes, { 'pec.beta.example': '127.0.0.1:20025' });
  });

  it('makes a section that is not there or is empty', () => {
    const text =
      '# mine\nprovider: {name: A, mail_domain: a.example}\nhostname: a.example\nantivirus: {builtin: eicar}\nrelay: # later\n';
    assert.deepEqual(parse(set('relay.first_retry', '5s', text)).relay, { first_retry: '5s' });
    const timers = set('timers.second_notice', '22h', text);
    assert.deepEqual(parse(timers).timers, { second_notice: '22h' });
    assert.match(timers, /^# mine$/m);
  });

  it('refuses a file that is no map of keys, and one that is no YAML', () => {
    for (const text of ['J', '- a\n', ': \nB', 'a: [', '*a'])
      assert.throws(() => setKey(text, file, 'limits.message_size', '20MB'), ConfigError, text);
  });

  it('refuses an alias without its anchor, in the file and in the value', () => {
    for (const text of ['provider: *a', ': *a', 'x: *a\ny: &a 1'])
      assert.throws(() => checkConfig(text, file, {}), ConfigError, text);
    assert.throws(() => setKey(reference, file, 'limits.message_size', '*a'), ConfigError);
    const shared = 'limits: { message_size: &a 20MB, hard_size: *a }\n';
    assert.throws(() => setKey(shared, file, 'limits.message_size', '[1]'), ConfigError);
  });

  it('refuses lists and maps as keys at once, however deep', () => {
    const deep = '? '.repeat(60);
    assert.throws(() => checkConfig(deep, file, {}), ConfigError);
    assert.throws(() => setKey(reference, file, 'limits.message_size', deep), ConfigError);
    assert.throws(() => checkConfig(reference, file, { CERALACCA__LIMITS: deep }), ConfigError);
    assert.throws(() => checkConfig(reference, file, { CERALACCA__LIMITS__MESSAGE_SIZE: deep }), ConfigError);
  });

  it('tells when the change takes effect', () => {
    assert.equal(setKey(reference, file, 'tls.cert', 'x.pem').reload, true);
    assert.equal(setKey(reference, file, 'listen.mx', '26').reload, false);
  });

  it('refuses what would break the configuration', () => {
    const refusal = (key: string, value: string) => {
      try {
        set(key, value);
        return 'accepted';
      } catch (error) {
        assert.ok(error instanceof ConfigError);
        return error.problems.map(({ path, text }) => `${path}: ${text}`).join('; ');
      }
    };
    assert.match(refusal('limits.recipients', '10'), /^limits\.recipients: the law wants at least 50/);
    assert.match(
      refusal('limit.recipients', '10'),
      /unknown key; the nearest known one is limits\.recipients/,
    );
    assert.match(refusal('listen.mx', 'abc'), /^listen\.mx: must be a port number or false/);
    assert.match(refusal('relay.routes', '{a'), /the value is not YAML/);
    assert.match(refusal('testing.deep', 'true'), /unknown key/);
  });

  it('mends a broken file one key at a time', () => {
    const broken = `${reference}`.replace('mx: 25', 'mx: none').replace('imaps: 993', 'imaps: none');
    const once = set('listen.mx', '25', broken);
    assert.equal(checkConfig(set('listen.imaps', '993', once), file, {}).listen.imaps, 993);
  });
});

describe('get', () => {
  const get = (key: string, text = reference, env: NodeJS.ProcessEnv = {}) => readKey(text, file, key, env);

  it('gives the value as written, the default, or what follows from other keys', () => {
    const minimal =
      'provider: {name: A, mail_domain: a.example}\nhostname: mail.a.example\nantivirus: {builtin: eicar}\n';
    assert.equal(get('limits.message_size', minimal), '30MB');
    assert.equal(get('listen.pop3', minimal), false);
    assert.equal(get('provider.service_mailbox', minimal), 'ricevute@a.example');
    assert.equal(get('web.public_url', minimal), 'https://mail.a.example');
    assert.equal(get('timestamp', minimal), null);
    assert.deepEqual(get('antivirus', minimal), { builtin: 'eicar' });
    assert.deepEqual(get('relay.give_up', minimal), { envelopes: '24h', notifications: '5d' });
    assert.equal(get('log.level', minimal, { CERALACCA__LOG__LEVEL: 'warn' }), 'warn');
    assert.deepEqual(get('signing.key', minimal), { file: 'certs/signing.key' });
    assert.deepEqual(get('timers', minimal), { first_notice: '12h', second_notice: '23h' });
  });

  it('refuses unknown keys', () => {
    assert.throws(() => get('limits.quota'), /limits\.quota: unknown key; the nearest known one is/);
  });
});
