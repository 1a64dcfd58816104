import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Dialogue } from './dialogue.js';
import { type Listener, startListener } from './fakes.js';

const first = 'Subject: uno\r\n\r\nciao\r\n.punto\r\n';
const second = 'Subject: due\r\n\r\n1\r\n2\r\n3\r\n';
const plain = (text: string): string => Buffer.from(text).toString('base64');

const open: Listener[] = [];
const start = async (...how: Parameters<typeof startListener>): Promise<Listener> => {
  const listener = await startListener(...how);
  open.push(listener);
  return listener;
};
after(() => Promise.all(open.map(({ server }) => server.close())));

const login = 'C: USER anna@alfa.example\nS: +OK...\nC: PASS segreto\nS: +OK...\n';

async function play(script: string, listener?: Listener, tls = true): Promise<void> {
  const { port } = listener ?? (await start([first, second]));
  const client = await Dialogue.open(port, { tls });
  const difference = await client.play(script);
  client.close();
  assert.equal(difference, undefined);
}

describe('a session over TLS', () => {
  it('reads and deletes (RFC 1939 10)', async () => {
    const listener = await start([first, second]);
    await play(
      `S: +OK mail.alfa.example POP3 pronto / ready
       C: user anna@alfa.example
       S: +OK Send PASS
       C: pass segreto
       S: +OK 2 messages (55 octets)
       C: STAT
       S: +OK 2 55
       C: LIST
       S: +OK 2 messages (55 octets)
       S: 1 30
       S: 2 25
       S: .
       C: LIST 2
       S: +OK 2 25
       C: UIDL
       S: +OK...
       S: 1 1700000000.10
       S: 2 1700000000.20
       S: .
       C: UIDL 1
       S: +OK 1 1700000000.10
       C: RETR 1
       S: +OK 30 octets
       S: Subject: uno
       S:
       S: ciao
       S: ..punto
       S: .
       C: TOP 2 1
       S: +OK...
       S: Subject: due
       S:
       S: 1
       S: .
       C: DELE 1
       S: +OK Message 1 deleted
       C: STAT
       S: +OK 1 25
       C: LIST
       S: +OK...
       S: 2 25
       S: .
       C: NOOP
       S: +OK
       C: QUIT
       S: +OK...
       S: (closed)`,
      listener,
    );
    assert.equal(listener.mailstore.count(1), 1);
  });

  it('tells what it can, before and after the login (RFC 2449 5)', async () => {
    const both = `S: +OK...
      S: USER
      S: SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN
      S: UIDL
      S: TOP
      S: RESP-CODES
      S: AUTH-RESP-CODE
      S: PIPELINING
      S: EXPIRE NEVER
      S: IMPLEMENTATION Ceralacca
      S: .
      `;
    await play(`S: +OK...\nC: CAPA\n${both}${login}C: capa\n${both}C: CAPA x\nS: -ERR...`);
  });

  it('keeps the unique ids over sessions, and shows what was there at login', async () => {
    const listener = await start([first]);
    const client = await Dialogue.open(listener.port);
    await client.play(`S: +OK...\n${login}`);
    listener.mailstore.add(1, second);
    assert.equal(await client.askBody('UIDL'), '1 1700000000.10\r\n');
    await client.ask('QUIT');
    await play(
      `S: +OK...\n${login}C: UIDL\nS: +OK...\nS: 1 1700000000.10\nS: 2 1700000000.20\nS: .`,
      listener,
    );
  });

  it('lets a suspended holder read', async () => {
    const listener = await start();
    listener.mailstore.add(2, second);
    await play(
      `S: +OK...\nC: USER bruno@alfa.example\nS: +OK...\nC: PASS perché no\nS: +OK 1 messages...\nC: RETR 1\nS: +OK...`,
      listener,
    );
  });
});

describe('authentication', () => {
  it('takes PLAIN at once and after a challenge (RFC 5034 4)', async () => {
    await play(`S: +OK...
      C: AUTH
      S: +OK...
      S: SCRAM-SHA-256-PLUS
      S: SCRAM-SHA-256
      S: PLAIN
      S: .
      C: AUTH PLAIN ${plain('\0anna@alfa.example\0segreto')}
      S: +OK 2 messages (55 octets)
      C: AUTH PLAIN
      S: -ERR...
      C: QUIT
      S: +OK...`);
    await play(`S: +OK...
      C: AUTH plain
      S: +
      C: ${plain('anna@alfa.example\0anna@alfa.example\0segreto')}
      S: +OK 2 messages (55 octets)`);
  });

  it('takes long credentials after a challenge', async () => {
    await play(`S: +OK...
      C: AUTH PLAIN
      S: +
      C: ${plain(`\0anna@alfa.example\0${'x'.repeat(2500)}`)}
      S: -ERR [AUTH]...
      C: AUTH PLAIN
      S: +
      C: ${plain(`\0anna@alfa.example\0${'x'.repeat(4000)}`)}
      S: -ERR Riga troppo lunga...
      ${login}`);
  });

  it('refuses what is no PLAIN message, and goes on', async () => {
    const listener = await start([first], { limits: { failedLogins: Number.POSITIVE_INFINITY } });
    await play(
      `S: +OK...
      C: AUTH CRAM-MD5
      S: -ERR Metodo...
      C: AUTH PLAIN
      S: +
      C: *
      S: -ERR Autenticazione annullata...
      C: AUTH PLAIN
      S: +
      C: =AAA
      S: -ERR Risposta SASL...
      C: AUTH PLAIN =
      S: -ERR Risposta SASL...
      C: AUTH PLAIN ${plain('anna@alfa.example')}
      S: -ERR Risposta SASL...
      C: AUTH PLAIN ${plain('bruno@alfa.example\0anna@alfa.example\0segreto')}
      S: -ERR [AUTH]...
      C: AUTH PLAIN ${plain('\0anna@alfa.example\0errata')}
      S: -ERR [AUTH]...
      ${login}`,
      listener,
    );
  });

  it('says why not (RFC 3206)', async () => {
    const listener = await start();
    await play(
      `S: +OK...
      C: PASS segreto
      S: -ERR PASS non ammesso...
      C: USER anna@alfa.example
      S: +OK...
      C: PASS errata
      S: -ERR [AUTH] Nome utente o password errati / Wrong user name or password
      C: PASS segreto
      S: -ERR PASS non ammesso...
      C: USER nessuno@alfa.example
      S: +OK...
      C: PASS segreto
      S: -ERR [AUTH] Nome utente o password errati / Wrong user name or password
      C: USER carla@alfa.example
      S: +OK...
      C: PASS segreto
      S: -ERR [AUTH] Casella revocata / This mailbox has been revoked
      C: USER anna@alfa.example
      S: +OK...
      C: PASS lento
      S: -ERR [SYS/TEMP] Troppi tentativi...
      C: USER anna@alfa.example
      S: +OK...
      C: PASS ancora
      S: -ERR [AUTH]...
      S: (closed)`,
      listener,
    );
    const told = listener.telemetry.recorded
      .map(({ name }) => name)
      .filter((name) => name.startsWith('login'));
    assert.deepEqual(told, [
      'login.failed',
      'login.failed',
      'login.failed',
      'login.throttled',
      'login.failed',
    ]);
    assert.doesNotMatch(JSON.stringify(listener.telemetry.recorded), /segreto|errata|ancora/);
  });

  it('lets one POP3 session in, and the next when it ends', async () => {
    const listener = await start([first]);
    const one = await Dialogue.open(listener.port);
    assert.equal(await one.play(`S: +OK...\n${login}`), undefined);
    const busy = 'C: USER anna@alfa.example\nS: +OK...\nC: PASS segreto\nS: -ERR [IN-USE]...\n';
    await play(`S: +OK...\n${busy}`, listener);
    // The mailbox is free before the answer to QUIT is read.
    assert.match(await one.ask('QUIT'), /^\+OK/);
    const two = await Dialogue.open(listener.port);
    assert.equal(await two.play(`S: +OK...\n${login}`), undefined);
    two.close();
    for (let free = false; !free; ) {
      const three = await Dialogue.open(listener.port);
      await three.play('S: +OK...\nC: USER anna@alfa.example\nS: +OK...');
      free = (await three.ask('PASS segreto')).startsWith('+OK');
      three.close();
    }
  });

  it('answers a temporary error when the mailbox cannot be read, and frees it', async () => {
    const listener = await start([first]);
    listener.mailstore.unavailable = true;
    const client = await Dialogue.open(listener.port);
    await client.play('S: +OK...\nC: USER anna@alfa.example\nS: +OK...');
    assert.equal(
      await client.ask('PASS segreto'),
      '-ERR [SYS/TEMP] Errore temporaneo, riprovare / Temporary error, try again later',
    );
    listener.mailstore.unavailable = false;
    assert.equal(await client.play(login), undefined);
    client.close();
  });
});

describe('refused commands', () => {
  it('are answered one by one, and the session goes on', async () => {
    await play(`S: +OK...
      C: STAT
      S: -ERR STAT non ammesso...
      C: XTND XMIT
      S: -ERR Comando non riconosciuto...
      C:
      S: -ERR Comando non valido...
      ${login}
      C: USER anna@alfa.example
      S: -ERR USER non ammesso...
      C: RETR
      S: -ERR Manca un argomento...
      C: RETR uno
      S: -ERR Numero non valido...
      C: RETR 0
      S: -ERR Messaggio inesistente, ce ne sono 2...
      C: RETR 3
      S: -ERR Messaggio inesistente, ce ne sono 2...
      C: LIST 1 2
      S: -ERR Troppi argomenti...
      C: TOP 1
      S: -ERR Manca un argomento...
      C: DELE 2
      S: +OK...
      C: DELE 2
      S: -ERR Messaggio 2 gia eliminato...
      C: RETR 2
      S: -ERR Messaggio 2 gia eliminato...
      C: LIST 2
      S: -ERR Messaggio 2 gia eliminato...
      C: RSET
      S: +OK 2 messages (55 octets)
      C: LIST 2
      S: +OK 2 25
      C: APOP anna 00
      S: -ERR...
      C: ${'X'.repeat(300)}
      S: -ERR Riga troppo lunga...
      C: LIST${' '.repeat(249)}1
      S: -ERR Riga troppo lunga...
      C: LIST${' '.repeat(248)}1
      S: +OK 1 30
      C: STLS
      S: -ERR...
      C: QUIT
      S: +OK...`);
  });

  it('end the connection when there are too many', async () => {
    const listener = await start([], { limits: { badCommands: 3 } });
    await play(
      `S: +OK...\nC: GET /\nS: -ERR...\nC: Host: x\nS: -ERR...\nC: x\nS: -ERR Troppi errori...\nS: (closed)`,
      listener,
    );
  });

  it('end the connection when one has no end', async () => {
    const { port } = await start();
    const client = await Dialogue.open(port);
    await client.hear();
    client.say('x'.repeat(100_000));
    assert.match(await client.hear(), /^-ERR Riga troppo lunga/);
    assert.equal(await client.hear(), 'closed');
    client.close();
  });
});

describe('QUIT', () => {
  it('is the only way messages go', async () => {
    const listener = await start([first, second]);
    const client = await Dialogue.open(listener.port);
    await client.play(`S: +OK...\n${login}C: DELE 1\nS: +OK...`);
    client.finish();
    await client.gone();
    assert.equal(listener.mailstore.count(1), 2);
    assert.equal(listener.mailstore.expunged, 0);
  });

  it('deletes in one operation, answers after it, and frees the mailbox', async () => {
    const listener = await start([first, second]);
    const order: string[] = [];
    listener.mailstore.beforeExpunge = async () => {
      order.push('commit');
    };
    const client = await Dialogue.open(listener.port);
    await client.play(`S: +OK...\n${login}C: DELE 1\nS: +OK...\nC: DELE 2\nS: +OK...`);
    order.push(await client.ask('QUIT'));
    assert.deepEqual(order, ['commit', '+OK Arrivederci / Bye']);
    assert.equal(listener.mailstore.expunged, 1);
    assert.equal(listener.mailstore.count(1), 0);
  });

  it('deletes nothing, and says so, when the store fails', async () => {
    const listener = await start([first]);
    listener.mailstore.beforeExpunge = async () => {
      throw new Error('disk full at /secret');
    };
    await play(
      `S: +OK...\n${login}C: DELE 1\nS: +OK...\nC: QUIT\nS: -ERR [SYS/TEMP] Nessun messaggio eliminato...\nS: (closed)`,
      listener,
    );
    assert.equal(listener.mailstore.count(1), 1);
    assert.ok(listener.telemetry.recorded.some(({ name }) => name === 'store.unavailable'));
    listener.mailstore.beforeExpunge = async () => undefined;
    await play(`S: +OK...\n${login}C: STAT\nS: +OK 1 30`, listener);
  });

  it('ignores what another program has deleted meanwhile', async () => {
    const listener = await start([first, second]);
    const client = await Dialogue.open(listener.port);
    await client.play(`S: +OK...\n${login}`);
    await listener.mailstore.expunge(1, [1]);
    assert.equal(
      await client.ask('RETR 1'),
      '-ERR Messaggio eliminato da un altro programma / Message removed by another program',
    );
    assert.equal(
      await client.play('C: DELE 1\nS: +OK...\nC: DELE 2\nS: +OK...\nC: QUIT\nS: +OK...'),
      undefined,
    );
    assert.equal(listener.mailstore.count(1), 0);
  });
});

describe('without TLS', () => {
  it('no password is taken, and STLS is offered', async () => {
    const listener = await start([first], { mode: 'starttls' });
    const client = await Dialogue.open(listener.port, { tls: false });
    const script = `S: +OK...
      C: CAPA
      S: +OK...
      S: STLS
      S: UIDL
      S: TOP
      S: RESP-CODES
      S: AUTH-RESP-CODE
      S: PIPELINING
      S: EXPIRE NEVER
      S: IMPLEMENTATION Ceralacca
      S: .
      C: USER anna@alfa.example
      S: -ERR Usare prima STLS...
      C: AUTH PLAIN AAAA
      S: -ERR Usare prima STLS...
      C: STLS
      S: +OK...`;
    assert.equal(await client.play(script), undefined);
    await client.startTls();
    const secured = `C: STLS
      S: -ERR TLS risulta attivo...
      C: CAPA
      S: +OK...
      S: USER
      S: SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN`;
    assert.equal(await client.play(secured), undefined);
    await client.hearBody();
    assert.equal(
      await client.play(`${login}C: STAT\nS: +OK 1 30\nC: QUIT\nS: +OK...\nS: (closed)`),
      undefined,
    );
  });

  it('what comes with STLS is not taken for something said under TLS', async () => {
    const listener = await start([first], { mode: 'starttls' });
    const client = await Dialogue.open(listener.port, { tls: false });
    await client.hear();
    client.say('STLS\r\nCAPA\r\n');
    assert.match(await client.hear(), /^-ERR Nessun dato/);
    assert.match(await client.hear(), /^\+OK Capability/);
    client.close();
  });

  it('passwords are taken in testing', async () => {
    const listener = await start([first], { mode: 'starttls', testing: true });
    await play(`S: +OK...\n${login}C: STAT\nS: +OK 1 30`, listener, false);
  });

  it('a broken handshake ends that connection only', async () => {
    const listener = await start([first], { mode: 'starttls' });
    const client = await Dialogue.open(listener.port, { tls: false });
    await client.play('S: +OK...\nC: STLS\nS: +OK...');
    client.say('USER anna@alfa.example\r\n');
    await client.gone();
    const implicit = await start([first]);
    const stranger = await Dialogue.open(implicit.port, { tls: false });
    stranger.say('GET / HTTP/1.0\r\n\r\n');
    await stranger.gone();
    await play(`S: +OK...\n${login}`, implicit);
  });
});
