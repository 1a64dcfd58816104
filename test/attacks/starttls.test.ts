/**
 * Who sits on the wire can write into what goes in clear, and can leave lines out of it. Nothing said before TLS counts
 * under it, nothing secret is said before it, and what must go under TLS goes under it or not at all. Real processes, raw
 * sockets.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { letter } from '../e2e/letters.js';
import { Dialogue as Pop3Dialogue } from '../pop3/dialogue.js';
import { selfSigned } from '../smtp/certificate.js';
import { Dialogue } from '../smtp/dialogue.js';
import { FakePeer, type Manners } from '../smtp/fake-peer.js';
import { addRoute, type Pair, step, twoGestori } from '../support/gestore.js';

const POP3 = 110;
const implicit = [465, 995, 443] as const;
/** Ports that begin in clear, with what asks for TLS there. */
const starting = [
  { port: 25, command: 'STARTTLS', ready: /^220 / },
  { port: 587, command: 'STARTTLS', ready: /^220 / },
  { port: POP3, command: 'STLS', ready: /^\+OK/ },
] as const;

/** Ports of the standard layout, 110 included, on alfa. */
const portOf = ({ alfa }: Pair, standard: number): number => alfa.port(25) - 25 + standard;

/** A TLS session as those settings make it; rejects when the server will not have it. */
async function handshake(pair: Pair, standard: number, how: ConnectionOptions): Promise<TLSSocket> {
  const port = portOf(pair, standard);
  const begin = starting.find((one) => one.port === standard);
  const socket = connectTcp({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  if (begin !== undefined) {
    await once(socket, 'data');
    if (standard !== POP3) {
      socket.write('EHLO client.example\r\n');
      await once(socket, 'data');
    }
    socket.write(`${begin.command}\r\n`);
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), begin.ready);
  }
  const secured = connect({ socket, rejectUnauthorized: false, ...how });
  try {
    await once(secured, 'secureConnect');
    return secured;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** OpenSSL's own floor out of the way, so that it is the server that refuses. */
const anything = 'ALL:@SECLEVEL=0';
const refused: readonly (readonly [string, ConnectionOptions])[] = [
  ['TLS 1.0', { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: anything }],
  ['TLS 1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: anything }],
  ['RSA key exchange', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-SHA256:AES128-SHA' }],
  ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA' }],
  ['no authentication', { maxVersion: 'TLSv1.2', ciphers: 'aNULL:@SECLEVEL=0' }],
  ['a SHA-1 signature', { maxVersion: 'TLSv1.2', sigalgs: 'RSA+SHA1', ciphers: 'ECDHE:@SECLEVEL=0' }],
];
const accepted: readonly (readonly [string, ConnectionOptions])[] = [
  ['TLS 1.3', { minVersion: 'TLSv1.3' }],
  ['TLS 1.2, AES-GCM', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }],
  ['TLS 1.2, ChaCha20', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-CHACHA20-POLY1305' }],
  ['TLS 1.2, P-256', { maxVersion: 'TLSv1.2', ecdhCurve: 'P-256' }],
];

test('the listeners', async (t) => {
  const prepare = async ({ alfa }: Pair): Promise<void> => {
    // As a gestore runs that is no trial.
    await alfa.run(['config', 'set', 'testing', 'false']);
    await alfa.run(['config', 'set', 'listen.pop3', String(alfa.port(25) - 25 + POP3)]);
  };
  const pair = await twoGestori(t, { prepare });

  for (const standard of [...implicit, ...starting.map(({ port }) => port)]) {
    await step(t, pair, `port ${standard}: versions, ciphers, renegotiation, tickets`, async () => {
      for (const [name, how] of refused) {
        await assert.rejects(handshake(pair, standard, how), `${name} on ${standard}`);
      }
      for (const [name, how] of accepted) {
        const session = await handshake(pair, standard, how).catch((error: unknown) => {
          throw new Error(`${name} on ${standard}`, { cause: error });
        });
        session.destroy();
      }
      await noRenegotiation(pair, standard);
      await noResumption(pair, standard);
    });
  }

  for (const { port, command } of starting.filter((one) => one.port !== POP3)) {
    for (const more of [1, 250]) {
      await step(t, pair, `port ${port}: ${more} commands in clear behind ${command}`, async () => {
        const dialogue = await Dialogue.open(portOf(pair, port));
        await dialogue.hear();
        await dialogue.ask('EHLO client.example');
        const injected = `${'NOOP\r\n'.repeat(more)}EHLO injected.example\r\nMAIL FROM:<a@b.example>\r\n`;
        dialogue.say(`${command}\r\n${injected}`);
        assert.match(await dialogue.hear(), /^220 /);
        await dialogue.startTls();
        // No answer to the injected commands, no EHLO, no MAIL: the session under TLS knows nothing of them.
        assert.match(await dialogue.ask('RCPT TO:<a@b.example>'), /^503 5\.5\.1 .*EHLO/);
        assert.match(await dialogue.ask('EHLO client.example'), /^250-/);
        assert.match(await dialogue.ask('VRFY end'), /^502 /);
        dialogue.close();
      });
    }
  }

  await step(t, pair, `port ${POP3}: commands in clear behind STLS`, async () => {
    const dialogue = await Pop3Dialogue.open(portOf(pair, POP3), { tls: false });
    await dialogue.hear();
    dialogue.say('STLS\r\nCAPA\r\n');
    assert.match(await dialogue.hear(), /^-ERR .*STLS/);
    assert.match(await dialogue.hear(), /^\+OK/);
    dialogue.close();
  });

  await step(t, pair, 'no password before TLS: not offered, not taken', () => noPasswordInClear(pair));
});

async function noRenegotiation(pair: Pair, standard: number): Promise<void> {
  const session = await handshake(pair, standard, { maxVersion: 'TLSv1.2' });
  const outcome = await new Promise<string>((resolve) => {
    session.on('error', () => resolve('refused'));
    session.on('close', () => resolve('refused'));
    session.renegotiate({ rejectUnauthorized: false }, (error) =>
      resolve(error === null ? 'done' : 'refused'),
    );
  });
  assert.equal(outcome, 'refused', `renegotiation on ${standard}`);
  session.destroy();
}

async function noResumption(pair: Pair, standard: number): Promise<void> {
  const first = await handshake(pair, standard, { maxVersion: 'TLSv1.2' });
  const session = first.getSession();
  first.destroy();
  if (session === undefined) return;
  const second = await handshake(pair, standard, { maxVersion: 'TLSv1.2', session });
  assert.equal(second.isSessionReused(), false, `resumption on ${standard}`);
  second.destroy();
}

async function noPasswordInClear(pair: Pair): Promise<void> {
  const { address, password } = pair.alfa.account('anna');
  const token = Buffer.from(`\0${address}\0${password}`).toString('base64');
  const dialogue = await Dialogue.open(portOf(pair, 587));
  await dialogue.hear();
  const greeting = await dialogue.ask('EHLO client.example');
  assert.doesNotMatch(greeting, /AUTH/);
  assert.match(greeting, /STARTTLS/);
  assert.match(await dialogue.ask(`AUTH PLAIN ${token}`), /^538 5\.7\.11 /);
  assert.match(await dialogue.ask('AUTH PLAIN'), /^538 /);
  assert.match(await dialogue.ask('AUTH LOGIN'), /^538 /);
  assert.match(await dialogue.ask(`MAIL FROM:<${address}>`), /^530 /);
  await dialogue.ask('STARTTLS');
  await dialogue.startTls();
  assert.match(await dialogue.ask('EHLO client.example'), /AUTH PLAIN LOGIN/);
  assert.match(await dialogue.ask(`AUTH PLAIN ${token}`), /^235 /);
  dialogue.close();

  const mx = await Dialogue.open(portOf(pair, 25));
  await mx.hear();
  assert.doesNotMatch(await mx.ask('EHLO client.example'), /AUTH/);
  assert.match(await mx.ask(`AUTH PLAIN ${token}`), /^50\d /);
  mx.close();

  const pop3 = await Pop3Dialogue.open(portOf(pair, POP3), { tls: false });
  await pop3.hear();
  const capabilities = await pop3.askBody('CAPA');
  assert.match(capabilities, /STLS/);
  assert.doesNotMatch(capabilities, /USER|SASL/);
  assert.match(await pop3.ask(`USER ${address}`), /^-ERR .*STLS/);
  assert.match(await pop3.ask(`AUTH PLAIN ${token}`), /^-ERR .*STLS/);
  pop3.close();
}

suite('the relay', () => {
  const own = selfSigned('mallory.example');
  const offering = ['PIPELINING', 'STARTTLS', '8BITMIME'];
  /** What somebody between the gestori can do, and why the mail stays here. */
  const attacks: readonly (readonly [string, Manners, RegExp])[] = [
    ['leaves STARTTLS out', { extensions: ['PIPELINING', '8BITMIME'] }, /offers no STARTTLS/],
    ['says EHLO is unknown', { ehlo: '500 5.5.1 Unknown' }, /500/],
    ['shows a certificate of its own', { extensions: offering, tls: own }, /starttls: /],
    [
      'puts a reply in clear behind the 220',
      { extensions: offering, tls: own, injected: '250 injected\r\n' },
      /data in clear/,
    ],
  ];

  test('certified mail does not leave in clear, nor to somebody who is not the peer', async (t) => {
    const peer = new FakePeer();
    const port = await peer.listen();
    t.after(() => peer.close());
    const pair = await twoGestori(t, {
      prepare: async ({ alfa, beta }) => addRoute(alfa, beta.domain, port, beta.caFile),
    });
    const { alfa, beta } = pair;
    const to = [beta.address('bruno')];
    for (const [name, manners, reason] of attacks) {
      await step(t, pair, `somebody ${name}`, async () => {
        peer.behave(manners);
        const content = letter({ from: alfa.address('anna'), to, subject: 'segreto' });
        assert.equal((await alfa.submit(alfa.account('anna'), { to, content })).code, 250);
        // It waits, to be tried again. One that is being tried just now cannot be dropped.
        for (const { id } of await rowsOnceTried(pair, reason)) await alfa.try(['queue', 'drop', String(id)]);
      });
    }
    assert.ok(peer.connections > 0);
    assert.deepEqual(peer.messages, []);
    for (const heard of peer.chunks) assert.doesNotMatch(heard, /MAIL FROM|segreto/i);
  });
});

interface Row {
  readonly id: number;
  readonly attempts: number;
  readonly lastError: string;
}

/** What waits in alfa's queue, once it was tried and failed for that reason. */
async function rowsOnceTried({ alfa }: Pair, reason: RegExp): Promise<readonly Row[]> {
  for (const deadline = Date.now() + 60_000; ; await sleep(50)) {
    const rows = JSON.parse(await alfa.run(['queue', 'list', '--json'])) as Row[];
    const tried = rows.filter(({ attempts, lastError }) => attempts > 0 && reason.test(lastError));
    if (tried.length > 0) return tried;
    if (Date.now() > deadline) throw new Error(`not tried for ${reason}: ${JSON.stringify(rows)}`);
  }
}
