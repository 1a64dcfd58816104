/** REPLACE and UID REPLACE (RFC 8508). */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Dialogue } from './dialogue.js';
import { startImap, type TestImapServer } from './support/imap-server.js';

const QUOTA = 2000;
let server: TestImapServer;
before(async () => {
  server = await startImap({ quota: QUOTA, limits: { append: 1500 } });
});
after(() => server.stop());

const draft = (text: string): string => `Subject: ${text}\r\n\r\n`;
const literal = (text: string): string => `{${text.length}+}\r\n${text}`;
const ANSWERS = /^OK \[APPENDUID (\d+) (\d+)\] /;

/** A mailbox of one test with three messages. */
async function withThree(user: string): Promise<Dialogue> {
  const client = await Dialogue.loggedIn(server.port, user);
  for (const text of ['uno', 'due', 'tre']) await client.append('INBOX', draft(text), '(\\Seen) ');
  await client.expect('SELECT INBOX');
  return client;
}

const subjects = async (client: Dialogue): Promise<string[]> =>
  (await client.expect('UID FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]'))
    .filter((line) => line.includes('FETCH'))
    .map((line) => `${/UID (\d+)/.exec(line)?.[1]} ${/Subject: (\w+)/.exec(line)?.[1]}`);

describe('REPLACE', () => {
  it('tells the new UID, then that the old one went; flags and date are the new one\u2019s', async () => {
    const client = await withThree('r1@alfa.example');
    assert.match((await client.expect('CAPABILITY')).join(), / REPLACE /);
    const other = await Dialogue.inFolder(server.port, 'r1@alfa.example');
    const responses = await client.ask(
      `REPLACE 2 INBOX (\\Draft $Mio) "02-Jan-2025 10:00:00 +0000" ${literal(draft('nuovo'))}`,
    );
    assert.match(responses[0] ?? '', /^\* OK \[APPENDUID \d+ 4\] /);
    assert.deepEqual(responses.slice(1), [
      '* 2 EXPUNGE',
      '* 3 EXISTS',
      '* 3 RECENT',
      'OK Sostituito / Replaced',
    ]);
    assert.deepEqual(await subjects(client), ['1 uno', '3 tre', '4 nuovo']);
    const [row = ''] = await client.expect('UID FETCH 4 (FLAGS INTERNALDATE)');
    assert.match(row, /FLAGS \(\\Draft \$Mio \\Recent\)/);
    assert.match(row, /INTERNALDATE " 2-Jan-2025 10:00:00 \+0000"/);
    const news = await other.expect('NOOP');
    assert.deepEqual(
      news.filter((line) => /EXPUNGE|EXISTS/.test(line)),
      ['* 2 EXPUNGE', '* 3 EXISTS'],
    );
    client.close();
    other.close();
  });

  it('by UID, by `*`, into another folder, with a literal that waits, with octets of any kind', async () => {
    const again = await withThree('r2@alfa.example');
    const size = draft('altrove').length;
    again.say(`a UID REPLACE 1 Bozze {${size}}\r\n`);
    assert.equal(await again.hear(), '+ Pronto / Ready');
    again.say(`${draft('altrove')}\r\n`);
    assert.match((await again.until('a')).at(-1) ?? '', /^OK /);
    assert.deepEqual(await subjects(again), ['2 due', '3 tre']);
    await again.expect(`REPLACE * INBOX ${literal(draft('ultimo'))}`);
    const binary = `Content-Transfer-Encoding: binary\r\n\r\n\0\0`;
    await again.expect(`UID REPLACE 2 INBOX ~{${binary.length}+}\r\n${binary}`);
    assert.deepEqual(await subjects(again), ['4 ultimo', '5 undefined']);
    await again.expect('SELECT Bozze');
    assert.deepEqual(await subjects(again), ['1 altrove']);
    again.close();
  });

  it('with QRESYNC tells VANISHED', async () => {
    const client = await withThree('r3@alfa.example');
    await client.expect('ENABLE QRESYNC');
    const responses = await client.ask(`UID REPLACE 2 INBOX ${literal(draft('nuovo'))}`);
    assert.deepEqual(
      responses.filter((line) => /VANISHED|EXPUNGE/.test(line)),
      ['* VANISHED 2'],
    );
    client.close();
  });

  it('changes nothing when it is refused, and says why', async () => {
    const client = await withThree('r4@alfa.example');
    const is = async (command: string, answer: RegExp) =>
      assert.match(await client.answer(command), answer, command);
    const text = literal(draft('x'));
    const large = literal(draft('x'.repeat(1300)));
    await client.expect(`APPEND INBOX ${literal(draft('y'.repeat(1000)))}`);
    await client.expect('NOOP');
    await is(`REPLACE 9 INBOX ${text}`, /^BAD Numero di messaggio inesistente/);
    await is(`REPLACE 0 INBOX ${text}`, /^BAD /);
    await is(`REPLACE 1:2 INBOX ${text}`, /^BAD /);
    await is(`UID REPLACE 99 INBOX ${text}`, /^NO Il messaggio non esiste/);
    await is(`UID REPLACE 1 Altrove ${text}`, /^NO \[TRYCREATE\]/);
    await is(`REPLACE 1 INBOX ${large}`, /^NO \[OVERQUOTA\]/);
    await is(`REPLACE 1 INBOX {1501+}\r\n${'x'.repeat(1501)}`, /^NO \[TOOBIG\]/);
    await is(`REPLACE 1 INBOX ${literal('Subject: x\n\nbare')}`, /^NO \[CANNOT\]/);
    await is(`REPLACE 1 INBOX ${literal('Subject: x\r\n\r\n\0')}`, /^NO \[CANNOT\]/);
    await is(`REPLACE 1 INBOX ${text} ${text}`, /^BAD /);
    await is('REPLACE 1 INBOX', /^BAD /);
    await is('REPLACE', /^BAD /);
    assert.deepEqual(await subjects(client), ['1 uno', '2 due', '3 tre', `4 ${'y'.repeat(1000)}`]);
    assert.deepEqual(readdirSync(join(server.folder, 'spool')), []);
    await client.expect(`REPLACE 4 INBOX ${large}`);
    await client.expect('EXAMINE INBOX');
    await is(`REPLACE 1 INBOX ${text}`, /^NO \[READ-ONLY\]/);
    await client.expect('UNSELECT');
    await is(`REPLACE 1 INBOX ${text}`, /^BAD REPLACE non ammesso/);
    client.close();
  });

  it('does nothing when another session took the old one away meanwhile, or the client goes in the middle', async () => {
    const client = await withThree('r5@alfa.example');
    const other = await Dialogue.inFolder(server.port, 'r5@alfa.example');
    const size = draft('nuovo').length;
    client.say(`a UID REPLACE 2 INBOX {${size}}\r\n`);
    assert.equal(await client.hear(), '+ Pronto / Ready');
    await other.expect('UID STORE 2 +FLAGS (\\Deleted)');
    await other.expect('EXPUNGE');
    client.say(`${draft('nuovo')}\r\n`);
    assert.match((await client.until('a')).at(-1) ?? '', /^NO \[EXPUNGEISSUED\]/);
    assert.deepEqual(await subjects(other), ['1 uno', '3 tre']);
    client.say(`b UID REPLACE 3 INBOX {${size}}\r\n`);
    await client.until('+');
    client.say('Subject');
    client.close();
    await client.gone();
    assert.deepEqual(await subjects(other), ['1 uno', '3 tre']);
    other.close();
  });

  it('is answered the UID that stands in the folder', async () => {
    const client = await withThree('r6@alfa.example');
    for (const uid of [4, 5, 6]) {
      const [told = ''] = await client.expect(`UID REPLACE ${uid - 1} INBOX ${literal(draft(`n${uid}`))}`);
      assert.equal(ANSWERS.exec(told.slice(2))?.[2], String(uid));
    }
    assert.deepEqual(await subjects(client), ['1 uno', '2 due', '6 n6']);
    client.close();
  });
});
