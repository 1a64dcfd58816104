/** What a mailbox of certified mail does that another one does not. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { QuotaWarning } from '../../src/imap/quota-warning.js';
import { ANOMALY_KEYWORD, ENVELOPE_KEYWORD, keywordOf } from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import { ImapClient } from '../support/imap-client.js';
import { PASSWORD, startImap, type TestImapServer } from './support/imap-server.js';

const ADDRESS = 'anna@alfa.example';
const account = { address: ADDRESS, password: PASSWORD };
const QUOTA = 100_000;

const open = ({ port }: TestImapServer): Promise<ImapClient> =>
  ImapClient.open({ port, ca: '' }, account, false);
const alerts = (lines: readonly string[]): string[] => lines.filter((line) => line.includes('[ALERT]'));
const textOf = (octets: number): string => `Subject: x\r\n\r\n${'x'.repeat(octets - 16)}\r\n`;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Puts a message into INBOX as the points of a gestore do. */
async function deliver(
  { store }: TestImapServer,
  content: string,
  flag: string,
  withinQuota = true,
): Promise<void> {
  const mailbox = await store.read('findMailbox', { address: ADDRESS });
  const rope = Rope.of(content);
  await store.write('commitRefusal', {
    contents: [await store.pack(rope)],
    events: [],
    deposits: [
      {
        mailboxId: mailbox?.id ?? 0,
        folder: 'INBOX',
        content: { new: 0 },
        size: rope.length,
        internalDate: Date.now(),
        flags: [flag],
        withinQuota,
      },
    ],
    receipts: [],
    queue: [],
  });
}

describe('quota warnings', () => {
  it('each level once, whatever comes and goes', () => {
    const warning = new QuotaWarning();
    const told = [79, 80, 81, 79, 85, 90, 94, 80, 97, 95, 100, 130].map(
      (percent) => warning.next({ percent }) !== undefined,
    );
    assert.deepEqual(told, [false, true, false, false, false, true, false, false, true, false, false, false]);
    assert.match(new QuotaWarning().next({ percent: 100 }) ?? '', /^OK \[ALERT\] .*100/);
  });
});

describe('a mailbox that fills up', () => {
  let server: TestImapServer;
  before(async () => {
    server = await startImap({ quota: QUOTA });
    (await open(server)).close();
  });
  after(() => server.stop());

  it('is told of at 80, 90 and 95 per cent: in the session that stands, and at the login of the next', async () => {
    const client = await open(server);
    assert.deepEqual(alerts(await client.ask('SELECT INBOX')), []);
    const add = async (octets: number) =>
      alerts((await client.send('APPEND INBOX', Buffer.from(textOf(octets)))).untagged);
    const heard = async (octets: number) => [...(await add(octets)), ...alerts(await client.ask('NOOP'))];
    assert.deepEqual(await heard(79_000), []);
    assert.match((await heard(2_000)).join(), /^\* OK \[ALERT\] .*81 percent of its space$/);
    assert.deepEqual(await heard(5_000), [], '86: nothing new');
    assert.match((await heard(5_000)).join(), /^[^,]*91 percent of its space$/);
    const other = await ImapClient.connect({ port: server.port, ca: '' }, false);
    assert.match(
      alerts(await other.ask(`LOGIN ${ADDRESS} ${PASSWORD}`)).join(),
      /^[^,]*91 percent of its space$/,
    );
    assert.deepEqual(alerts(await other.ask('SELECT INBOX')), []);
    assert.deepEqual(alerts(await other.ask('NOOP')), []);
    await other.idle();
    assert.match((await heard(5_000)).join(), /^[^,]*96 percent of its space$/);
    // Within IDLE too, with what filled it.
    const idling: string[] = [];
    while (alerts(idling).length === 0) idling.push(await other.hear());
    assert.match(idling.join('\n'), /96 percent of its space/);
    other.close();
    client.close();
  });

  it('refuses what does not fit, storing nothing, and still takes receipts (decisions 9)', async () => {
    const client = await open(server);
    await client.ask('SELECT INBOX');
    const before = await server.mailstore.usage(1);
    for (const command of ['APPEND INBOX', 'APPEND INBOX (\\Seen)']) {
      const { status } = await client.send(command, Buffer.from(textOf(6_000)));
      assert.match(status, /^NO \[OVERQUOTA\] /);
    }
    assert.match((await client.try('COPY 1 INBOX')).status, /^NO \[OVERQUOTA\] /);
    assert.deepEqual(await server.mailstore.usage(1), before);
    await assert.rejects(deliver(server, textOf(6_000), ENVELOPE_KEYWORD), { what: 'quota' });
    await deliver(server, textOf(30_000), keywordOf('avvenuta-consegna'), false);
    await client.ask('NOOP');
    const [search] = await client.ask(`SEARCH KEYWORD ${keywordOf('avvenuta-consegna')}`);
    assert.match(search ?? '', /^\* SEARCH \d+$/);
    const [quota] = await client.ask('GETQUOTA ""');
    const [, used = 0, most = 0] = (/STORAGE (\d+) (\d+)/.exec(quota ?? '') ?? []).map(Number);
    assert.ok(used > most, quota);
    // Emptied, it takes mail again.
    await client.ask('STORE 1:* +FLAGS (\\Deleted)');
    await client.ask('EXPUNGE');
    assert.match((await client.send('APPEND INBOX', Buffer.from(textOf(6_000)))).status, /^OK /);
    client.close();
  });
});

describe('a sealed message', () => {
  let server: TestImapServer;
  before(async () => {
    server = await startImap();
    (await open(server)).close();
  });
  after(() => server.stop());

  it('has its keyword among the flags of the folder, and can be filtered by it', async () => {
    const kinds = [
      keywordOf('accettazione'),
      keywordOf('avvenuta-consegna'),
      ANOMALY_KEYWORD,
      ENVELOPE_KEYWORD,
    ];
    for (const kind of kinds) await deliver(server, `Subject: ${kind}\r\n\r\n`, kind);
    const client = await open(server);
    const selected = await client.ask('SELECT INBOX');
    const flags = selected.find((line) => line.startsWith('* FLAGS '));
    for (const [at, kind] of kinds.entries()) {
      assert.ok(flags?.includes(kind), flags);
      assert.deepEqual(await client.ask(`SEARCH KEYWORD ${kind}`), [`* SEARCH ${at + 1}`]);
      assert.deepEqual(await client.ask(`SEARCH KEYWORD ${kind.toUpperCase()}`), [`* SEARCH ${at + 1}`]);
    }
    client.close();
  });

  it('keeps its octets, size, date and id whatever is done with it: only flags and folders are the user\u2019s', async () => {
    const client = await open(server);
    await client.ask('SELECT INBOX');
    const content = `Return-Path: <x@y.example>\r\nSubject: busta\r\n\r\n${'sigillo\r\n'.repeat(20_000)}`;
    await deliver(server, content, ENVELOPE_KEYWORD);
    await client.ask('NOOP');
    const [found = ''] = await client.ask('UID SEARCH SUBJECT busta');
    let uid = found.replace(/^\* SEARCH /, '');
    const look = async () => {
      const [line = ''] = await client.ask(
        `UID FETCH ${uid} (INTERNALDATE RFC822.SIZE EMAILID ENVELOPE BODY.PEEK[])`,
      );
      const octets = /BODY\[\] \{(\d+)\}\r\n/.exec(line);
      assert.ok(octets);
      const start = octets.index + octets[0].length;
      const body = Buffer.from(line.slice(start, start + Number(octets[1])), 'latin1');
      return {
        body: sha256(body),
        facts: line.slice(0, octets.index).replace(/^.*?UID \d+ /, ''),
      };
    };
    const asDelivered = await look();
    assert.equal(asDelivered.body, sha256(Buffer.from(content)));
    const moved = async (command: string) => {
      const { status, untagged } = await client.try(command);
      assert.match(status, /^OK/);
      uid = /\[COPYUID \d+ \d+ (\d+)\]/.exec([...untagged, status].join('\n'))?.[1] ?? '';
      assert.notEqual(uid, '');
    };
    await client.ask(`UID STORE ${uid} FLAGS (\\Seen \\Draft Mio)`);
    assert.deepEqual(await look(), asDelivered);
    await client.ask('CREATE Pratiche');
    await moved(`UID MOVE ${uid} Pratiche`);
    await client.ask('SELECT Pratiche');
    assert.deepEqual(await look(), asDelivered);
    await client.ask('RENAME Pratiche Archivio/Pratiche');
    await client.ask('SELECT Archivio/Pratiche');
    assert.deepEqual(await look(), asDelivered);
    await moved(`UID COPY ${uid} INBOX`);
    await client.ask('SELECT INBOX');
    assert.deepEqual(await look(), asDelivered);
    const replaced = await client.send(`UID REPLACE ${uid} INBOX`, Buffer.from('Subject: altro\r\n\r\n'));
    assert.match(replaced.status, /^OK/, 'another message in its place, as APPEND and EXPUNGE would');
    assert.deepEqual(await client.ask(`UID FETCH ${uid} BODY.PEEK[]`), []);
    await client.ask('SELECT Archivio/Pratiche');
    uid = '1';
    assert.deepEqual(await look(), asDelivered, 'its copies are what they were');
    for (const item of ['RFC822', 'BODY[]', 'ENVELOPE', 'INTERNALDATE'])
      assert.match((await client.try(`UID STORE ${uid} ${item} ("altro")`)).status, /^BAD /);
    assert.deepEqual(await look(), asDelivered);
    client.close();
  });
});
