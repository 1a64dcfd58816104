/** SCRAM-SHA-256 over IMAP, under TLS and with a real store. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { needs } from '../support/programs.js';
import { runProgram } from '../support/run-program.js';
import { scramFinal, scramFirst } from '../support/scram-client.js';
import { Dialogue } from './dialogue.js';
import { PASSWORD, type RealImap, startRealImap, USER } from './support/real-imap.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const text = (line: string): string => Buffer.from(line.slice(2), 'base64').toString();

let real: RealImap;
before(async () => {
  real = await startRealImap();
});
after(() => real.stop());

async function open(tlsVersion?: 'TLSv1.2'): Promise<Dialogue> {
  const client = await Dialogue.open(real.port, { tls: true, tlsVersion });
  await client.hear();
  return client;
}

/** The octets of a binding as a client has them. */
const channels: Readonly<Record<string, (client: Dialogue) => Buffer>> = {
  'tls-exporter': ({ tlsSocket }) =>
    tlsSocket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
  'tls-server-end-point': ({ tlsSocket }) =>
    createHash('sha256').update(tlsSocket.getPeerCertificate().raw).digest(),
};

interface How {
  readonly plus?: string;
  readonly header?: string;
  readonly channel?: Buffer;
  readonly password?: string;
  readonly user?: string;
  /** Whether the first message comes with the command (RFC 4959). */
  readonly initial?: boolean;
  /** What the client says instead of its messages. */
  readonly change?: (message: string) => string;
}

/** Plays the exchange to its end. @returns the tagged answer */
async function logIn(client: Dialogue, how: How = {}): Promise<string> {
  const { plus, password = PASSWORD, user = USER, initial = true, change = (message) => message } = how;
  const first = scramFirst(user, how.header ?? (plus === undefined ? 'n,,' : `p=${plus},,`));
  const channel = how.channel ?? (plus === undefined ? undefined : channels[plus]?.(client));
  const name = `SCRAM-SHA-256${plus === undefined ? '' : '-PLUS'}`;
  if (initial) client.say(`a AUTHENTICATE ${name} ${base64(first)}\r\n`);
  else {
    client.say(`a AUTHENTICATE ${name}\r\n`);
    assert.equal(await client.hear(), '+ ');
    client.say(`${base64(first)}\r\n`);
  }
  const challenge = await client.hear();
  if (!challenge.startsWith('+ ')) return challenge;
  const { message, signature } = scramFinal(first, text(challenge), password, channel);
  client.say(`${base64(change(message))}\r\n`);
  const last = await client.hear();
  if (!last.startsWith('+ ')) return last;
  assert.equal(text(last), signature);
  client.say('\r\n');
  return client.hear();
}

const refused = /^a NO \[AUTHENTICATIONFAILED\] /;

describe('AUTHENTICATE SCRAM-SHA-256', () => {
  it('is offered under TLS with and without -PLUS, and logs in with the initial response and without', async () => {
    for (const initial of [true, false]) {
      const client = await open();
      const [capability = ''] = await client.expect('CAPABILITY');
      assert.match(capability, / AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN SASL-IR/);
      assert.match(await logIn(client, { initial }), /^a OK \[CAPABILITY /);
      await client.expect('SELECT INBOX');
      client.close();
    }
  });

  it('binds to the connection: tls-exporter (RFC 9266) and tls-server-end-point (RFC 5929 4)', async () => {
    for (const plus of Object.keys(channels)) {
      const client = await open();
      assert.match(await logIn(client, { plus }), /^a OK /, plus);
      client.close();
    }
    const old = await open('TLSv1.2');
    assert.match((await old.expect('CAPABILITY')).join(), /AUTH=SCRAM-SHA-256-PLUS/);
    assert.match(await logIn(old, { plus: 'tls-exporter', channel: Buffer.alloc(32) }), refused);
    assert.match(await logIn(old, { plus: 'tls-unique', channel: Buffer.alloc(12) }), refused);
    assert.match(await logIn(old, { plus: 'tls-server-end-point' }), /^a OK /);
    old.close();
  });

  it('refuses the octets of another connection, a wrong proof, a wrong name, who was not told of -PLUS', async () => {
    const other = await open();
    const client = await open();
    const elsewhere = channels['tls-exporter']?.(other);
    assert.match(await logIn(client, { plus: 'tls-exporter', channel: elsewhere as Buffer }), refused);
    assert.match(await logIn(client, { header: 'y,,' }), refused);
    assert.match(await logIn(client, { password: 'sbagliata' }), refused);
    assert.match(await logIn(client, { user: 'nessuno@alfa.example' }), refused);
    // The fifth of a connection is the last.
    assert.match(await logIn(client, { password: 'sbagliata' }), refused);
    assert.equal(await client.hear(), '* BYE Troppi errori / Too many errors');
    other.close();
  });

  it('refuses messages that are none, another nonce, a proof played again; and goes on', async () => {
    const client = await open();
    const malformed = 'a BAD Risposta SASL non valida / Malformed SASL response';
    let recorded = '';
    const record = (message: string) => {
      recorded = message;
      return message;
    };
    assert.match(await logIn(await open(), { change: record }), /^a OK /);
    assert.equal(await logIn(client, { change: () => recorded }), malformed);
    assert.equal(await logIn(client, { change: (message) => message.replace(/r=./, 'r=') }), malformed);
    assert.equal(await logIn(client, { change: (message) => `${message}A` }), malformed);
    assert.equal(await logIn(client, { change: () => '' }), malformed);
    assert.equal(await logIn(client, { change: (message) => `x=${'x'.repeat(6000)},${message}` }), malformed);
    for (const first of ['', 'n', 'n,,n=user', `n,,n=${'x'.repeat(9000)},r=n`])
      assert.equal(
        (await client.ask(`AUTHENTICATE SCRAM-SHA-256 ${base64(first) || '='}`)).at(-1),
        malformed.slice(2),
      );
    client.say(`b AUTHENTICATE SCRAM-SHA-256\r\n${'A'.repeat(100_000)}\r\n`);
    assert.equal(await client.hear(), '+ ');
    assert.match(await client.hear(), /^b BAD /);
    assert.match(await logIn(client), /^a OK /);
    client.close();
  });

  it('is taken back by a star at every step, the last one too', async () => {
    const client = await open();
    const cancelled = 'BAD Autenticazione annullata / Authentication cancelled';
    client.say('b AUTHENTICATE SCRAM-SHA-256\r\n');
    assert.equal(await client.hear(), '+ ');
    client.say('*\r\n');
    assert.equal(await client.hear(), `b ${cancelled}`);
    const first = scramFirst(USER);
    client.say(`c AUTHENTICATE SCRAM-SHA-256 ${base64(first)}\r\n`);
    await client.hear();
    client.say('*\r\n');
    assert.equal(await client.hear(), `c ${cancelled}`);
    client.say(`d AUTHENTICATE SCRAM-SHA-256 ${base64(first)}\r\n`);
    const { message } = scramFinal(first, text(await client.hear()), PASSWORD);
    client.say(`${base64(message)}\r\n`);
    assert.match(text(await client.hear()), /^v=/);
    // The server's signature was not what the client had computed.
    client.say('*\r\n');
    assert.equal(await client.hear(), `d ${cancelled}`);
    assert.match(await client.answer('SELECT INBOX'), /^BAD /);
    // Something where nothing more is to be said.
    client.say(`e AUTHENTICATE SCRAM-SHA-256 ${base64(first)}\r\n`);
    const again = scramFinal(first, text(await client.hear()), PASSWORD);
    client.say(`${base64(again.message)}\r\n`);
    await client.hear();
    client.say('AAAA\r\n');
    assert.match(await client.hear(), /^e BAD Risposta SASL/);
    assert.match(await client.answer('SELECT INBOX'), /^BAD /);
    client.close();
  });

  it('a client that goes away in the middle leaves nothing behind', async () => {
    const client = await open();
    client.say(`a AUTHENTICATE SCRAM-SHA-256 ${base64(scramFirst(USER))}\r\n`);
    await client.hear();
    client.close();
    await client.gone();
    const next = await open();
    assert.match(await logIn(next), /^a OK /);
    next.close();
  });

  it('tells the log of logins and of failures as PLAIN does', async () => {
    const names = () =>
      real.telemetry.recorded
        .filter(({ name }) => name.startsWith('login.'))
        .map(({ name, fields }) => [name, (fields as { reason?: string }).reason]);
    const client = await open();
    const from = names().length;
    await logIn(client, { password: 'sbagliata' });
    await logIn(client, { header: 'y,,' });
    await logIn(client, { plus: 'tls-exporter', channel: Buffer.alloc(32) });
    await logIn(client);
    assert.deepEqual(names().slice(from), [
      ['login.failed', 'bad'],
      ['login.failed', 'downgrade'],
      ['login.failed', 'binding'],
      ['login.ok', undefined],
    ]);
    client.close();
  });
});

/** imaplib knows nothing of SCRAM; hashlib and ssl know all that it takes. */
const PYTHON = `
import base64, hashlib, hmac, imaplib, os, ssl, sys
port, ca, user, password, binding = int(sys.argv[1]), *sys.argv[2:6]
client = imaplib.IMAP4_SSL('localhost', port, ssl_context=ssl.create_default_context(cafile=ca))
assert 'AUTH=SCRAM-SHA-256-PLUS' in client.capabilities, client.capabilities
channel = hashlib.sha256(client.sock.getpeercert(True)).digest() if binding else b''
header = f'p={binding},,' if binding else 'n,,'
bare = f'n={user},r={base64.b64encode(os.urandom(18)).decode()}'
state = {'step': 0}
def mac(key, text): return hmac.new(key, text.encode(), hashlib.sha256).digest()
def answer(challenge):
    state['step'] += 1
    if state['step'] == 1: return header + bare
    if state['step'] == 2:
        first = challenge.decode()
        fields = dict(field.split('=', 1) for field in first.split(','))
        assert fields['r'].startswith(bare.split('r=', 1)[1]) and int(fields['i']) >= 4096
        salted = hashlib.pbkdf2_hmac('sha256', password.encode(), base64.b64decode(fields['s']), int(fields['i']))
        without = f"c={base64.b64encode(header.encode() + channel).decode()},r={fields['r']}"
        messages = f'{bare},{first},{without}'
        key = mac(salted, 'Client Key')
        signature = mac(hashlib.sha256(key).digest(), messages)
        state['server'] = base64.b64encode(mac(mac(salted, 'Server Key'), messages)).decode()
        return f"{without},p={base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()}"
    assert challenge.decode() == 'v=' + state['server'], challenge
    return ''
client.authenticate('SCRAM-SHA-256-PLUS' if binding else 'SCRAM-SHA-256', answer)
assert state['step'] == 3
print(client.select('INBOX')[0])
client.logout()
`;

describe('a client that is none of ours', { skip: needs('python3') }, () => {
  for (const binding of ['', 'tls-server-end-point'])
    it(`Python logs in ${binding === '' ? 'unbound' : `bound by ${binding}`}`, async () => {
      const out = await runProgram('python3', [
        '-c',
        PYTHON,
        String(real.port),
        real.caFile,
        USER,
        PASSWORD,
        binding,
      ]);
      assert.equal(out.toString().trim(), 'OK');
    });
});
