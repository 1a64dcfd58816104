import assert from 'node:assert/strict';
import { Rope } from '../../../src/rope/index.js';
import type { Folder } from '../../../src/storage/index.js';
import { startImap } from '../../imap/support/imap-server.js';
import { failureTelemetry } from '../events.js';
import { checkAnswers } from '../imap-answers.js';
import { commandWords } from '../imap-words.js';
import { converse, ownPieces, plain } from '../socket.js';
import type { Target } from '../target.js';

const SECRET = 'riservato alla titolare';
const MESSAGES = [
  `Message-ID: <uno@alfa.example>\r\nSubject: uno\r\nFrom: anna@alfa.example\r\n\r\n${SECRET}\r\n`,
  `Message-ID: <due@alfa.example>\r\nReferences: <uno@alfa.example>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${SECRET}\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: dentro\r\n\r\nfine\r\n--b--\r\n`,
];

const failures = failureTelemetry();
/** Mailboxes that were used: whoever logs in gets the last one, and each that was changed makes way for a new one. */
let used = 0;
const owner = (): string => `titolare${used}@alfa.example`;
const server = await startImap({
  telemetry: failures.telemetry,
  owner,
  limits: { append: 32 * 1024 },
  // After STARTTLS no handshake comes.
  timeouts: { handshake: 100 },
});
const { store, mailstore } = server;
let { mailboxId, state } = await fill();

/** A new mailbox with the messages. */
async function fill(): Promise<{ mailboxId: number; state: string }> {
  used += 1;
  await converse(plain(server.port), [Buffer.from('a LOGIN anna@alfa.example pass\r\n')]);
  const mailbox = await store.read('findMailbox', { address: owner() });
  assert.ok(mailbox !== undefined);
  const messages = MESSAGES.map((text) => ({ rope: Rope.of(Buffer.from(text)), flags: [], internalDate: 0 }));
  await mailstore.append(mailbox.id, 'INBOX', messages);
  return { mailboxId: mailbox.id, state: await stateOf(mailbox.id) };
}

async function stateOf(id: number): Promise<string> {
  return JSON.stringify([await mailstore.folders(id), await mailstore.subscriptions(id)]);
}

/** What is kept is what may be kept, and is counted right. */
async function checkMailbox(): Promise<void> {
  let octets = 0;
  for (const folder of await mailstore.folders(mailboxId)) octets += await checkFolder(folder);
  assert.equal((await mailstore.usage(mailboxId))?.used, octets, 'the quota counts wrong');
}

async function checkFolder(folder: Folder): Promise<number> {
  assert.ok(!/[\0-\x1f]/.test(folder.name), 'a folder with a control character in its name');
  const rows = await mailstore.list(mailboxId, folder.name);
  const unseen = rows.filter(({ flags }) => !flags.includes('\\Seen')).length;
  const size = rows.reduce((sum, row) => sum + row.size, 0);
  assert.deepEqual([folder.messages, folder.unseen, folder.size], [rows.length, unseen, size]);
  for (const row of rows) {
    const text = (await (await mailstore.open(row)).bytes()).toString('latin1');
    assert.equal(text.length, row.size);
    assert.ok(!/\r(?!\n)|(?<!\r)\n|\0/.test(text), 'a message with a line end that is none, or NUL');
    assert.ok(row.uid < folder.uidNext, 'a UID past UIDNEXT');
  }
  return size;
}

export const target: Target = {
  corpus: ['imap-session', 'imap'],
  covers: ['src/imap/', 'src/wire/imap/'],
  words: [
    ...commandWords,
    'a LOGIN anna@alfa.example pass\r\n',
    'a AUTHENTICATE PLAIN AGFubmFAYWxmYS5leGFtcGxlAHBhc3M=\r\n',
    'a SELECT INBOX\r\n',
    'a SELECT INBOX (QRESYNC (1 1 1:9))\r\n',
    'a EXAMINE INBOX (CONDSTORE)\r\n',
    'a ENABLE QRESYNC UTF8=ACCEPT\r\n',
    'a APPEND INBOX {12+}\r\nS: x\r\n\r\nabcd\r\n',
    'a STORE 1:* +FLAGS (\\Deleted)\r\n',
    'a UID EXPUNGE 1:*\r\n',
    'a EXPUNGE\r\n',
    'a CLOSE\r\n',
    'a UNSELECT\r\n',
    'a COPY 1 Archivio\r\n',
    'a UID MOVE 1 INBOX\r\n',
    'a CREATE x/y\r\n',
    'a DELETE x/y\r\n',
    'a RENAME INBOX z\r\n',
    'a LIST (SUBSCRIBED RECURSIVEMATCH) "" * RETURN (STATUS (MESSAGES SIZE))\r\n',
    'a STATUS INBOX (MESSAGES RECENT HIGHESTMODSEQ)\r\n',
    'a SORT (REVERSE DATE) UTF-8 ALL\r\n',
    'a THREAD REFERENCES UTF-8 ALL\r\n',
    'a IDLE\r\nDONE\r\n',
    'a STARTTLS\r\n',
    'a LOGOUT\r\n',
    'a NOOP\r\n',
  ],
  longest: 8192,
  async run(input) {
    const heard = await converse(plain(server.port), ownPieces(input));
    assert.match(heard, /^\* OK /);
    checkAnswers(heard);
    const text = input.toString('latin1');
    // Nothing of a mailbox before its holder is known.
    const mayRead = /LOGIN|AUTHENTICATE/i.test(text);
    assert.ok(mayRead || !heard.includes(SECRET), 'a message for nobody in particular');
    for (const failure of failures.taken()) assert.match(failure, /connection|handshake/i);
    if ((await stateOf(mailboxId)) === state) return;
    assert.ok(mayRead, 'a change by nobody');
    await checkMailbox();
    ({ mailboxId, state } = await fill());
  },
  close: () => server.stop(),
};
