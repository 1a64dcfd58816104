/** SCRAM-SHA-256 over POP3 (RFC 5034), with the passwords of a store. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { scramFinal, scramFirst } from '../support/scram-client.js';
import { Dialogue } from './dialogue.js';
import { type RealMailboxes, startRealMailboxes } from './real-mailboxes.js';

const USER = 'anna@alfa.example';
const PASSWORD = 'perché no!';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const text = (line: string): string => Buffer.from(line.slice(2), 'base64').toString();

describe('AUTH SCRAM-SHA-256', () => {
  let real: RealMailboxes;
  before(async () => {
    real = await startRealMailboxes();
  });
  after(() => real.stop());

  const open = async (): Promise<Dialogue> => {
    const client = await Dialogue.open(real.port);
    await client.hear();
    return client;
  };

  /** @returns the last answer */
  async function logIn(client: Dialogue, how: { plus?: Buffer; password?: string; header?: string } = {}) {
    const { plus, password = PASSWORD, header = plus === undefined ? 'n,,' : 'p=tls-exporter,,' } = how;
    const first = scramFirst(USER, header);
    const challenge = await client.ask(
      `AUTH SCRAM-SHA-256${plus === undefined ? '' : '-PLUS'} ${base64(first)}`,
    );
    if (!challenge.startsWith('+ ')) return challenge;
    const { message, signature } = scramFinal(first, text(challenge), password, plus);
    const last = await client.ask(base64(message));
    if (!last.startsWith('+ ')) return last;
    assert.equal(text(last), signature);
    return client.ask('');
  }
  const exported = ({ tlsSocket }: Dialogue) =>
    tlsSocket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));

  it('logs in, unbound and bound to the connection', async () => {
    for (const bound of [false, true]) {
      const client = await open();
      assert.match(await logIn(client, bound ? { plus: exported(client) } : {}), /^\+OK 0 messages/);
      assert.match(await client.ask('STAT'), /^\+OK 0 0/);
      await client.ask('QUIT');
      client.close();
    }
  });

  it('asks for the first message when it did not come with the command', async () => {
    const client = await open();
    assert.equal(await client.ask('AUTH scram-sha-256'), '+ ');
    const first = scramFirst(USER);
    const challenge = await client.ask(base64(first));
    const last = await client.ask(base64(scramFinal(first, text(challenge), PASSWORD).message));
    assert.match(text(last), /^v=/);
    assert.match(await client.ask(''), /^\+OK /);
    await client.ask('QUIT');
    client.close();
  });

  it('refuses a wrong password, another connection, who was not told of -PLUS', async () => {
    const client = await open();
    const other = await open();
    assert.match(await logIn(client, { password: 'sbagliata' }), /^-ERR \[AUTH\] Nome utente o password/);
    assert.match(await logIn(client, { plus: exported(other) }), /^-ERR \[AUTH\] Accesso non legato/);
    assert.match(await logIn(client, { header: 'y,,' }), /^-ERR \[AUTH\] Accesso non legato/);
    assert.match(await logIn(client), /^\+OK /);
    client.close();
    other.close();
  });

  it('refuses what is no message, and is taken back by a star at each step', async () => {
    const client = await open();
    for (const first of ['n,,n=x', '']) {
      await client.ask('AUTH SCRAM-SHA-256');
      assert.match(await client.ask(base64(first)), /^-ERR Risposta SASL/);
    }
    await client.ask('AUTH SCRAM-SHA-256');
    assert.match(await client.ask('A'.repeat(5000)), /^-ERR Riga troppo lunga/);
    await client.ask('AUTH SCRAM-SHA-256');
    assert.match(await client.ask('*'), /^-ERR Autenticazione annullata/);
    const first = scramFirst(USER);
    const challenge = await client.ask(`AUTH SCRAM-SHA-256 ${base64(first)}`);
    assert.match(await client.ask('*'), /^-ERR Autenticazione annullata/);
    const old = scramFinal(first, text(challenge), PASSWORD).message;
    const next = await client.ask(`AUTH SCRAM-SHA-256 ${base64(first)}`);
    assert.match(await client.ask(base64(old)), /^-ERR Risposta SASL/, 'of the exchange before');
    assert.notEqual(next, challenge);
    const last = await client.ask(`AUTH SCRAM-SHA-256 ${base64(first)}`);
    await client.ask(base64(scramFinal(first, text(last), PASSWORD).message));
    assert.match(await client.ask('*'), /^-ERR Autenticazione annullata/);
    assert.match(await client.ask('STAT'), /^-ERR /, 'nobody is logged in');
    assert.match(await logIn(client), /^\+OK /);
    client.close();
  });
});
