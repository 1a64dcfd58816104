import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Pair, settled, step, type TestGestore, twoGestori } from '../support/gestore.js';
import { ImapClient } from '../support/imap-client.js';
import { field, headerOf } from '../support/inbox.js';
import { identificativoIn, letter } from './letters.js';
import { about } from './reading.js';

/** A message in a folder: its flags and octets. */
interface Seen {
  readonly flags: readonly string[];
  readonly bytes: Buffer;
  readonly header: string;
}

/** A logged-in session on a gestore. */
const open = (gestore: TestGestore, local: string): Promise<ImapClient> =>
  ImapClient.open(gestore.server(993), gestore.account(local));

/** All messages of the open folder from this number on. */
async function read(client: ImapClient, from = 1): Promise<Seen[]> {
  const lines = await client.ask(`FETCH ${from}:* (FLAGS BODY.PEEK[])`);
  return lines
    .filter((line) => /^\* \d+ FETCH .*BODY\[\] \{/.test(line))
    .map((line) => {
      const [, flags = '', size = ''] = /FLAGS \(([^)]*)\) BODY\[\] \{(\d+)\}\r\n/.exec(line) ?? [];
      const start = line.indexOf('}\r\n') + 3;
      const bytes = Buffer.from(line.slice(start, start + Number(size)), 'latin1');
      return {
        flags: flags.split(' ').filter((flag) => flag !== '\\Recent'),
        bytes,
        header: headerOf(bytes),
      };
    });
}

/** Idles until the folder has so many messages. @returns the untagged lines heard */
async function idleUntil(client: ImapClient, messages: number): Promise<string[]> {
  await client.idle();
  const heard: string[] = [];
  for (let exist = 0; exist < messages; ) {
    const line = await client.hear();
    heard.push(line);
    exist = Math.max(exist, Number(/^\* (\d+) EXISTS$/.exec(line)?.[1] ?? 0));
  }
  await client.say('DONE\r\n');
  const { status, untagged } = await client.answer();
  assert.match(status, /^OK /);
  return [...heard, ...untagged];
}

async function submit(from: TestGestore, local: string, to: string, fields: readonly string[] = []) {
  const content = letter({ from: from.address(local), to: [to], subject: `Per ${to}`, fields });
  return identificativoIn(await from.submit(from.account(local), { to: [to], content }));
}

/** `X-Ricevuta or X-Trasporto: keywords`, sorted. */
const told = (messages: readonly Seen[]): string[] =>
  messages
    .map((one) => `${field(one, 'X-Ricevuta') ?? field(one, 'X-Trasporto')}: ${one.flags.join(' ')}`)
    .sort();

test('certified mail over IMAP', async (t) => {
  const pair = await twoGestori(t, { beta: { config: { 'policy.ordinary_mail': 'anomaly' } } });
  await step(t, pair, 'IDLE announces the receipts, each has its keyword', () => receipts(pair));
  await step(t, pair, 'what is not delivered, not accepted, not certified', () => otherKinds(pair));
  await step(t, pair, 'IMAP and POP3 serve the same octets', () => sameOctets(pair));
  await step(t, pair, 'the folders have their uses', () => folders(pair));
});

async function receipts({ alfa, beta }: Pair): Promise<void> {
  const [anna, bruno] = [await open(alfa, 'anna'), await open(beta, 'bruno')];
  for (const client of [anna, bruno]) assert.ok((await client.ask('SELECT INBOX')).includes('* 0 EXISTS'));
  const [hers, his] = [idleUntil(anna, 2), idleUntil(bruno, 1)];
  const id = await submit(alfa, 'anna', beta.address('bruno'));
  assert.match((await hers).join('\n'), /^\* [12] EXISTS$/m);
  await his;
  const [accettazione, consegna, ...more] = await read(anna);
  assert.ok(accettazione && consegna);
  assert.deepEqual(more, []);
  assert.ok(about(id, 'accettazione')({ uid: '', ...accettazione }));
  assert.deepEqual(accettazione.flags, ['$Accettazione']);
  assert.ok(about(id, 'avvenuta-consegna')({ uid: '', ...consegna }));
  assert.deepEqual(consegna.flags, ['$Consegna']);
  assert.deepEqual(told(await read(bruno)), ['posta-certificata: $PostaCertificata']);
  const [found] = await anna.ask('SEARCH KEYWORD $Consegna');
  assert.equal(found, '* SEARCH 2');
  for (const client of [anna, bruno]) client.close();
}

async function otherKinds({ alfa, beta }: Pair): Promise<void> {
  const anna = await open(alfa, 'anna');
  await anna.ask('SELECT INBOX');
  const heard = idleUntil(anna, 5);
  await submit(alfa, 'anna', beta.address('nessuno'));
  await submit(alfa, 'anna', beta.address('bruno'), ['Bcc: altro@pec.beta.example']);
  await heard;
  assert.deepEqual(told(await read(anna, 3)), [
    'accettazione: $Accettazione',
    'errore-consegna: $MancataConsegna',
    'non-accettazione: $NonAccettazione',
  ]);
  anna.close();

  const bruno = await open(beta, 'bruno');
  await bruno.ask('SELECT INBOX');
  const announced = idleUntil(bruno, 2);
  const to = beta.address('bruno');
  const content = letter({ from: 'mario@ordinaria.example', to: [to], subject: 'Offerta' });
  const { code } = await beta.receive({ from: 'mario@ordinaria.example', to: [to], content });
  assert.equal(code, 250);
  await announced;
  assert.deepEqual(told(await read(bruno, 2)), ['errore: $Anomalia']);
  bruno.close();

  await settled({ alfa, beta });
  const service = await open(alfa, 'ricevute');
  await service.ask('SELECT INBOX');
  const kinds = new Set(told(await read(service)));
  assert.deepEqual([...kinds], ['presa-in-carico: $PresaInCarico']);
  service.close();
}

async function sameOctets({ alfa }: Pair): Promise<void> {
  const anna = await open(alfa, 'anna');
  await anna.ask('EXAMINE INBOX');
  const byImap = (await read(anna)).map(({ bytes }) => bytes.toString('latin1'));
  const byPop3 = (await alfa.inbox('anna').messages()).map(({ bytes }) => bytes.toString('latin1'));
  assert.equal(byImap.length, 5);
  assert.deepEqual(byImap, byPop3);
  anna.close();
}

async function folders({ alfa }: Pair): Promise<void> {
  const anna = await open(alfa, 'anna');
  const names = (await anna.ask('LIST "" * RETURN (SPECIAL-USE)')).map((line) =>
    line.replace(
      /^\* LIST \(([^)]*)\) "\/" /,
      (_, flags: string) =>
        `${flags
          .split(' ')
          .filter((flag) => /^\\(?:Sent|Drafts|Trash|Archive)$/.test(flag))
          .join()} `,
    ),
  );
  assert.deepEqual(names.sort(), [
    ' INBOX',
    '\\Archive Archivio',
    '\\Drafts Bozze',
    '\\Sent "Posta inviata"',
    '\\Trash Cestino',
  ]);
  anna.close();
}
