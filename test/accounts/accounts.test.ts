import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type AccountErrorCode, Accounts } from '../../src/accounts/index.js';
import { openStore, type Store } from '../../src/storage/index.js';

const PASSWORD = 'cavallo batteria graffetta';
const HERE = '192.0.2.7';

const refused = (code: AccountErrorCode) => ({ name: 'AccountError', code });

describe('accounts', () => {
  let folder: string;
  let store: Store;
  let clock = 1_760_000_000_000;

  const accounts = (throttleLogins = true): Accounts =>
    new Accounts({
      store,
      serviceMailbox: 'ricevute@pec.alfa.example',
      defaultQuota: 1024 ** 3,
      throttleLogins,
      now: () => clock,
      monotonic: () => clock,
    });
  const login = (on: Accounts, address: string, password: string, remote = HERE) =>
    on.authenticate({ address, password, remote });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ceralacca-accounts-'));
    store = await openStore({
      database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
      blobs: { kind: 'file', folder: join(folder, 'blobs') },
    });
    await accounts().addDomain('pec.alfa.example');
    await accounts().addMailbox('Mario.Rossi@pec.alfa.example', PASSWORD);
  });

  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe('administration', () => {
    it('explains what it refuses', async () => {
      const on = accounts();
      const add = (address: string, password = PASSWORD) => on.addMailbox(address, password);
      await assert.rejects(on.addDomain('alfa'), refused('bad-domain'));
      await assert.rejects(on.addDomain('città.example'), refused('bad-domain'));
      await assert.rejects(on.addDomain('PEC.alfa.example'), refused('taken'));
      await assert.rejects(add('mario rossi@pec.alfa.example'), refused('bad-address'));
      await assert.rejects(add('mario'), refused('bad-address'));
      await assert.rejects(add('lùca@pec.alfa.example'), refused('bad-address'));
      await assert.rejects(add('luca@pec.beta.example'), refused('unmanaged-domain'));
      await assert.rejects(add('MARIO.ROSSI@pec.alfa.example'), refused('taken'));
      await assert.rejects(add('luca@pec.alfa.example', 'corta'), refused('bad-password'));
      await assert.rejects(add('luca@pec.alfa.example', 'con\r\nritorno'), refused('bad-password'));
      await assert.rejects(
        on.addMailbox('luca@pec.alfa.example', PASSWORD, { quota: 0 }),
        refused('bad-quota'),
      );
      await assert.rejects(
        on.addMailbox('luca@pec.alfa.example', PASSWORD, { holder: 99 }),
        refused('not-found'),
      );
      await assert.rejects(on.setPassword('luca@pec.alfa.example', PASSWORD), refused('not-found'));
      await assert.rejects(on.suspend('luca@pec.alfa.example'), refused('not-found'));
      await assert.rejects(on.removeDomain('pec.alfa.example'), refused('not-empty'));
      await assert.rejects(on.removeDomain('pec.beta.example'), refused('not-found'));
      assert.equal(await on.find('luca@pec.alfa.example'), undefined);
    });

    it('keeps the gestore\u2019s own addresses from users (decisions 23)', async () => {
      const on = accounts();
      for (const local of ['posta-certificata', 'Postmaster', 'ricevute']) {
        await assert.rejects(on.addMailbox(`${local}@pec.alfa.example`, PASSWORD), refused('reserved'));
        await assert.rejects(
          on.addAlias(`${local}@pec.alfa.example`, 'mario.rossi@pec.alfa.example'),
          refused('reserved'),
        );
      }
      const service = await on.addServiceMailbox();
      assert.deepEqual([service.address, service.kind], ['ricevute@pec.alfa.example', 'service']);
      assert.deepEqual(await login(on, service.address, ''), { ok: false, reason: 'bad' });
      await assert.rejects(on.revoke(service.address), refused('not-allowed'));
      await on.setPassword(service.address, PASSWORD);
      assert.equal((await login(on, service.address, PASSWORD)).ok, true);
    });

    it('gives holders, aliases and quotas', async () => {
      const on = accounts();
      const holder = await on.addHolder('Studio Bianchi', 'BNCLRA80A41H501X');
      const mailbox = await on.addMailbox('laura@pec.alfa.example', PASSWORD, {
        holder: holder.id,
        quota: 5000,
      });
      assert.deepEqual([mailbox.holderId, mailbox.quota], [holder.id, 5000]);
      await on.addAlias('info@pec.alfa.example', 'LAURA@pec.alfa.example');
      assert.equal((await on.find('Info@pec.alfa.example'))?.id, mailbox.id);
      assert.equal((await on.setQuota('info@pec.alfa.example', 7000)).quota, 7000);
      await on.removeAlias('info@pec.alfa.example');
      await assert.rejects(on.removeAlias('info@pec.alfa.example'), refused('not-found'));
    });
  });

  describe('logging in', () => {
    it('takes the address in any case, an alias too, and the right password only', async () => {
      const on = accounts();
      await on.addAlias('rossi@pec.alfa.example', 'mario.rossi@pec.alfa.example');
      for (const address of ['MARIO.rossi@PEC.ALFA.example', 'rossi@pec.alfa.example']) {
        const result = await login(on, address, PASSWORD);
        assert.equal(result.ok && result.mailbox.address, 'Mario.Rossi@pec.alfa.example');
      }
      for (const password of [
        '',
        'altra parola',
        `${PASSWORD}\0`,
        PASSWORD.toUpperCase(),
        'x'.repeat(5000),
      ]) {
        assert.deepEqual(await login(on, 'rossi@pec.alfa.example', password), { ok: false, reason: 'bad' });
      }
      for (const address of ['nessuno@pec.alfa.example', 'mario.rossi', '', '@', 'x'.repeat(9999)]) {
        assert.deepEqual(await login(on, address, PASSWORD), { ok: false, reason: 'bad' });
      }
    });

    it('knows the same password however the keyboard wrote it', async () => {
      const on = accounts();
      await on.addMailbox('accenti@pec.alfa.example', 'perch\u00e9 s\u00ec \u20ac');
      assert.equal(
        (await login(on, 'accenti@pec.alfa.example', 'perche\u0301 si\u0300\u00a0\u20ac')).ok,
        true,
      );
    });

    it('forgets the old password at once when it is changed', async () => {
      const on = accounts();
      const beside = accounts();
      await on.addMailbox('cambia@pec.alfa.example', PASSWORD);
      assert.equal((await login(on, 'cambia@pec.alfa.example', PASSWORD)).ok, true);
      await beside.setPassword('cambia@pec.alfa.example', 'un altro segreto');
      assert.deepEqual(await login(on, 'cambia@pec.alfa.example', PASSWORD), { ok: false, reason: 'bad' });
      assert.equal((await login(on, 'cambia@pec.alfa.example', 'un altro segreto')).ok, true);
    });

    it('lets the suspended in, and the revoked out, also when their login is remembered', async () => {
      const on = accounts();
      const address = 'stato@pec.alfa.example';
      await on.addMailbox(address, PASSWORD);
      assert.equal((await login(on, address, PASSWORD)).ok, true);
      await on.suspend(address);
      const suspended = await login(on, address, PASSWORD);
      assert.equal(suspended.ok && suspended.mailbox.state, 'suspended');
      await on.revoke(address);
      assert.deepEqual(await login(on, address, PASSWORD), { ok: false, reason: 'revoked' });
      assert.deepEqual(await login(on, address, 'altra parola'), { ok: false, reason: 'bad' });
      await on.resume(address);
      assert.equal((await login(on, address, PASSWORD)).ok, true);
    });

    it('makes a guesser wait, and nobody else', async () => {
      const on = accounts();
      const address = 'mario.rossi@pec.alfa.example';
      const outcomes = [];
      for (let attempt = 0; attempt < 11; attempt += 1) {
        outcomes.push(
          await login(on, attempt % 2 === 0 ? address : 'rossi@pec.alfa.example', `prova ${attempt}`),
        );
      }
      assert.deepEqual(
        outcomes.map((outcome) => !outcome.ok && outcome.reason),
        [...Array(10).fill('bad'), 'throttled'],
      );
      assert.deepEqual(await login(on, address, PASSWORD), {
        ok: false,
        reason: 'throttled',
        cause: 'account',
      });
      assert.equal((await login(on, address, PASSWORD, '192.0.2.200')).ok, false, 'the same network');
      assert.equal((await login(on, address, PASSWORD, '198.51.100.1')).ok, true, 'the user elsewhere');
      assert.equal((await login(on, 'laura@pec.alfa.example', PASSWORD)).ok, true, 'another user there');
      assert.equal((await login(accounts(false), address, PASSWORD)).ok, true, 'switched off');
      clock += 60_001;
      assert.equal((await login(on, address, PASSWORD, '203.0.113.5')).ok, true);
      assert.equal((await login(on, address, PASSWORD)).ok, true);
    });

    it('verifies one login once, however many come together', async () => {
      const on = accounts();
      const together = Array.from({ length: 40 }, () =>
        login(on, 'mario.rossi@pec.alfa.example', PASSWORD, '203.0.113.9'),
      );
      assert.ok((await Promise.all(together)).every(({ ok }) => ok));
    });
  });
});
