import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Accounts, type ScramChannel, scramMechanisms, UNBOUND } from '../../src/accounts/index.js';
import { proves, scramCredential, serverSignature } from '../../src/accounts/scram-keys.js';
import { openStore, type Store } from '../../src/storage/index.js';
import { scramFinal, scramFirst } from '../support/scram-client.js';

const PASSWORD = 'cavallo batteria graffetta';
const ADDRESS = 'Mario.Rossi@pec.alfa.example';
const HERE = '192.0.2.7';
const SECRET = Buffer.alloc(32, 7);

/** A connection that login can be bound to. */
const bound: ScramChannel = {
  binds: true,
  binding: (name) => (name === 'tls-exporter' ? Buffer.from('this connection') : undefined),
};

describe('SCRAM-SHA-256', () => {
  let folder: string;
  let store: Store;
  let clock = 1_760_000_000_000;

  const accounts = (throttleLogins = false): Accounts =>
    new Accounts({
      store,
      serviceMailbox: 'ricevute@pec.alfa.example',
      defaultQuota: 1024 ** 3,
      throttleLogins,
      secret: SECRET,
      now: () => clock,
      monotonic: () => clock,
    });

  const begin = (on: Accounts, first: string, channel = UNBOUND, plus = false, remote = HERE) =>
    on.beginScram({
      mechanism: plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256',
      message: Buffer.from(first),
      channel,
      remote,
    });

  /** The challenge of a first message that is taken. */
  async function asked(on: Accounts, first: string, ...more: [ScramChannel?, boolean?, string?]) {
    const start = await begin(on, first, ...more);
    assert.ok(start.ok, JSON.stringify(start));
    return start;
  }

  async function login(on: Accounts, user: string, password: string, remote = HERE) {
    const first = scramFirst(user);
    const start = await asked(on, first, UNBOUND, false, remote);
    const { message, signature } = scramFinal(first, start.challenge, password);
    const outcome = await start.finish(Buffer.from(message));
    if (outcome.ok) assert.equal(outcome.signature, signature, 'the server knows the password too');
    return outcome;
  }

  const saltOf = (challenge: string) => /,s=([^,]*),/.exec(challenge)?.[1];
  const scramOf = async (address: string) => (await store.read('findLogin', { address })).scram;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ceralacca-scram-'));
    store = await openStore({
      database: { engine: 'sqlite', file: join(folder, 'ceralacca.db') },
      blobs: { kind: 'file', folder: join(folder, 'blobs') },
    });
    await accounts().addDomain('pec.alfa.example');
    await accounts().addMailbox(ADDRESS, PASSWORD);
  });

  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('computes what RFC 7677 3 shows', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const credential = await scramCredential('pencil', { salt, iterations: 4096 });
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const messages = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
    const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
    assert.equal(proves(credential, messages, proof), true);
    assert.equal(
      serverSignature(credential, messages).toString('base64'),
      '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    );
    assert.equal(proves(credential, `${messages} `, proof), false);
    assert.equal(proves(credential, messages, proof.subarray(1)), false);
    assert.equal(proves(credential, messages, Buffer.alloc(0)), false);
  });

  it('logs in who knows the password, in any case, by an alias too; and nobody else', async () => {
    const on = accounts();
    await on.addAlias('rossi@pec.alfa.example', ADDRESS);
    for (const user of [ADDRESS, ADDRESS.toLowerCase(), 'rossi@pec.alfa.example']) {
      const outcome = await login(on, user, PASSWORD);
      assert.equal(outcome.ok && outcome.mailbox.address, ADDRESS);
    }
    for (const [user, password] of [
      [ADDRESS, 'altra parola'],
      [ADDRESS, ''],
      ['nessuno@pec.alfa.example', PASSWORD],
      ['x'.repeat(2000), PASSWORD],
    ] as const)
      assert.deepEqual(await login(on, user, password), { ok: false, reason: 'bad', user });
  });

  it('prepares passwords as clients do (RFC 4013): spaces, marks, compatibility forms', async () => {
    const on = accounts();
    await on.addMailbox('accenti@pec.alfa.example', 'perche\u0301 ﬁne\u00a0\u00ad²');
    assert.equal((await login(on, 'accenti@pec.alfa.example', 'perché fine 2')).ok, true);
  });

  it('asks the same of a name that nobody has, each time, after a restart and in any case (RFC 5802 9)', async () => {
    const challenge = async (user: string) => (await asked(accounts(), scramFirst(user))).challenge;
    const shape = /^r=[0-9a-f]{24}[A-Za-z0-9+/]{32},s=[A-Za-z0-9+/]{22}==,i=65536$/;
    assert.match(await challenge(ADDRESS), shape);
    const nobody = await challenge('nessuno@pec.alfa.example');
    assert.match(nobody, shape);
    assert.equal(saltOf(await challenge('NESSUNO@pec.alfa.example')), saltOf(nobody));
    assert.notEqual(saltOf(await challenge('nessuna@pec.alfa.example')), saltOf(nobody));
    const other = new Accounts({
      store,
      serviceMailbox: 'ricevute@pec.alfa.example',
      defaultQuota: 1,
      throttleLogins: false,
      secret: Buffer.alloc(32, 8),
    });
    const elsewhere = await asked(other, scramFirst('nessuno@pec.alfa.example'));
    assert.notEqual(saltOf(elsewhere.challenge), saltOf(nobody), 'nobody can compute it outside');
  });

  it('takes a proof once, over its own nonce only: nothing recorded can be played again', async () => {
    const on = accounts();
    const first = scramFirst(ADDRESS);
    const start = await asked(on, first);
    const { message } = scramFinal(first, start.challenge, PASSWORD);
    assert.equal((await start.finish(Buffer.from(message))).ok, true);
    assert.deepEqual(await start.finish(Buffer.from(message)), { ok: false, reason: 'malformed' });
    const again = await asked(on, first);
    assert.notEqual(again.challenge, start.challenge);
    assert.deepEqual(await again.finish(Buffer.from(message)), { ok: false, reason: 'malformed' });
    const third = await asked(on, first);
    const nonce = /^r=([^,]*)/.exec(third.challenge)?.[1] ?? '';
    const forged = message.replace(/r=[^,]*/, () => `r=${nonce}`);
    assert.deepEqual(await third.finish(Buffer.from(forged)), { ok: false, reason: 'bad', user: ADDRESS });
    const short = await asked(on, first);
    const cut = scramFinal(first, short.challenge, PASSWORD).message.replace(
      /r=[^,]*/,
      `r=${first.slice(-24)}`,
    );
    assert.deepEqual(await short.finish(Buffer.from(cut)), { ok: false, reason: 'malformed' });
  });

  it('binds a login to its connection, and refuses one of another (RFC 5802 6)', async () => {
    const on = accounts();
    const header = 'p=tls-exporter,,';
    const bind = async (octets: string, change = (message: string) => message) => {
      const first = scramFirst(ADDRESS, header);
      const start = await asked(on, first, bound, true);
      const { message } = scramFinal(first, start.challenge, PASSWORD, Buffer.from(octets));
      return start.finish(Buffer.from(change(message)));
    };
    assert.equal((await bind('this connection')).ok, true);
    assert.deepEqual(await bind('another one'), { ok: false, reason: 'binding', user: ADDRESS });
    assert.deepEqual(await bind(''), { ok: false, reason: 'binding', user: ADDRESS });
    assert.deepEqual(await bind('this connection', (message) => message.replace(/^c=[^,]*/, 'c=biws')), {
      ok: false,
      reason: 'binding',
      user: ADDRESS,
    });
  });

  it('refuses who was not told of -PLUS though it is offered, and what does not go together', async () => {
    const on = accounts();
    const refused = async (header: string, channel: ScramChannel, plus: boolean) => {
      const start = await begin(on, scramFirst(ADDRESS, header), channel, plus);
      return start.ok ? 'asked' : start.reason;
    };
    assert.deepEqual(scramMechanisms(bound), ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']);
    assert.deepEqual(scramMechanisms(UNBOUND), ['SCRAM-SHA-256']);
    assert.equal(await refused('y,,', bound, false), 'downgrade');
    assert.equal(await refused('y,,', bound, true), 'downgrade');
    assert.equal(await refused('y,,', UNBOUND, false), 'asked', 'it is right: there is none');
    assert.equal(await refused('n,,', bound, false), 'asked', 'it can do none');
    assert.equal(await refused('n,,', bound, true), 'binding');
    assert.equal(await refused('p=tls-exporter,,', bound, false), 'binding');
    assert.equal(await refused('p=tls-unique,,', bound, true), 'binding');
    assert.equal(await refused('p=tls-exporter,,', UNBOUND, true), 'binding');
    assert.equal(await refused(`n,a=${ADDRESS.toLowerCase()},`, UNBOUND, false), 'asked');
    assert.equal(await refused('n,a=laura@pec.alfa.example,', UNBOUND, false), 'bad', 'for another');
  });

  it('counts a wrong proof like a wrong password, and neither what was cancelled nor what was right', async () => {
    const on = accounts(true);
    for (let attempt = 0; attempt < 30; attempt += 1) await asked(on, scramFirst(ADDRESS));
    for (let attempt = 0; attempt < 12; attempt += 1)
      assert.equal((await login(on, ADDRESS, PASSWORD)).ok, true);
    const wrong = { address: ADDRESS, password: 'sbagliata', remote: HERE };
    for (let attempt = 0; attempt < 5; attempt += 1) {
      assert.deepEqual(await on.authenticate(wrong), { ok: false, reason: 'bad' });
      const outcome = await login(on, 'rossi@pec.alfa.example', 'sbagliata');
      assert.equal(!outcome.ok && outcome.reason, 'bad');
    }
    const waits = { ok: false, reason: 'throttled', cause: 'account' };
    assert.deepEqual(await login(on, ADDRESS, PASSWORD), { ...waits, user: ADDRESS });
    assert.deepEqual(await on.authenticate(wrong), waits);
    assert.equal((await login(on, ADDRESS, PASSWORD, '198.51.100.1')).ok, true, 'the user elsewhere');
    for (let attempt = 0; attempt < 10; attempt += 1) await login(on, 'nessuno@x.example', 'prova');
    const nobody = await login(on, 'nessuno@x.example', 'prova');
    assert.equal(!nobody.ok && nobody.reason, 'throttled', 'as if there were somebody');
    clock += 60_001;
    assert.equal((await login(on, ADDRESS, PASSWORD)).ok, true);
  });

  it('lets the suspended in and the revoked out, as things are at the end', async () => {
    const on = accounts();
    const address = 'stato@pec.alfa.example';
    await on.addMailbox(address, PASSWORD);
    await on.suspend(address);
    const suspended = await login(on, address, PASSWORD);
    assert.equal(suspended.ok && suspended.mailbox.state, 'suspended');
    const first = scramFirst(address);
    const start = await asked(on, first);
    await on.revoke(address);
    const { message } = scramFinal(first, start.challenge, PASSWORD);
    const revoked = { ok: false, reason: 'revoked', user: address };
    assert.deepEqual(await start.finish(Buffer.from(message)), revoked);
    const guess = await login(on, address, 'altra parola');
    assert.equal(!guess.ok && guess.reason, 'bad', 'only who knows the password is told');
  });

  it('gives an account of before its credential at the first login with the password', async () => {
    const on = accounts();
    const address = 'vecchia@pec.alfa.example';
    const { passwordHash } = await on.addMailbox(address, PASSWORD);
    await store.write('setMailbox', { address, passwordHash });
    assert.equal(await scramOf(address), undefined);
    const before = await login(on, address, PASSWORD);
    assert.equal(!before.ok && before.reason, 'bad');
    assert.deepEqual(await on.authenticate({ address, password: 'no', remote: HERE }), {
      ok: false,
      reason: 'bad',
    });
    assert.equal(await scramOf(address), undefined, 'not from a wrong one');
    assert.equal((await on.authenticate({ address, password: PASSWORD, remote: HERE })).ok, true);
    const made = await scramOf(address);
    assert.equal((await login(on, address, PASSWORD)).ok, true);
    assert.equal((await on.authenticate({ address, password: PASSWORD, remote: HERE })).ok, true);
    assert.deepEqual(await scramOf(address), made, 'once');
  });

  it('forgets the old password when it is changed, within an exchange too', async () => {
    const on = accounts();
    const address = 'cambia@pec.alfa.example';
    await on.addMailbox(address, PASSWORD);
    const old = await scramOf(address);
    const first = scramFirst(address);
    const start = await asked(on, first);
    await on.setPassword(address, 'un altro segreto');
    assert.notDeepEqual((await scramOf(address))?.salt, old?.salt);
    const late = await start.finish(Buffer.from(scramFinal(first, start.challenge, PASSWORD).message));
    assert.equal(!late.ok && late.reason, 'bad');
    assert.equal((await login(on, address, 'un altro segreto')).ok, true);
    const { mailbox } = await store.read('findLogin', { address });
    assert.ok(mailbox && old);
    const stale = { mailboxId: mailbox.id, passwordHash: 'of another time', credential: old };
    assert.equal(await store.write('addScram', stale), false);
    assert.equal((await login(on, address, 'un altro segreto')).ok, true);
  });
});
