/** Names that strangers choose, where a program might take them for a path, a member of an object, or a key. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { type Accounts, Accounts as AccountsOfStore } from '../../src/accounts/index.js';
import { checkConfig, setKey } from '../../src/config/index.js';
import { readLdif, readProviderRecords } from '../../src/directory/index.js';
import { isValidAddress, isValidDomain } from '../../src/pec/index.js';
import { blobPath } from '../../src/storage/blobs/layout.js';
import { openStore, type Store } from '../../src/storage/index.js';
import { sharedPair } from '../support/pair.js';

const MEMBERS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'] as const;
const PATHS = [
  '../../etc/passwd',
  '/etc/passwd',
  '..\\..\\x',
  'a/b',
  'a\0b',
  '%2e%2e%2f',
  '....//',
  '~root',
  '.',
  '..',
  '',
];

/** Nothing was put on what every object inherits from. */
function assertUnpolluted(): void {
  assert.deepEqual(Object.keys(Object.prototype), []);
  for (const name of ['polluted', 'testing', 'level']) assert.ok(!(name in {}), name);
}

describe('paths', () => {
  it('a blob is found by the hash of its bytes, and by nothing else', () => {
    const hash = 'ab'.repeat(32);
    assert.equal(blobPath('/x', hash), `/x/ab/ab/${hash}`);
    const odd = [...PATHS, hash.toUpperCase(), `${hash}\n`, `${hash}/..`, `../${hash.slice(3)}`, ...MEMBERS];
    for (const name of odd) assert.throws(() => blobPath('/x', name), TypeError, name);
    fc.assert(
      fc.property(fc.string({ maxLength: 70 }), (name) => {
        fc.pre(!/^[0-9a-f]{64}$/.test(name));
        assert.throws(() => blobPath('/x', name), TypeError);
      }),
    );
  });

  describe('of mailboxes and messages', () => {
    const here = sharedPair();

    it('what a letter names is no file of ours', async () => {
      const { alfa, beta, network } = here();
      const listed = (): string[] => readdirSync(alfa.folder).sort();
      const before = listed();
      for (const name of PATHS.filter((one) => !one.includes('\0'))) {
        const id = await alfa.submit({
          from: alfa.address('anna'),
          to: [beta.address('bruno')],
          subject: name,
          messageId: name === '' ? 'x@y' : name,
          fields: [
            'MIME-Version: 1.0',
            `Content-Type: application/pdf; name="${name.replace(/\\/g, '\\\\')}"`,
            `Content-Disposition: attachment; filename="${name.replace(/\\/g, '\\\\')}"`,
            'X-TipoRicevuta: breve',
          ],
          body: 'x\r\n',
        });
        assert.match(id, /^[A-Za-z0-9.]+@pec\.alfa\.example$/);
      }
      await network.pump();
      assert.deepEqual(listed(), before);
      assert.ok((await beta.inbox(beta.address('bruno'))).length > 0);
    });
  });

  it('addresses and domains hold no separator of paths in the domain, and no control characters', () => {
    for (const name of PATHS) {
      assert.ok(!isValidDomain(name), name);
      assert.ok(!isValidAddress(`a@${name}`), name);
    }
    for (const address of [
      'a\0b@c.example',
      'a b@c.example',
      '../x@c.example',
      '.@c.example',
      'a\r\n@c.example',
    ])
      assert.ok(!isValidAddress(address), address);
  });
});

describe('members that every object has', () => {
  let folder: string;
  let store: Store;
  let accounts: Accounts;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ceralacca-names-'));
    store = await openStore({
      database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
      blobs: { kind: 'file', folder: join(folder, 'blobs') },
    });
    accounts = new AccountsOfStore({
      store,
      serviceMailbox: 'ricevute@pec.alfa.example',
      defaultQuota: 1024 ** 3,
      throttleLogins: true,
    });
    await accounts.addDomain('pec.alfa.example');
  });
  after(async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are names of mailboxes like any other', async () => {
    for (const name of MEMBERS) {
      const address = `${name}@pec.alfa.example`;
      assert.equal(await accounts.find(address), undefined);
      const login = { address, password: 'parola-segreta', remote: '192.0.2.1' };
      assert.deepEqual(await accounts.authenticate(login), { ok: false, reason: 'bad' });
      await accounts.addMailbox(address, 'parola-segreta');
      assert.equal((await accounts.authenticate(login)).ok, true);
    }
    assertUnpolluted();
  });

  it('are no keys of the configuration, in the file or in the environment', () => {
    const valid =
      'provider: { name: Alfa, mail_domain: pec.alfa.example }\nhostname: mail.alfa.example\nantivirus: { builtin: eicar }\n';
    assert.equal(checkConfig(valid, 'x.yaml', {}).hostname, 'mail.alfa.example');
    for (const text of [
      '__proto__: { testing: true, polluted: 1 }\n',
      'constructor: { prototype: { polluted: 1 } }\n',
      'relay: { __proto__: { polluted: 1 } }\n',
      '{"__proto__": {"polluted": 1}}\n',
      'a: &a { polluted: 1 }\n"__proto__": { <<: *a }\n',
    ]) {
      if (!text.startsWith('{'))
        assert.throws(() => checkConfig(valid + text, 'x.yaml', {}), { name: 'ConfigError' });
      assert.throws(() => checkConfig(text, 'x.yaml', {}), { name: 'ConfigError' });
      assertUnpolluted();
    }
    // A domain of that name there is none: zod leaves it out.
    const { relay } = checkConfig(
      `${valid}relay: { routes: { __proto__: { polluted: 1 } } }\n`,
      'x.yaml',
      {},
    );
    assert.deepEqual(relay.routes, {});
    assertUnpolluted();
    for (const name of MEMBERS) {
      const env = {
        [`CERALACCA__${name.toUpperCase()}__POLLUTED`]: '1',
        CERALACCA____PROTO____POLLUTED: '1',
      };
      assert.throws(() => checkConfig(valid, 'x.yaml', env), { name: 'ConfigError' });
      for (const key of [name, `${name}.polluted`, `relay.${name}`, `relay.routes.${name}.polluted`])
        assert.throws(() => setKey(valid, 'x.yaml', key, 'true'), { name: 'ConfigError' }, key);
      assertUnpolluted();
    }
  });

  it('a small file that is said to be large by its aliases is refused', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let depth = 1; depth < 12; depth += 1)
      lines.push(
        `a${depth}: &a${depth} [${Array(9)
          .fill(`*a${depth - 1}`)
          .join(', ')}]`,
      );
    assert.throws(() => checkConfig(lines.join('\n'), 'x.yaml', {}));
  });

  it('are attributes of LDIF that say nothing', () => {
    for (const name of ['constructor', 'toString', 'prototype']) {
      const [entry] = readLdif(Buffer.from(`dn: ${name}=x\n${name}: polluted\n`));
      assert.deepEqual([...(entry?.attributes.keys() ?? [])], [name.toLowerCase()]);
      assert.throws(() => readProviderRecords(entry === undefined ? [] : [entry]), {
        name: 'DirectoryError',
      });
    }
    assert.throws(() => readLdif(Buffer.from('dn: x\n__proto__: polluted\n')), { name: 'LdifError' });
    assertUnpolluted();
  });
});
