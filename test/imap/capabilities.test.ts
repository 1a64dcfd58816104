/** What an operator hides from a mailbox is not there for it: not listed, and its commands and arguments as if unknown. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { hideableCapabilities } from '../../src/imap/index.js';
import { Dialogue } from './dialogue.js';
import { PASSWORD, startImap, type TestImapServer } from './support/imap-server.js';

const MESSAGE = 'Subject: x\r\n\r\n';
const literal = `{${MESSAGE.length}+}\r\n${MESSAGE}`;

/** What comes with each capability: answered OK, or BAD where it is hidden. A new capability needs its row. */
const examples: Readonly<Record<string, readonly string[]>> = {
  APPENDLIMIT: ['STATUS INBOX (APPENDLIMIT)'],
  BINARY: [
    'FETCH 1 BINARY.PEEK[1]',
    'FETCH 1 BINARY.SIZE[1]',
    `APPEND INBOX ~${literal}`,
    `UID REPLACE * INBOX ~${literal}`,
  ],
  CHILDREN: ['LIST "" * RETURN (CHILDREN)'],
  'COMPRESS=DEFLATE': [],
  CONDSTORE: [
    'FETCH 1 MODSEQ',
    'FETCH 1 FLAGS (CHANGEDSINCE 1)',
    'STORE 1 (UNCHANGEDSINCE 99999) FLAGS (\\Seen)',
    'SEARCH MODSEQ 1',
    'SEARCH OR NOT (SEEN MODSEQ 1) ALL',
    'STATUS INBOX (HIGHESTMODSEQ)',
    'SELECT INBOX (CONDSTORE)',
  ],
  'CREATE-SPECIAL-USE': ['CREATE due (USE ())'],
  ENABLE: ['ENABLE CONDSTORE'],
  ESEARCH: ['SEARCH RETURN (COUNT) ALL', 'UID SEARCH RETURN () ALL'],
  ESORT: ['SORT RETURN (COUNT) (DATE) UTF-8 ALL'],
  ID: ['ID NIL'],
  IDLE: [],
  'LIST-EXTENDED': ['LIST (SUBSCRIBED) "" *', 'LIST "" (INBOX Bozze)'],
  'LIST-STATUS': ['LIST "" INBOX RETURN (STATUS (MESSAGES))'],
  'LITERAL+': ['STATUS {5+}\r\nINBOX (MESSAGES)', `APPEND INBOX ${literal}`],
  MOVE: ['MOVE 1 Archivio', 'UID MOVE 999 Archivio'],
  MULTIAPPEND: [`APPEND INBOX ${literal} ${literal}`],
  NAMESPACE: ['NAMESPACE'],
  OBJECTID: ['FETCH 1 (EMAILID THREADID)', 'SEARCH EMAILID x', 'STATUS INBOX (MAILBOXID)'],
  PREVIEW: ['FETCH 1 PREVIEW'],
  QRESYNC: ['UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)'],
  QUOTA: ['GETQUOTA ""', 'GETQUOTAROOT INBOX'],
  'QUOTA=RES-STORAGE': ['GETQUOTA ""'],
  REPLACE: [`REPLACE * INBOX ${literal}`, `UID REPLACE * INBOX ${literal}`],
  SAVEDATE: ['FETCH 1 SAVEDATE', 'SEARCH SAVEDSINCE 1-Jan-2020', 'SEARCH SAVEDATESUPPORTED'],
  SEARCHRES: [
    'SEARCH RETURN (SAVE) ALL',
    'FETCH $ FLAGS',
    'STORE $ +FLAGS (\\Seen)',
    'SEARCH $',
    'COPY $ Archivio',
  ],
  SORT: ['SORT (DATE) UTF-8 ALL', 'UID SORT (DATE) UTF-8 ALL'],
  'SORT=DISPLAY': ['SORT (DISPLAYFROM) UTF-8 ALL'],
  'SPECIAL-USE': ['LIST (SPECIAL-USE) "" *', 'LIST "" * RETURN (SPECIAL-USE)'],
  'STATUS=SIZE': ['STATUS INBOX (SIZE)', 'LIST "" INBOX RETURN (STATUS (SIZE))'],
  'THREAD=ORDEREDSUBJECT': ['THREAD ORDEREDSUBJECT UTF-8 ALL'],
  'THREAD=REFERENCES': ['THREAD REFERENCES UTF-8 ALL', 'UID THREAD REFERENCES UTF-8 ALL'],
  UIDPLUS: ['UID EXPUNGE 999'],
  UNSELECT: ['UNSELECT'],
  'UTF8=ACCEPT': [`APPEND INBOX UTF8 (~${literal})`],
  WITHIN: ['SEARCH YOUNGER 10', 'SEARCH NOT OLDER 10'],
};

/** Commands that go on after their first line, or change the connection. */
const conversations: Readonly<Record<string, string>> = {
  IDLE: 'IDLE',
  'COMPRESS=DEFLATE': 'COMPRESS DEFLATE',
};

let server: TestImapServer;
before(async () => {
  server = await startImap({ compress: true });
});
after(() => server.stop());

let users = 0;
/** A mailbox with one message, from which these are hidden. */
async function mailbox(...hidden: string[]): Promise<string> {
  users += 1;
  const address = `u${users}@alfa.example`;
  const client = await Dialogue.loggedIn(server.port, address);
  await client.append('INBOX', MESSAGE);
  client.close();
  for (const capability of hidden)
    await server.store.write('setCapability', { address, capability, hidden: true });
  return address;
}

async function enter(address: string): Promise<Dialogue> {
  const client = await Dialogue.loggedIn(server.port, address);
  await client.expect('SELECT INBOX');
  return client;
}

const listed = async (client: Dialogue): Promise<string[]> =>
  (await client.expect('CAPABILITY')).join().split(' ').slice(2);
const named = (names: readonly string[]): string[] => names.map((name) => name.replace(/=[0-9]+$/, ''));

describe('a hidden capability', () => {
  it('can be any but IMAP itself and what counts before the login', () => {
    assert.deepEqual([...hideableCapabilities()], Object.keys(examples).sort());
  });

  for (const [capability, commands] of Object.entries(examples)) {
    it(`${capability} is listed no more, and what comes with it is unknown`, async () => {
      const open = await enter(await mailbox());
      assert.ok(named(await listed(open)).includes(capability));
      const closed = await enter(await mailbox(capability));
      assert.equal(named(await listed(closed)).includes(capability), false);
      const enabling = capability === 'QRESYNC' ? 'ENABLE QRESYNC' : 'NOOP';
      await open.expect(enabling);
      await closed.expect(enabling);
      for (const command of commands) {
        assert.match(await open.answer(command), /^OK/, command);
        assert.match(await closed.answer(command), /^BAD /, command);
        assert.match(await closed.answer('NOOP'), /^OK/, `after ${command}`);
      }
      const conversation = conversations[capability];
      if (conversation !== undefined)
        assert.equal(await closed.answer(conversation), 'BAD Comando non riconosciuto / Unknown command');
      open.close();
      closed.close();
    });
  }

  it('takes with it what needs it', async () => {
    const client = await enter(await mailbox('CONDSTORE', 'ENABLE', 'SORT'));
    const names = await listed(client);
    for (const name of ['QRESYNC', 'UTF8=ACCEPT', 'ESORT', 'SORT=DISPLAY'])
      assert.equal(names.includes(name), false, name);
    assert.ok(names.includes('ESEARCH'));
    client.close();
  });

  it('is not listed in the answer to the login either, nor told of in what is opened', async () => {
    const address = await mailbox('CONDSTORE', 'OBJECTID', 'CHILDREN', 'SPECIAL-USE');
    const client = await Dialogue.open(server.port);
    assert.match(await client.hear(), / CONDSTORE /, 'before the login nobody is anybody');
    assert.doesNotMatch(await client.answer(`LOGIN ${address} ${PASSWORD}`), /CONDSTORE|QRESYNC|OBJECTID/);
    assert.doesNotMatch((await client.expect('SELECT INBOX')).join(), /HIGHESTMODSEQ|MAILBOXID/);
    assert.equal((await client.expect('LIST "" Bozze')).join(), '* LIST () "/" Bozze');
    client.close();
  });

  it('is passed over by ENABLE, like any name that is not known (RFC 5161 3.1)', async () => {
    const client = await enter(await mailbox('QRESYNC', 'UTF8=ACCEPT'));
    const told = await client.expect('ENABLE QRESYNC CONDSTORE UTF8=ACCEPT');
    assert.equal(told.at(-1), '* ENABLED CONDSTORE');
    client.close();
  });

  it('is hidden and shown from the next login on, and from one mailbox only', async () => {
    const address = await mailbox();
    const other = await enter(await mailbox());
    const running = await enter(address);
    await server.store.write('setCapability', { address, capability: 'MOVE', hidden: true });
    assert.match(await running.answer('UID MOVE 999 Archivio'), /^OK/);
    const next = await enter(address);
    assert.match(await next.answer('UID MOVE 999 Archivio'), /^BAD /);
    await server.store.write('setCapability', { address, capability: 'MOVE', hidden: false });
    const last = await enter(address);
    assert.match(await last.answer('UID MOVE 999 Archivio'), /^OK/);
    assert.match(await other.answer('UID MOVE 999 Archivio'), /^OK/);
    for (const client of [other, running, next, last]) client.close();
  });

  it('a second message is refused before it is sent', async () => {
    const client = await enter(await mailbox('MULTIAPPEND'));
    client.say(`a APPEND INBOX ${literal} {1000000}\r\n`);
    assert.match(await client.hear(), /^a BAD /);
    assert.equal((await client.expect('STATUS INBOX (MESSAGES)'))[0], '* STATUS INBOX (MESSAGES 1)');
    client.close();
  });
});
