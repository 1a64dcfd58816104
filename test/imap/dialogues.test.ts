import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Dialogue } from './dialogue.js';
import { startImap, type TestImapServer } from './support/imap-server.js';

let server: TestImapServer;
before(async () => {
  server = await startImap();
});
after(() => server.stop());

async function play(script: string): Promise<void> {
  const client = await Dialogue.open(server.port);
  const difference = await client.play(script);
  client.close();
  assert.equal(difference, undefined);
}

/** A mailbox of one test. */
const as = (user: string): string => `S: * OK...\nC: l LOGIN ${user}@alfa.example pass\nS: l OK...\n`;
const plain = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const base = 'IMAP4rev1 LITERAL+';

describe('before the login', () => {
  it('greets with what it can, and answers CAPABILITY NOOP ID LOGOUT', async () => {
    await play(`
      S: * OK [CAPABILITY ${base}...
      C: a CAPABILITY
      S: * CAPABILITY ${base}...
      S: a OK Fatto / Done
      C: b noop
      S: b OK...
      C: c ID NIL
      S: * ID ("name" "Ceralacca")
      S: c OK...
      C: d ID ("name" "x" "version" NIL)
      S: * ID ("name" "Ceralacca")
      S: d OK...
      C: e LOGOUT
      S: * BYE Arrivederci / Bye
      S: e OK...
      S: (closed)`);
  });

  it('refuses what needs a login, and what it does not know', async () => {
    await play(`
      S: * OK...
      C: a SELECT INBOX
      S: a BAD SELECT non ammesso ora...
      C: b FETCH 1 FLAGS
      S: b BAD FETCH non ammesso ora...
      C: c XYZZY
      S: c BAD Comando non riconosciuto / Unknown command
      C: d UID XYZZY 1
      S: d BAD Comando non riconosciuto / Unknown command
      C: e APPEND INBOX {3}
      S: e BAD APPEND non ammesso ora...
      C: f NOOP
      S: f OK...
      C: g NOOP x
      S: g BAD Unexpected argument
      C: *
      S: * BAD A tag is missing
      C: h
      S: h BAD A space is missing`);
  });
});

describe('logging in', () => {
  it('by LOGIN with atoms, quoted strings and literals', async () => {
    await play(`${as('a1')}C: b LOGIN a b\nS: b BAD LOGIN non ammesso ora...`);
    await play('S: * OK...\nC: a LOGIN "a2@alfa.example" "pass"\nS: a OK [CAPABILITY IMAP4rev1...');
    await play(`S: * OK...
      C: a LOGIN {15}
      S: + Pronto / Ready
      C: a3@alfa.example {4+}¬pass
      S: a OK [CAPABILITY IMAP4rev1...`);
  });

  it('by AUTHENTICATE PLAIN, at once and after a challenge (RFC 4959)', async () => {
    await play(
      `S: * OK...\nC: a AUTHENTICATE PLAIN ${plain('\0a4@alfa.example\0pass')}\nS: a OK [CAPABILITY...`,
    );
    await play(`S: * OK...
      C: a authenticate plain
      S: +
      C: ${plain('a5@alfa.example\0a5@alfa.example\0pass')}
      S: a OK [CAPABILITY...`);
  });

  it('by AUTHENTICATE LOGIN', async () => {
    await play(`S: * OK...
      C: a AUTHENTICATE LOGIN
      S: + VXNlcm5hbWU6
      C: ${plain('a6@alfa.example')}
      S: + UGFzc3dvcmQ6
      C: ${plain('pass')}
      S: a OK [CAPABILITY...`);
  });

  it('refuses wrong ones, other names, other mechanisms, no base64; a star cancels', async () => {
    await play(`S: * OK...
      C: a LOGIN a7@alfa.example wrong
      S: a NO [AUTHENTICATIONFAILED] Nome utente o password errati / Wrong user name or password
      C: b AUTHENTICATE PLAIN ${plain('other@alfa.example\0a7@alfa.example\0pass')}
      S: b NO [AUTHENTICATIONFAILED]...
      C: c AUTHENTICATE GSSAPI
      S: c NO [CANNOT]...
      C: d AUTHENTICATE PLAIN
      S: +
      C: *
      S: d BAD Autenticazione annullata...
      C: e AUTHENTICATE PLAIN ??
      S: e BAD Risposta SASL non valida...
      C: f AUTHENTICATE PLAIN =
      S: f BAD Risposta SASL non valida...
      C: g AUTHENTICATE PLAIN
      S: +
      C: {3+}¬abc
      S: g BAD Risposta SASL non valida...
      C: h AUTHENTICATE PLAIN
      S: +
      C: ${'A'.repeat(50_000)}
      S: h BAD...
      C: i NOOP
      S: i OK...`);
  });
});

describe('folders', () => {
  it('are listed with their uses and whether they hold others (RFC 9051 6.3.9)', async () => {
    await play(`${as('f1')}
      C: a LIST "" ""
      S: * LIST (\\Noselect) "/" ""
      S: a OK...
      C: b LIST "" INB%
      S: * LIST (\\HasNoChildren) "/" INBOX
      S: b OK...
      C: c CREATE uno/due
      S: c OK...
      C: d LIST "" uno*
      S: * LIST (\\HasChildren) "/" uno
      S: * LIST (\\HasNoChildren) "/" uno/due
      S: d OK...
      C: e LIST uno/ %
      S: * LIST (\\HasNoChildren) "/" uno/due
      S: e OK...
      C: f LIST (SUBSCRIBED) "" uno* RETURN (CHILDREN)
      S: f OK...
      C: g LIST (RECURSIVEMATCH) "" *
      S: g BAD RECURSIVEMATCH...
      C: h LIST (FOO) "" *
      S: h BAD Opzione sconosciuta...
      C: i LIST "" (INBOX uno) RETURN (STATUS (MESSAGES UIDNEXT))
      S: * LIST () "/" INBOX
      S: * STATUS INBOX (MESSAGES 0 UIDNEXT 1)
      S: * LIST () "/" uno
      S: * STATUS uno (MESSAGES 0 UIDNEXT 1)
      S: i OK...`);
  });

  it('are made, renamed, removed; each refusal says why', async () => {
    await play(`${as('f2')}
      C: a CREATE uno
      S: a OK...
      C: b CREATE uno
      S: b NO [ALREADYEXISTS]...
      C: c CREATE uno//due
      S: c NO [CANNOT]...
      C: d CREATE "a%b"
      S: d NO [CANNOT]...
      C: e CREATE uno/due/
      S: e OK...
      C: f RENAME uno tre
      S: f OK...
      C: g SELECT tre/due
      S: * FLAGS...
      S: * OK [PERMANENTFLAGS...
      S: * 0 EXISTS
      S: * 0 RECENT
      S: * OK [UIDVALIDITY...
      S: * OK [UIDNEXT 1]...
      S: * OK [HIGHESTMODSEQ...
      S: * OK [MAILBOXID...
      S: g OK [READ-WRITE]...
      C: h RENAME uno quattro
      S: h NO [NONEXISTENT]...
      C: i RENAME tre INBOX
      S: i NO [ALREADYEXISTS]...
      C: j DELETE inbox
      S: j NO [CANNOT]...
      C: k DELETE nessuna
      S: k NO [NONEXISTENT]...
      C: l DELETE tre/due
      S: l OK...
      C: m DELETE tre
      S: m OK...
      C: n SELECT tre
      S: n NO [NONEXISTENT]...`);
  });

  it('take a special use once (RFC 6154)', async () => {
    await play(`${as('f3')}
      C: a CREATE spediti (USE (\\Sent))
      S: a NO [USEATTR]...
      C: b CREATE x (USE (\\Qualcosa))
      S: b NO [USEATTR]...`);
    const client = await Dialogue.loggedIn(server.port, 'f3@alfa.example');
    const uses = (await client.expect('LIST (SPECIAL-USE) "" *')).map((line) => /\((.*)\)/.exec(line)?.[1]);
    assert.deepEqual(uses.sort(), ['\\Archive', '\\Drafts', '\\Sent', '\\Trash']);
    const [trash] = (await client.expect('LIST (SPECIAL-USE) "" *')).filter((line) => line.includes('Trash'));
    await client.expect(`DELETE ${trash?.slice(trash.indexOf('"/" ') + 4)}`);
    await client.expect('CREATE vecchi (USE (\\Trash))');
    assert.deepEqual(await client.expect('LIST "" vecchi'), ['* LIST (\\HasNoChildren \\Trash) "/" vecchi']);
    client.close();
  });

  it('are subscribed to, whether they are there or not (RFC 9051 6.3.7)', async () => {
    await play(`${as('f4')}
      C: a SUBSCRIBE sogno
      S: a OK...
      C: b LSUB "" sog*
      S: * LSUB () "/" sogno
      S: b OK...
      C: c LIST (SUBSCRIBED) "" sogno
      S: * LIST (\\NonExistent \\Subscribed) "/" sogno
      S: c OK...
      C: d UNSUBSCRIBE sogno
      S: d OK...
      C: e LSUB "" sog*
      S: e OK...`);
  });

  it('have names in modified UTF-7, and in UTF-8 once it is enabled (RFC 6855)', async () => {
    const utf8 = Buffer.from('perché').toString('latin1');
    await play(`${as('f5')}
      C: a CREATE perch&AOk-
      S: a OK...
      C: b LIST "" perch*
      S: * LIST (\\HasNoChildren) "/" "perch&AOk-"
      S: b OK...
      C: c ENABLE UTF8=ACCEPT NOTHING
      S: * ENABLED UTF8=ACCEPT
      S: c OK...
      C: d LIST "" "${utf8}"
      S: * LIST (\\HasNoChildren) "/" "${utf8}"
      S: d OK...
      C: e ENABLE UTF8=ACCEPT
      S: * ENABLED
      S: e OK...`);
  });

  it('have a status, a namespace and a quota', async () => {
    await play(`${as('f6')}
      C: a STATUS INBOX (MESSAGES RECENT UNSEEN DELETED SIZE UIDNEXT)
      S: * STATUS INBOX (MESSAGES 0 RECENT 0 UNSEEN 0 DELETED 0 SIZE 0 UIDNEXT 1)
      S: a OK...
      C: b STATUS nessuna (MESSAGES)
      S: b NO [NONEXISTENT]...
      C: c STATUS INBOX (COLORE)
      S: c BAD Dato sconosciuto...
      C: d NAMESPACE
      S: * NAMESPACE (("" "/")) NIL NIL
      S: d OK...
      C: e GETQUOTAROOT INBOX
      S: * QUOTAROOT INBOX ""
      S: * QUOTA "" (STORAGE 0 9765625)
      S: e OK...
      C: f GETQUOTA ""
      S: * QUOTA "" (STORAGE 0 9765625)
      S: f OK...
      C: g GETQUOTA altra
      S: g NO [NONEXISTENT]...`);
  });

  it('are opened, looked at, left (RFC 9051 6.3.2, 6.4.1; RFC 3691)', async () => {
    await play(`${as('f7')}
      C: a EXAMINE INBOX
      S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
      S: * OK [PERMANENTFLAGS ()] Indicatori / Flags
      S: * 0 EXISTS
      S: * 0 RECENT
      S: * OK [UIDVALIDITY...
      S: * OK [UIDNEXT 1] UIDNEXT
      S: * OK [HIGHESTMODSEQ...
      S: * OK [MAILBOXID...
      S: a OK [READ-ONLY]...
      C: b EXPUNGE
      S: b NO [READ-ONLY]...
      C: c STORE 1 +FLAGS (\\Seen)
      S: c NO [READ-ONLY]...
      C: d CHECK
      S: d OK...
      C: e CLOSE
      S: e OK...
      C: f CHECK
      S: f BAD CHECK non ammesso ora...
      C: g SELECT INBOX (FOO)
      S: g BAD Parametro sconosciuto...
      C: h SELECT INBOX (QRESYNC (1 1))
      S: h BAD QRESYNC: usare prima ENABLE...
      C: i SELECT nessuna
      S: i NO [NONEXISTENT]...
      C: j UNSELECT
      S: j BAD UNSELECT non ammesso ora...`);
  });

  it('leaves none open after a SELECT that failed', async () => {
    const client = await Dialogue.inFolder(server.port, 'f8@alfa.example');
    assert.match(await client.answer('SELECT nessuna'), /^NO \[NONEXISTENT\]/);
    assert.match(await client.answer('CHECK'), /^BAD/);
    client.close();
  });
});
