import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Connections } from '../../src/limits/index.js';
import { SmtpError } from '../../src/smtp/index.js';
import { needs } from '../support/programs.js';
import { Dialogue } from './dialogue.js';
import { startListener } from './listener.js';

const login = Buffer.from('\0anna\0segreto').toString('base64');
const wrong = Buffer.from('\0anna\0sbagliata').toString('base64');

async function session<T>(
  listener: Awaited<ReturnType<typeof startListener>>,
  run: (dialogue: Dialogue) => Promise<T>,
  secure = false,
): Promise<T> {
  const dialogue = await Dialogue.open(listener.port, secure);
  try {
    return await run(dialogue);
  } finally {
    dialogue.close();
    await listener.stop();
  }
}

const plays = async (script: string, ...start: Parameters<typeof startListener>) => {
  const listener = await startListener(...start);
  const difference = await session(
    listener,
    (dialogue) => dialogue.play(script),
    start[0]?.mode === 'implicit',
  );
  assert.equal(difference, undefined);
  return listener;
};

describe('what the listener says', () => {
  it('greets, names its extensions and takes a message', async () => {
    const listener = await startListener();
    await session(listener, async (dialogue) => {
      assert.equal(await dialogue.hear(), '220 mail.alfa.example ESMTP Ceralacca');
      assert.equal(
        await dialogue.ask('EHLO mail.beta.example'),
        [
          '250-mail.alfa.example',
          '250-PIPELINING',
          '250-8BITMIME',
          '250-SMTPUTF8',
          '250-ENHANCEDSTATUSCODES',
          '250-STARTTLS',
          '250-SIZE 1000000',
          '250 LIMITS RCPTMAX=500',
        ].join('\n'),
      );
      assert.equal(
        await dialogue.ask('MAIL FROM:<anna@beta.example> SIZE=100 BODY=8BITMIME'),
        '250 2.1.0 OK',
      );
      assert.equal(await dialogue.ask('RCPT TO:<Bruno@Alfa.Example>'), '250 2.1.5 OK');
      assert.match(await dialogue.ask('DATA'), /^354 /);
      assert.equal(await dialogue.ask('Subject: x\r\n\r\n..punto\r\n.'), '250 2.0.0 messaggio-1');
      assert.equal(await dialogue.ask('QUIT'), '221 2.0.0 Arrivederci / Bye');
    });
    assert.deepEqual(listener.taken[0]?.envelope, {
      mailFrom: 'anna@beta.example',
      recipients: ['Bruno@Alfa.Example'],
      eightBit: true,
      smtpUtf8: false,
    });
    assert.equal(listener.taken[0]?.bytes.toString(), 'Subject: x\r\n\r\n.punto\r\n');
    assert.equal(listener.taken[0]?.peer.protocol, 'ESMTP');
    assert.equal(listener.taken[0]?.peer.tls, undefined);
  });

  it('answers a whole pipelined transaction in order', async () => {
    await plays(`
      S: 220
      C: EHLO a
      S: 250
      C: MAIL FROM:<>
      C: RCPT TO:<a@alfa.example>
      C: RCPT TO:<bad
      C: DATA
      S: 250 2.1.0
      S: 250 2.1.5
      S: 501 5.1.3
      S: 354
      C: A: b
      C:
      C: .
      C: NOOP
      S: 250 2.0.0 messaggio-1
      S: 250 2.0.0 OK`);
  });

  it('refuses with an enhanced code and one sentence in two languages', async () => {
    await plays(`
      S: 220
      C: MAIL FROM:<a@b.it>
      S: 503 5.5.1 Inviare prima EHLO / Send EHLO first
      C: EHLO a
      S: 250
      C: RCPT TO:<a@b.it>
      S: 503 5.5.1 Sequenza di comandi errata / Bad sequence of commands
      C: MAIL FROM:a@b.it
      S: 501 5.1.7 Indirizzo del mittente non valido / Bad sender address syntax
      C: MAIL FROM:<a@b.it> SIZE=1000001
      S: 552 5.3.4 Messaggio troppo grande / Message exceeds the maximum size
      C: MAIL FROM:<a@b.it> BODY=BINARYMIME
      S: 501 5.5.4
      C: MAIL FROM:<a@b.it> REQUIRETLS
      S: 530 5.7.0
      C: MAIL FROM:<a@b.it> FOO=1
      S: 555 5.5.4 Parametro FOO non riconosciuto / Parameter FOO not recognized
      C: MAIL FROM:<à@b.it>
      S: 553 5.6.7
      C: VRFY anna
      S: 502 5.5.1 Comando non disponibile / Command not implemented
      C: XCLIENT ADDR=1.2.3.4
      S: 502 5.5.1
      C: WIZ x
      S: 500 5.5.2 Comando non riconosciuto / Command not recognized
      C: MAIL FROM:<à@b.it> SMTPUTF8
      S: 250 2.1.0
      C: DATA
      S: 503 5.5.1`);
  });

  it('keeps addresses as they were written', async () => {
    const listener = await plays(`
      S: 220
      C: EHLO a
      S: 250
      C: MAIL FROM:<"a b>"@Xn--Caff-8oa.Example>
      S: 250
      C: RCPT TO:<@relay.example:Anna.Rossi@[IPv6:::1]>
      S: 250
      C: RCPT TO:<postmaster>
      S: 250
      C: RCPT TO:<POSTMASTER>
      S: 250
      C: DATA
      S: 354
      C: .
      S: 250`);
    assert.equal(listener.taken[0]?.envelope.mailFrom, '"a b>"@Xn--Caff-8oa.Example');
    assert.deepEqual(listener.taken[0]?.envelope.recipients, ['Anna.Rossi@[IPv6:::1]', 'POSTMASTER']);
    assert.equal(listener.taken[0]?.length, 0);
  });

  it('stops at the hard number of recipients', async () => {
    await plays(
      `S: 220
       C: EHLO a
       S: 250
       C: MAIL FROM:<a@b.it>
       S: 250
       C: RCPT TO:<a@b.it>
       S: 250
       C: RCPT TO:<b@b.it>
       S: 250
       C: RCPT TO:<c@b.it>
       S: 452 4.5.3 Troppi destinatari / Too many recipients
       C: RCPT TO:<B@b.it>
       S: 250`,
      { recipients: 2 },
    );
  });

  it('passes on what a handler refuses, and tells nothing of other errors', async () => {
    const refusal = new SmtpError({
      code: 550,
      enhanced: '5.1.1',
      publicText: 'Casella inesistente: perché? / No mailbox',
    });
    const listener = await plays(
      `S: 220
       C: EHLO a
       S: 250
       C: MAIL FROM:<a@b.it>
       S: 250
       C: RCPT TO:<nessuno@b.it>
       S: 550 5.1.1 Casella inesistente: perche? / No mailbox
       C: RCPT TO:<b@b.it>
       S: 250
       C: DATA
       S: 354
       C: .
       S: 451 4.3.0 Errore temporaneo, riprovare / Temporary local error, try again later`,
      {},
      {
        rcptTo: async (address) => {
          if (address.startsWith('nessuno')) throw refusal;
        },
        data: async () => {
          throw new Error('SQLITE_FULL: /data/secret.db');
        },
      },
    );
    assert.equal(listener.reported[0], refusal);
    assert.match(String(listener.reported[1]), /SQLITE_FULL/);
  });
});

describe('authentication and TLS', () => {
  it('on the STARTTLS submission port wants TLS first and offers AUTH only under it', async () => {
    const listener = await startListener({ submission: true, mode: 'required', smtpUtf8: false });
    await session(listener, async (dialogue) => {
      await dialogue.hear();
      const before = await dialogue.ask('EHLO client');
      assert.doesNotMatch(before, /AUTH|SMTPUTF8/);
      assert.match(before, /STARTTLS/);
      assert.match(await dialogue.ask(`AUTH PLAIN ${login}`), /^538 5\.7\.11 /);
      assert.match(await dialogue.ask('MAIL FROM:<anna@alfa.example>'), /^530 5\.7\.0 /);
      // Whatever comes in clear behind STARTTLS is thrown away (RFC 3207 4.2).
      dialogue.say('STARTTLS\r\nMAIL FROM:<injected@evil.example>\r\n');
      assert.match(await dialogue.hear(), /^220 /);
      await dialogue.startTls();
      assert.match(await dialogue.ask('MAIL FROM:<anna@alfa.example>'), /^503 5\.5\.1 Inviare prima EHLO/);
      assert.match(await dialogue.ask('EHLO client'), /250-AUTH PLAIN LOGIN\n/);
      assert.match(
        await dialogue.ask('MAIL FROM:<anna@alfa.example>'),
        /^530 5\.7\.0 Autenticazione richiesta/,
      );
      assert.equal(
        await dialogue.ask(`AUTH PLAIN ${wrong}`),
        '535 5.7.8 Nome utente o password errati / Authentication credentials invalid',
      );
      assert.equal(
        await dialogue.ask(`AUTH PLAIN ${login}`),
        '235 2.7.0 Autenticazione riuscita / Authentication successful',
      );
      assert.match(await dialogue.ask(`AUTH PLAIN ${login}`), /^503 /);
      assert.match(await dialogue.ask('MAIL FROM:<anna@alfa.example>'), /^250 /);
      assert.match(await dialogue.ask('RCPT TO:<b@beta.example>'), /^250 /);
      assert.match(await dialogue.ask('DATA'), /^354 /);
      assert.match(await dialogue.ask('A: b\r\n.'), /^250 2\.0\.0 messaggio-1$/);
    });
    const peer = listener.taken[0]?.peer;
    assert.equal(peer?.user, 'anna');
    assert.equal(peer?.protocol, 'ESMTPSA');
    assert.equal(peer?.tls?.version, 'TLSv1.3');
  });

  it('speaks TLS at once on the implicit port, and AUTH LOGIN', async () => {
    await plays(
      `S: 220 mail.alfa.example ESMTP Ceralacca
       C: EHLO a
       S: 250
       C: AUTH LOGIN
       S: 334 VXNlcm5hbWU6
       C: ${Buffer.from('anna').toString('base64')}
       S: 334 UGFzc3dvcmQ6
       C: ${Buffer.from('segreto').toString('base64')}
       S: 235 2.7.0
       C: MAIL FROM:<anna@alfa.example>
       S: 250`,
      { submission: true, mode: 'implicit' },
    );
  });

  it('lets nobody act for another', async () => {
    await plays(
      `S: 220
       C: EHLO a
       S: 250
       C: AUTH PLAIN ${Buffer.from('bruno\0anna\0segreto').toString('base64')}
       S: 535 5.7.8`,
      { submission: true, mode: 'implicit' },
    );
  });

  it('sends away who guesses passwords', async () => {
    const guess = `C: AUTH PLAIN ${wrong}\nS: 535 5.7.8\n`;
    await plays(`S: 220\nC: EHLO a\nS: 250\n${guess.repeat(5)}S: 421 4.7.0\nS: closed`, {
      submission: true,
      mode: 'implicit',
    });
  });

  it('in testing takes AUTH in clear', async () => {
    await plays(
      `S: 220
       C: EHLO a
       S: 250
       C: AUTH PLAIN ${login}
       S: 235
       C: MAIL FROM:<anna@alfa.example>
       S: 250`,
      { submission: true, mode: 'required', insecureAuth: true },
    );
  });

  it('has no AUTH where nobody logs in', async () => {
    await plays(`
      S: 220
      C: EHLO a
      S: 250
      C: AUTH PLAIN ${login}
      S: 500 5.5.2`);
  });

  it('uses a new certificate after a reload', async () => {
    const listener = await startListener({ mode: 'implicit' });
    listener.server.reload((await import('./certificate.js')).selfSigned('nuovo.alfa.example'));
    await session(listener, async (dialogue) => assert.match(await dialogue.hear(), /^220 /), true);
  });
});

describe('what comes in DATA', () => {
  const smuggled = [
    ['\n.\n', '554 5.6.0', /LF/],
    ['\n.\r\n', '554 5.6.0', /LF/],
    ['\r.\r', '554 5.6.0', /CR/],
    ['\r\n.\n', '554 5.6.0', /LF/],
    ['\r\n.\r', '554 5.6.0', /CR/],
    ['\0', '554 5.6.0', /NUL/],
  ] as const;
  for (const [bytes, code, reason] of smuggled) {
    it(`refuses ${JSON.stringify(bytes)} and takes nothing behind it for a command`, async () => {
      const listener = await startListener();
      await session(listener, async (dialogue) => {
        await dialogue.hear();
        await dialogue.ask('EHLO a');
        await dialogue.ask('MAIL FROM:<a@b.it>');
        await dialogue.ask('RCPT TO:<c@alfa.example>');
        await dialogue.ask('DATA');
        const reply = await dialogue.ask(
          `Subject: x\r\n\r\ntext${bytes}MAIL FROM:<evil@evil.it>\r\nRCPT TO:<d@alfa.example>\r\n.`,
        );
        assert.ok(reply.startsWith(code), reply);
        assert.match(reply, reason);
        assert.equal(await dialogue.ask('NOOP'), '250 2.0.0 OK');
      });
      assert.deepEqual(listener.taken, []);
    });
  }

  it('swallows a message past the size and refuses it', async () => {
    const listener = await startListener({ size: 100_000 });
    await session(listener, async (dialogue) => {
      await dialogue.hear();
      await dialogue.ask('EHLO a');
      await dialogue.ask('MAIL FROM:<a@b.it>');
      await dialogue.ask('RCPT TO:<c@alfa.example>');
      await dialogue.ask('DATA');
      const line = Buffer.from(`${'x'.repeat(998)}\r\n`);
      for (let count = 0; count < 300; count++) await dialogue.pour(line);
      assert.match(await dialogue.ask('.'), /^552 5\.3\.4 Messaggio oltre 100000 ottetti/);
      assert.equal(await dialogue.ask('NOOP'), '250 2.0.0 OK');
      assert.deepEqual(await listener.spooled(), []);
    });
    assert.deepEqual(listener.taken, []);
  });

  it('streams 30 MB through a file that is gone afterwards', async () => {
    const listener = await startListener({ size: 40_000_000, mode: 'implicit' });
    const line = Buffer.from(`${'x'.repeat(70)}\r\n`);
    const block = Buffer.concat(Array.from({ length: 1000 }, () => line));
    const blocks = 437;
    const hash = createHash('sha256');
    for (let count = 0; count < blocks; count++) hash.update(block);
    await session(
      listener,
      async (dialogue) => {
        await dialogue.hear();
        await dialogue.ask('EHLO a');
        await dialogue.ask('MAIL FROM:<a@b.it>');
        await dialogue.ask('RCPT TO:<c@alfa.example>');
        await dialogue.ask('DATA');
        for (let count = 0; count < blocks; count++) await dialogue.pour(block);
        assert.equal(await dialogue.ask('.'), '250 2.0.0 messaggio-1');
        assert.deepEqual(await listener.spooled(), []);
      },
      true,
    );
    assert.equal(listener.taken[0]?.length, block.length * blocks);
    assert.equal(listener.taken[0]?.hash, hash.digest('hex'));
    assert.equal(listener.taken[0]?.inFile, true);
  });

  it('leaves nothing behind when the client leaves in the middle', async () => {
    const listener = await startListener();
    const dialogue = await Dialogue.open(listener.port);
    await dialogue.hear();
    await dialogue.ask('EHLO a');
    await dialogue.ask('MAIL FROM:<a@b.it>');
    await dialogue.ask('RCPT TO:<c@alfa.example>');
    await dialogue.ask('DATA');
    await dialogue.pour(Buffer.alloc(300_000, 'x'));
    while ((await listener.spooled()).length === 0) await new Promise((resolve) => setImmediate(resolve));
    dialogue.close();
    while ((await listener.spooled()).length > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(listener.taken, []);
    await listener.stop();
  });
});

describe('limits and the end', () => {
  it('takes so many connections from one address and no more', async () => {
    const listener = await startListener({
      connections: new Connections({ total: 9, ofProtocol: 9, ofSource: 1 }),
    });
    await session(listener, async (first) => {
      await first.hear();
      const second = await Dialogue.open(listener.port);
      assert.match(await second.hear(), /^421 4\.7\.0 Troppe connessioni/);
      assert.equal(await second.hear(), 'closed');
      await first.ask('QUIT');
      assert.equal(await first.hear(), 'closed');
      let greeting = '';
      while (!greeting.startsWith('220')) {
        const third = await Dialogue.open(listener.port);
        greeting = await third.hear();
        third.close();
      }
    });
  });

  it('ends a silent connection', async () => {
    await plays(
      `S: 220
       S: 421 4.4.2 Tempo scaduto / Timeout, closing connection
       S: closed`,
      { timeouts: { socket: 100, close: 2000 } },
    );
  });

  it('ends a DATA that never ends', async () => {
    await plays(
      `S: 220
       C: EHLO a
       S: 250
       C: MAIL FROM:<a@b.it>
       S: 250
       C: RCPT TO:<a@b.it>
       S: 250
       C: DATA
       S: 354
       C: A: b
       S: 421 4.4.2`,
      { timeouts: { data: 100, close: 2000 } },
    );
  });

  it('ends a command line without an end', async () => {
    await plays(
      `S: 220
       C: NOOP ${'x'.repeat(20_000)}
       S: 421 4.5.2`,
    );
  });

  it('when it closes lets a transaction end and sends the idle away', async () => {
    let arrived: () => void = () => undefined;
    let release: () => void = () => undefined;
    const inHand = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const listener = await startListener(
      {},
      {
        data: async () => {
          arrived();
          await gate;
          return 'preso';
        },
      },
    );
    const idle = await Dialogue.open(listener.port);
    await idle.hear();
    const working = await Dialogue.open(listener.port);
    await working.hear();
    await working.ask('EHLO a');
    await working.ask('MAIL FROM:<a@b.it>');
    await working.ask('RCPT TO:<a@b.it>');
    await working.ask('DATA');
    working.say('A: b\r\n.\r\n');
    await inHand;
    const stopped = listener.stop();
    assert.match(await idle.hear(), /^421 4\.3\.2 /);
    release();
    assert.equal(await working.hear(), '250 2.0.0 preso');
    assert.match(await working.hear(), /^421 4\.3\.2 /);
    idle.close();
    working.close();
    await stopped;
  });
});

const run = (program: string, parameters: string[]): Promise<number | null> =>
  new Promise((resolve) => spawn(program, parameters, { stdio: 'ignore' }).on('close', resolve));

describe('other programs', () => {
  it('swaks submits', { skip: needs('swaks') }, async () => {
    const listener = await startListener({ submission: true, mode: 'required', insecureAuth: true });
    const status = await run('swaks', [
      ...['--server', '127.0.0.1', '--port', String(listener.port), '--auth', 'PLAIN', '--pipeline'],
      ...['--auth-user', 'anna', '--auth-password', 'segreto', '--ehlo', 'client.example'],
      ...['--from', 'anna@alfa.example', '--to', 'b@beta.example'],
    ]);
    await listener.stop();
    assert.equal(status, 0);
    assert.equal(listener.taken.length, 1);
  });

  it('curl submits', { skip: needs('curl') }, async () => {
    const listener = await startListener({ submission: true, mode: 'implicit' });
    const file = join(mkdtempSync(join(tmpdir(), 'ceralacca-curl-')), 'message.eml');
    writeFileSync(file, 'Subject: x\r\n\r\n.punto\r\n');
    const status = await run('curl', [
      ...[
        '-sk',
        `smtps://127.0.0.1:${listener.port}`,
        '--user',
        'anna:segreto',
        '--mail-from',
        'anna@alfa.example',
      ],
      ...['--mail-rcpt', 'b@beta.example', '--upload-file', file],
    ]);
    await listener.stop();
    assert.equal(status, 0);
    assert.equal(listener.taken[0]?.bytes.toString(), 'Subject: x\r\n\r\n.punto\r\n');
  });

  it('python smtplib submits', { skip: needs('python3') }, async () => {
    const listener = await startListener({ submission: true, mode: 'required' });
    const program = `
import smtplib, ssl
context = ssl._create_unverified_context()
with smtplib.SMTP('127.0.0.1', ${listener.port}) as server:
    server.starttls(context=context)
    server.login('anna', 'segreto')
    print(server.sendmail('anna@alfa.example', ['b@beta.example', 'c@beta.example'], 'Subject: x\\n\\nciao'))
`;
    const status = await run('python3', ['-c', program]);
    await listener.stop();
    assert.equal(status, 0);
    assert.deepEqual(listener.taken[0]?.envelope.recipients, ['b@beta.example', 'c@beta.example']);
  });
});
