/** What no mail program says: each gets a clear tagged answer, and the session goes on. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../relay/house.js';
import { Dialogue } from './dialogue.js';
import { startImap, type TestImapServer } from './support/imap-server.js';

let server: TestImapServer;
before(async () => {
  server = await startImap({ limits: { append: 1_000_000 } });
});
after(() => server.stop());

const loggedIn = (user: string): Promise<Dialogue> => Dialogue.loggedIn(server.port, `${user}@alfa.example`);
const inbox = (user: string): Promise<Dialogue> => Dialogue.inFolder(server.port, `${user}@alfa.example`);

async function mailboxOf(user: string): Promise<number> {
  const mailbox = await server.store.read('findMailbox', { address: `${user}@alfa.example` });
  assert.ok(mailbox !== undefined);
  return mailbox.id;
}

/** Files that hold octets of messages: in the spool, and blobs. */
async function filesLeft({ folder }: TestImapServer): Promise<string[]> {
  const places = ['spool', 'blobs'].map((place) =>
    readdir(join(folder, place), { recursive: true, withFileTypes: true }),
  );
  return (await Promise.all(places))
    .flat()
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

const message = (text: string): string => `Subject: ${text}\r\n\r\n${text}\r\n`;

describe('a literal that is too large', () => {
  it('is refused before it is sent, or passed over where it comes unasked (RFC 7888 4)', async () => {
    const client = await inbox('l1');
    assert.match(await client.answer('SEARCH TEXT {70000}'), /^NO \[TOOBIG\]/);
    assert.match(
      await client.answer(`SEARCH TEXT {70000+}\r\n${'x NOOP\r\n'.repeat(8750)}`),
      /^NO \[TOOBIG\]/,
    );
    assert.match(await client.answer('APPEND INBOX {1000001}'), /^NO \[TOOBIG\]/);
    assert.match(
      await client.answer(`APPEND INBOX {1000001+}\r\n${'y'.repeat(1_000_001)}`),
      /^NO \[TOOBIG\]/,
    );
    assert.match(await client.answer('SEARCH TEXT {99999999999999}'), /^BAD/);
    // Many that are small are one that is large.
    const many = `OR TEXT {9999+}\r\n${'z'.repeat(9999)} `.repeat(20);
    assert.match((await client.ask(`SEARCH ${many}`)).at(-1) ?? '', /^NO \[TOOBIG\]/);
    await client.expect('NOOP');
    client.close();
  });

  it('is held shorter before the login', async () => {
    const client = await Dialogue.open(server.port);
    await client.hear();
    assert.match(await client.answer('LOGIN {50000}'), /^NO \[TOOBIG\]/);
    assert.match(await client.answer(`LOGIN {50000+}\r\n${'x'.repeat(50_000)} pass`), /^NO \[TOOBIG\]/);
    await client.expect('LOGIN l2@alfa.example pass');
    client.close();
  });
});

describe('strings and lines that do not end', () => {
  it('are no command', async () => {
    const client = await Dialogue.open(server.port);
    await client.hear();
    assert.match(await client.answer('LOGIN "anna'), /^BAD A quoted string does not end/);
    assert.match(await client.answer('LOGIN "anna" "pass\\"'), /^BAD A quoted string does not end/);
    assert.match(await client.answer('LOGIN "anna\\'), /^BAD A quoted string does not end/);
    assert.match(await client.answer(`LOGIN "${'a'.repeat(30_000)}`), /^BAD/);
    assert.match(await client.answer(`NOOP ${'a'.repeat(100_000)}`), /^BAD Comando troppo lungo/);
    await client.expect('LOGIN s1@alfa.example pass');
    await client.expect('SELECT INBOX');
    assert.match(await client.answer('SEARCH HEADER "Subject" "uno'), /^BAD/);
    assert.match(await client.answer('FETCH 1 (BODY[HEADER.FIELDS ("Subject'), /^BAD/);
    await client.expect('NOOP');
    client.say('x'.repeat(400_000));
    assert.match(await client.hear(), /^\* BYE Riga senza fine/);
    await client.gone();
  });
});

describe('a message that is none', () => {
  it('with NUL, or with line ends that are not CRLF, is refused and leaves nothing behind', async () => {
    const client = await inbox('m1');
    const large = 'x\r\n'.repeat(40_000);
    for (const wrong of [
      'a\0b\r\n',
      'a\nb\r\n',
      'a\rb\r\n',
      `${large}\n`,
      `${large}\0`,
      'Subject: x\r\n\r\na\r',
    ])
      assert.match(await client.append('INBOX', wrong), /^NO \[CANNOT\] Il messaggio/, JSON.stringify(wrong));
    // One of several: none is stored.
    const [good, bad] = [message('uno'), 'a\nb\r\n'];
    const answer = await client.answer(
      `APPEND INBOX {${good.length}+}\r\n${good} {${bad.length}+}\r\n${bad}`,
    );
    assert.match(answer, /^NO \[CANNOT\]/);
    assert.deepEqual(await client.expect('STATUS INBOX (MESSAGES UIDNEXT)'), [
      '* STATUS INBOX (MESSAGES 0 UIDNEXT 1)',
    ]);
    assert.deepEqual(await filesLeft(server), []);
    assert.match(await client.append('INBOX', good), /^OK \[APPENDUID/);
    client.close();
  });

  it('whose client goes away in the middle leaves nothing behind', async () => {
    const client = await loggedIn('m2');
    client.say(`a APPEND INBOX {500000+}\r\n${'x'.repeat(300_000)}`);
    client.finish();
    await client.gone();
    const other = await inbox('m2');
    await until(async () => (await filesLeft(server)).length === 0);
    assert.deepEqual(await other.expect('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 0)']);
    other.close();
  });
});

describe('a message over the quota', () => {
  it('is refused before it is sent, or when another came first; no octet of it stays', async () => {
    const full = await startImap({ quota: 200_000 });
    const open = () => Dialogue.loggedIn(full.port, 'q@alfa.example');
    const [one, other] = [await open(), await open()];
    assert.match(await one.answer('APPEND INBOX {200001}'), /^NO \[OVERQUOTA\]/);
    assert.match(await one.append('INBOX', 'x'.repeat(200_001)), /^NO \[OVERQUOTA\]/);
    // Both are told to go on: there is room for one of them.
    const large = `${'x'.repeat(150_000)}\r\n`;
    for (const client of [one, other]) {
      client.say(`a APPEND INBOX {${large.length}}\r\n`);
      assert.match(await client.hear(), /^\+ /);
    }
    const answers: (string | undefined)[] = [];
    for (const [at, client] of [one, other].entries()) {
      client.say(`${large.replace('x', String(at))}\r\n`);
      answers.push((await client.until('a')).at(-1));
    }
    assert.match(answers[0] ?? '', /^OK \[APPENDUID/);
    assert.match(answers[1] ?? '', /^NO \[OVERQUOTA\]/);
    assert.match((await one.expect('GETQUOTA ""')).join(), /STORAGE 147 195/);
    const hour = 3_600_000;
    await full.store.sweep({ now: Date.now() + 2 * hour });
    assert.equal((await filesLeft(full)).length, 1, 'the message that was taken');
    await other.expect('SELECT INBOX');
    await other.expect('STORE 1 +FLAGS.SILENT (\\Deleted)');
    await other.expect('EXPUNGE');
    assert.match(await other.append('INBOX', large), /^OK/);
    one.close();
    other.close();
    await full.stop();
  });
});

describe('sets and searches without measure', () => {
  it('name ten thousand messages in one command', async () => {
    const client = await inbox('z1');
    const messages = Array.from({ length: 40 }, (_, at) => message(`n${at}`));
    const appended = messages.map((text) => `{${text.length}+}\r\n${text}`).join(' ');
    assert.match(await client.answer(`APPEND INBOX ${appended}`), /^OK/);
    const odd = Array.from({ length: 10_000 }, (_, at) => 2 * at + 1).join(',');
    const found = await client.expect(`UID FETCH ${odd} (UID)`);
    assert.equal(found.filter((line) => line.includes('FETCH')).length, 20);
    assert.deepEqual(await client.expect(`UID SEARCH UID ${odd} NOT UID 5:*`), ['* SEARCH 1 3']);
    await client.expect(`UID STORE ${odd} +FLAGS.SILENT (\\Flagged)`);
    assert.match((await client.expect('SEARCH RETURN (COUNT) FLAGGED')).join(), /COUNT 20$/);
    assert.match(await client.answer(`UID COPY ${odd} Archivio`), /^OK \[COPYUID/);
    assert.match(await client.answer(`FETCH ${odd} (UID)`), /^BAD Numero di messaggio inesistente/);
    assert.match(await client.answer('UID FETCH 1:4294967295,4294967295:1,*:1 (UID)'), /^OK/);
    assert.match(await client.answer('UID FETCH 4294967296 (UID)'), /^BAD/);
    assert.match(await client.answer('UID FETCH 0 (UID)'), /^BAD/);
    assert.match(await client.answer(`UID FETCH ${'1,'.repeat(20_001)}1 (UID)`), /^BAD The set is too long/);
    client.close();
  });

  it('go only so deep', async () => {
    const client = await inbox('z2');
    const most = 30_000;
    assert.match(await client.answer(`SEARCH ${'('.repeat(most)}ALL${')'.repeat(most)}`), /^BAD .*too deep/);
    assert.match(await client.answer(`SEARCH ${'NOT '.repeat(10_000)}ALL`), /^BAD .*too deep/);
    assert.match(await client.answer(`SEARCH ${'OR ALL '.repeat(5_000)}ALL`), /^BAD .*too deep/);
    assert.match(await client.answer(`SEARCH${' ALL'.repeat(10_000)}`), /^BAD There are too many keys/);
    assert.match(await client.answer(`SEARCH (${'TEXT a '.repeat(900)}ALL)`), /^OK/);
    assert.match(await client.answer(`FETCH 1 (${'BODY[1.1.1] '.repeat(300)}UID)`), /^BAD/);
    assert.match(await client.answer(`FETCH 1 BODY[${'1.'.repeat(1000)}1]`), /^BAD/);
    assert.match(await client.answer(`LIST "" "${'*%'.repeat(5_000)}"`), /^(OK|NO|BAD)/);
    assert.match(await client.answer(`CREATE ${'a/'.repeat(5_000)}b`), /^NO \[CANNOT\]/);
    assert.match(await client.answer(`STORE 1:* FLAGS (${'k '.repeat(5_000)}k)`), /^BAD/);
    await client.expect('NOOP');
    client.close();
  });
});

describe('commands out of their time', () => {
  const always = ['CAPABILITY', 'NOOP', 'ID NIL'];
  const early = ['LOGIN a b', 'AUTHENTICATE PLAIN', 'STARTTLS'];
  const later = [
    'ENABLE CONDSTORE',
    'SELECT INBOX',
    'EXAMINE INBOX',
    'CREATE x',
    'DELETE x',
    'RENAME x y',
    'SUBSCRIBE x',
    'UNSUBSCRIBE x',
    'LIST "" *',
    'LSUB "" *',
    'NAMESPACE',
    'STATUS INBOX (MESSAGES)',
    'APPEND INBOX {3+}\r\nabc',
    'IDLE',
    'GETQUOTA ""',
    'GETQUOTAROOT INBOX',
  ];
  const within = [
    'CHECK',
    'CLOSE',
    'UNSELECT',
    'EXPUNGE',
    'SEARCH ALL',
    'FETCH 1 FLAGS',
    'STORE 1 FLAGS ()',
    'COPY 1 x',
    'MOVE 1 x',
    'SORT (DATE) UTF-8 ALL',
    'THREAD REFERENCES UTF-8 ALL',
    'UID FETCH 1 FLAGS',
    'UID STORE 1 FLAGS ()',
    'UID SEARCH ALL',
    'UID COPY 1 x',
    'UID MOVE 1 x',
    'UID EXPUNGE 1',
    'UID SORT (DATE) UTF-8 ALL',
    'UID THREAD REFERENCES UTF-8 ALL',
  ];

  it('are refused as such, whatever the state (RFC 9051 3)', async () => {
    const patient = await startImap({ limits: { badCommands: 1000 } });
    const client = await Dialogue.open(patient.port);
    await client.hear();
    const refused = async (commands: readonly string[]) => {
      for (const command of commands)
        assert.match(await client.answer(command), /^BAD .* non ammesso ora/, command);
      for (const command of always) assert.match(await client.answer(command), /^OK/, command);
    };
    await refused([...later, ...within]);
    await client.expect('LOGIN w1@alfa.example pass');
    await refused([...early, ...within]);
    await client.expect('SELECT INBOX');
    await refused(early);
    await client.expect('UNSELECT');
    await refused(within);
    client.close();
    await patient.stop();
  });

  it('count, and end the session in the end', async () => {
    const client = await Dialogue.open(server.port);
    await client.hear();
    client.say('x CHECK\r\n'.repeat(60));
    const answers: string[] = [];
    for (let heard = await client.hear(); heard !== 'closed'; heard = await client.hear())
      answers.push(heard);
    assert.equal(answers.length, 51);
    assert.equal(answers.at(-1), '* BYE Troppi errori / Too many errors');
  });
});

describe('a folder that goes while it is open', () => {
  it('is empty for who had it open; nothing of it can be had, and nothing put into it', async () => {
    const [one, other] = [await loggedIn('d1'), await loggedIn('d1')];
    await one.expect('CREATE x');
    for (const text of ['uno', 'due']) await one.append('x', message(text));
    await one.expect('SELECT x');
    await other.expect('DELETE x');
    // No EXPUNGE inside FETCH (RFC 9051 7.5.1): the numbers stand, what they name is gone.
    assert.match(
      (await one.ask('FETCH 1:2 (FLAGS BODY.PEEK[])')).join('\n'),
      /^(OK|NO \[EXPUNGEISSUED\])[^\n]*$/,
    );
    assert.deepEqual(await one.expect('NOOP'), ['* 2 EXPUNGE', '* 1 EXPUNGE']);
    assert.match(await one.answer('FETCH 1 FLAGS'), /^BAD Numero di messaggio inesistente/);
    for (const command of [
      'SEARCH ALL',
      'UID FETCH 1:* FLAGS',
      'EXPUNGE',
      'UID STORE 1 +FLAGS (\\Seen)',
      'CHECK',
    ])
      assert.match(await one.answer(command), /^(OK|NO \[NONEXISTENT\])/, command);
    assert.match(await one.append('x', message('tre')), /^NO \[TRYCREATE\]/);
    assert.match(await one.answer('CLOSE'), /^(OK|NO \[NONEXISTENT\])/);
    assert.match(await one.answer('SELECT x'), /^NO \[NONEXISTENT\]/);
    assert.deepEqual(
      server.telemetry.recorded.filter(({ name }) => name === 'session.failed'),
      [],
    );
    one.close();
    other.close();
  });

  it('is told of to who waits in IDLE', async () => {
    const [one, other] = [await loggedIn('d2'), await loggedIn('d2')];
    await one.expect('CREATE x');
    await one.append('x', message('uno'));
    await one.expect('SELECT x');
    one.say('i IDLE\r\n');
    assert.match(await one.hear(), /^\+ /);
    await other.expect('DELETE x');
    assert.equal(await one.hear(), '* 1 EXPUNGE');
    one.say('DONE\r\n');
    assert.match((await one.until('i')).join(), /^OK/);
    one.close();
    other.close();
  });

  it('and comes again under its name is another folder, of another UIDVALIDITY', async () => {
    const [one, other] = [await loggedIn('d3'), await loggedIn('d3')];
    await one.expect('CREATE x');
    await one.append('x', message('vecchio'));
    await one.expect('ENABLE QRESYNC');
    const validity = (lines: readonly string[]) => Number(/UIDVALIDITY ([0-9]+)/.exec(lines.join())?.[1]);
    const first = validity(await one.expect('SELECT x'));
    await other.expect('DELETE x');
    await other.expect('CREATE x');
    for (const text of ['nuovo', 'altro']) await other.append('x', message(text));
    // The session stands in the old folder: of the new one it sees nothing, and does nothing to it.
    const seen = await one.ask('UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])');
    assert.ok(!seen.join().includes('nuovo'), seen.join());
    assert.deepEqual(seen.slice(0, -1), ['* VANISHED 1']);
    await one.ask('UID STORE 1:* +FLAGS (\\Deleted)');
    await one.ask('UID EXPUNGE 1:*');
    await one.ask('CLOSE');
    assert.equal((await server.mailstore.list(await mailboxOf('d3'), 'x')).length, 2);
    // RFC 7162 3.2.5.1: a client that knows the old UIDVALIDITY is told to forget all.
    const again = await one.expect(`SELECT x (QRESYNC (${first} 1 1))`);
    assert.ok(validity(again) > first, `${validity(again)} after ${first}`);
    assert.ok(again.includes('* 2 EXISTS'));
    assert.ok(!again.some((line) => /VANISHED|FETCH/.test(line)), again.join('\n'));
    one.close();
    other.close();
  });
});
