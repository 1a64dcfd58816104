import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conflict, NOW, newMailbox, type OpenStore, using } from './records.js';

export function accountsContract(open: OpenStore): void {
  describe('accounts', () => {
    it('keeps domains, once each and in lower case', () =>
      using(open, async ({ store }) => {
        await store.write('addDomain', { name: 'PEC.Alfa.example', now: NOW });
        assert.deepEqual(await store.read('listDomains', {}), [{ name: 'pec.alfa.example', createdAt: NOW }]);
        await assert.rejects(
          store.write('addDomain', { name: 'pec.alfa.EXAMPLE', now: NOW }),
          conflict('domain'),
        );
        assert.equal((await store.read('findDomain', { name: 'PEC.ALFA.example' }))?.createdAt, NOW);
      }));

    it('refuses to remove a domain while addresses are in it', () =>
      using(open, async ({ store }) => {
        await newMailbox(store, 'a@uno.example');
        await store.write('addDomain', { name: 'due.example', now: NOW });
        await store.write('addAlias', { address: 'b@due.example', mailbox: 'a@uno.example', now: NOW });
        await assert.rejects(store.write('removeDomain', { name: 'uno.example' }), conflict('mailbox'));
        await assert.rejects(store.write('removeDomain', { name: 'due.example' }), conflict('mailbox'));
        await store.write('removeAlias', { address: 'B@due.example' });
        await store.write('removeDomain', { name: 'due.example' });
        await assert.rejects(store.write('removeDomain', { name: 'due.example' }), conflict('domain'));
      }));

    it('creates a mailbox with its folders, and finds it whatever the case', () =>
      using(open, async ({ store }) => {
        const made = await newMailbox(store, 'Mario.Rossi@pec.alfa.example');
        assert.deepEqual(await store.read('findMailbox', { address: 'MARIO.rossi@PEC.alfa.example' }), made);
        assert.equal(made.address, 'Mario.Rossi@pec.alfa.example');
        assert.equal(made.domain, 'pec.alfa.example');
        const folders = await store.read('listFolders', { mailboxId: made.id });
        assert.deepEqual(
          folders.map(({ name, specialUse }) => [name, specialUse]),
          [
            ['INBOX', null],
            ['Posta inviata', 'sent'],
            ['Bozze', 'drafts'],
            ['Cestino', 'trash'],
            ['Archivio', 'archive'],
          ],
        );
        const first = Math.floor(NOW / 1000);
        assert.deepEqual(
          folders.map(({ uidValidity }) => uidValidity - first),
          [0, 1, 2, 3, 4],
        );
      }));

    it('gives no address out twice, and none in a foreign domain', () =>
      using(open, async ({ store }) => {
        await newMailbox(store, 'a@uno.example');
        await newMailbox(store, 'b@uno.example');
        await assert.rejects(newMailbox(store, 'A@uno.example'), conflict('mailbox'));
        await assert.rejects(
          store.write('addAlias', { address: 'B@uno.example', mailbox: 'a@uno.example', now: NOW }),
          conflict('alias'),
        );
        await assert.rejects(
          store.write('addAlias', { address: 'c@altrove.example', mailbox: 'a@uno.example', now: NOW }),
          conflict('domain'),
        );
        await store.write('addAlias', { address: 'c@uno.example', mailbox: 'a@uno.example', now: NOW });
        await assert.rejects(newMailbox(store, 'c@uno.example'), conflict('mailbox'));
        assert.equal((await store.read('listMailboxes', {})).length, 2, 'a refused mailbox leaves nothing');
      }));

    it('resolves aliases, and forgets them', () =>
      using(open, async ({ store }) => {
        const mailbox = await newMailbox(store, 'a@uno.example');
        await store.write('addAlias', { address: 'Info@uno.example', mailbox: 'A@uno.example', now: NOW });
        assert.equal((await store.read('findMailbox', { address: 'info@uno.example' }))?.id, mailbox.id);
        assert.deepEqual(await store.read('listAliases', {}), [
          { address: 'Info@uno.example', mailbox: 'a@uno.example', createdAt: NOW },
        ]);
        await store.write('removeAlias', { address: 'info@uno.example' });
        assert.equal(await store.read('findMailbox', { address: 'info@uno.example' }), undefined);
        await assert.rejects(store.write('removeAlias', { address: 'a@uno.example' }), conflict('alias'));
      }));

    it('changes what is given of a mailbox and leaves the rest', () =>
      using(open, async ({ store }) => {
        const before = await newMailbox(store, 'a@uno.example');
        const holder = await store.write('addHolder', { name: 'Studio Rossi', taxCode: null, now: NOW });
        assert.deepEqual(await store.read('findHolder', { id: holder.id }), holder);
        await store.write('setMailbox', { address: 'A@uno.example', state: 'suspended' });
        const after = await store.write('setMailbox', {
          address: 'a@uno.example',
          holderId: holder.id,
          quota: 5,
        });
        assert.deepEqual(after, { ...before, state: 'suspended', holderId: holder.id, quota: 5 });
        assert.deepEqual(await store.read('findMailboxById', { id: before.id }), after);
        await assert.rejects(store.write('setMailbox', { address: 'x@uno.example' }), conflict('mailbox'));
        await assert.rejects(
          store.write('setMailbox', { address: 'a@uno.example', holderId: 99 }),
          conflict('holder'),
        );
      }));

    it('keeps what SCRAM checks a password against, as long as that is the password', () =>
      using(open, async ({ store }) => {
        const address = 'a@uno.example';
        const { id: mailboxId } = await newMailbox(store, address);
        const octets = (value: number) => new Uint8Array(32).fill(value);
        const scram = { iterations: 5000, salt: octets(1), storedKey: octets(2), serverKey: octets(3) };
        const kept = async () => {
          const found = (await store.read('findLogin', { address })).scram;
          return (
            found && {
              ...found,
              salt: found.salt[0],
              storedKey: found.storedKey[0],
              serverKey: found.serverKey[0],
            }
          );
        };
        assert.equal(await kept(), undefined);
        assert.deepEqual(await store.read('findLogin', { address: 'b@uno.example' }), {
          mailbox: undefined,
          scram: undefined,
        });
        const add = (passwordHash: string) =>
          store.write('addScram', { mailboxId, passwordHash, credential: scram });
        assert.equal(await add('another'), false);
        assert.equal(await add('hash'), true);
        assert.equal(await add('hash'), false, 'it is there');
        assert.deepEqual(await kept(), { iterations: 5000, salt: 1, storedKey: 2, serverKey: 3 });
        await store.write('setMailbox', { address, quota: 7 });
        assert.equal((await kept())?.salt, 1);
        await store.write('setMailbox', {
          address,
          passwordHash: 'new',
          scram: { ...scram, salt: octets(9) },
        });
        assert.equal((await kept())?.salt, 9);
        await store.write('setMailbox', { address, passwordHash: 'newer' });
        assert.equal(await kept(), undefined, 'never of a password of before');
      }));

    it('keeps what is hidden from a mailbox, by any of its addresses', () =>
      using(open, async ({ store }) => {
        const { id: mailboxId } = await newMailbox(store, 'a@uno.example');
        const { id: other } = await newMailbox(store, 'b@uno.example');
        const set = (address: string, capability: string, hidden: boolean) =>
          store.write('setCapability', { address, capability, hidden });
        for (const capability of ['MOVE', 'IDLE', 'MOVE']) await set('A@uno.example', capability, true);
        assert.deepEqual(await store.read('hiddenCapabilities', { mailboxId }), ['IDLE', 'MOVE']);
        assert.deepEqual(await store.read('hiddenCapabilities', { mailboxId: other }), []);
        await set('a@uno.example', 'MOVE', false);
        await set('a@uno.example', 'MOVE', false);
        assert.deepEqual(await store.read('hiddenCapabilities', { mailboxId }), ['IDLE']);
        await assert.rejects(set('c@uno.example', 'MOVE', true), conflict('mailbox'));
      }));
  });
}
