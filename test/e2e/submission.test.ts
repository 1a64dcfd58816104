import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type Pair, settled, step, twoGestori } from '../support/gestore.js';
import { field, type Held } from '../support/inbox.js';
import { type Mail, type Reply, SmtpClient } from '../support/mail-clients.js';
import { identificativoIn, letter } from './letters.js';
import { about, postacertOf, readableText, said } from './reading.js';

const LEGAL_SIZE = 31_457_280;

/** What anna of alfa submits: to bruno of beta unless told otherwise. */
interface Attempt {
  readonly content: Buffer;
  readonly to?: readonly string[];
  readonly from?: string;
  readonly parameters?: string;
}

const submit = ({ alfa, beta }: Pair, { to = [beta.address('bruno')], ...mail }: Attempt): Promise<Reply> =>
  alfa.submit(alfa.account('anna'), { to, ...mail });

/** Decisions 13: taken with 250, then refused as a whole; the reasons of the notice, one a line. */
async function refusedByNotice(pair: Pair, attempt: Attempt): Promise<Held> {
  const id = identificativoIn(await submit(pair, attempt));
  const [notice] = await pair.alfa.inbox('anna').waitFor(about(id));
  assert.ok(notice);
  assert.equal(field(notice, 'X-Ricevuta'), 'non-accettazione');
  assert.match(field(notice, 'Subject') ?? '', /^AVVISO DI NON ACCETTAZIONE:/);
  assert.equal(said(notice).errore, 'altro');
  assert.match(readableText(notice), /è stato rilevato un problema che ne impedisce l'accettazione/);
  assert.match(readableText(notice), /Il messaggio non è stato accettato\./);
  // Nothing else is said of it and nothing is sent.
  assert.equal((await pair.alfa.events('--identificativo', id)).length, 1);
  return notice;
}

/** Taken, accepted and delivered to bruno; gives what the accettazione and the envelope look like. */
async function delivered(pair: Pair, attempt: Attempt): Promise<{ accettazione: Held; busta: Held }> {
  const id = identificativoIn(await submit(pair, attempt));
  const [accettazione] = await pair.alfa.inbox('anna').waitFor(about(id, 'accettazione'));
  const [busta] = await pair.beta.inbox('bruno').waitFor(about(id, 'posta-certificata'));
  await pair.alfa.inbox('anna').waitFor(about(id, 'avvenuta-consegna'));
  assert.ok(accettazione && busta);
  return { accettazione, busta };
}

const reasons = (notice: Held): string[] =>
  readableText(notice)
    .split('\r\n')
    .filter((line) => line.startsWith('- '))
    .map((line) => line.slice(2));

test('submissions that are not as they should be', async (t) => {
  const pair = await twoGestori(t);
  const { alfa, beta } = pair;
  const anna = alfa.address('anna');
  const bruno = beta.address('bruno');
  const plain = letter({ from: anna, to: [bruno], subject: 'Prova' });
  const notice = (name: string, attempt: Attempt, expected: readonly string[]): Promise<void> =>
    step(t, pair, name, async () => {
      assert.deepEqual(reasons(await refusedByNotice(pair, attempt)), expected);
    });
  const error = (name: string, attempt: Attempt, expected: string): Promise<void> =>
    step(t, pair, name, async () => assert.equal((await submit(pair, attempt)).line, expected));

  await step(t, pair, 'who does not log in, or with a wrong password or name', () => logins(pair, plain));

  await error(
    'MAIL FROM of nobody',
    { from: alfa.address('nessuno'), content: plain },
    `553 5.7.1 L'indirizzo ${alfa.address('nessuno')} non appartiene all'utente / Sender address does not belong to the user`,
  );
  await error(
    "MAIL FROM of another user's",
    { from: alfa.address('aldo'), content: plain },
    `553 5.7.1 L'indirizzo ${alfa.address('aldo')} non appartiene all'utente / Sender address does not belong to the user`,
  );
  await error(
    'an empty MAIL FROM',
    { from: '', content: plain },
    '550 5.7.1 Il mittente e obbligatorio / A submission needs a sender',
  );
  await error(
    'a bare LF',
    { content: Buffer.from(plain.toString().replace('Saluti\r\n', 'Saluti\ntutti\r\n')) },
    '554 5.6.0 Il messaggio contiene un LF senza CR / Message contains an LF without CR',
  );
  await error(
    'a bare CR',
    { content: Buffer.from(plain.toString().replace('Saluti\r\n', 'Saluti\rtutti\r\n')) },
    '554 5.6.0 Il messaggio contiene un CR senza LF / Message contains a CR without LF',
  );
  await error(
    'a NUL',
    { content: Buffer.from(plain.toString().replace('Saluti', 'Sal\0ti')) },
    '554 5.6.0 Il messaggio contiene un ottetto NUL / Message contains a NUL octet',
  );

  await notice(
    "From that is another user's",
    { content: letter({ from: alfa.address('aldo'), to: [bruno], subject: 'Prova' }) },
    [`l'indirizzo ${alfa.address('aldo')} nel campo From non coincide con il mittente ${anna}`],
  );
  await notice(
    'a recipient that is not in To or Cc',
    { to: [bruno, beta.address('berta')], content: plain },
    [`l'indirizzo email ${beta.address('berta')} non appare nei campi To o Cc`],
  );
  await notice('no To', { content: letter({ from: anna, cc: [bruno], subject: 'Prova' }) }, [
    'il campo To è assente',
  ]);
  await notice(
    'To with nobody in it',
    { content: letter({ from: anna, to: ['undisclosed-recipients:;'], cc: [bruno], subject: 'Prova' }) },
    ['il campo To non contiene alcun indirizzo email'],
  );
  await notice(
    'Bcc',
    { content: letter({ from: anna, to: [bruno], subject: 'Prova', fields: [`Bcc: ${bruno}`] }) },
    ['il campo Bcc contiene un valore: i destinatari in copia nascosta non sono ammessi'],
  );
  await notice(
    'a header line of 2000 octets',
    { content: letter({ from: anna, to: [bruno], subject: 'x'.repeat(1991) }) },
    ['il messaggio contiene una riga più lunga di 998 caratteri'],
  );
  await step(t, pair, '51 recipients are too many, 501 are not even taken', () => crowds(pair));
  await step(t, pair, '30 MB pass, one octet more does not, 40 MB are not even taken', () => sizes(pair));
  await step(t, pair, 'broken MIME is certified as it stands', () => brokenMime(pair));
  await step(t, pair, '8-bit octets in a header', () => eightBitHeader(pair));
  await step(t, pair, 'an empty subject, none, and one of emoji', () => subjects(pair));
  await step(t, pair, 'an address in upper case', () => upperCase(pair));
  await step(t, pair, 'a recipient named twice', () => doubled(pair));
  await step(t, pair, 'no Message-ID', () => anonymous(pair));
  await step(t, pair, 'a suspended user cannot send and can read', () => suspended(pair));
  await step(t, pair, 'afterwards nothing is left over', async () => {
    await settled(pair);
    for (const gestore of [alfa, beta]) {
      assert.match(await gestore.run(['registro', 'verify']), /^untouched: /);
    }
  });
});

async function logins({ alfa, beta }: Pair, content: Buffer): Promise<void> {
  const anna = alfa.account('anna');
  const mail: Mail = { from: anna.address, to: [beta.address('bruno')], content };
  const wrong = '535 5.7.8 Nome utente o password errati / Authentication credentials invalid';
  assert.equal((await alfa.submit({ ...anna, password: 'sbagliata' }, mail)).line, wrong);
  assert.equal((await alfa.submit({ ...anna, address: alfa.address('nessuno') }, mail)).line, wrong);
  const client = await SmtpClient.open(alfa.server(465), 'implicit');
  const unknown = await client.send(mail);
  assert.equal(unknown.line, '530 5.7.0 Autenticazione richiesta / Authentication required');
  await client.quit();
}

async function crowds(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const many = (count: number) => Array.from({ length: count }, (_, index) => beta.address(`utente${index}`));
  const made = (to: readonly string[]) => letter({ from: alfa.address('anna'), to, subject: 'Tutti' });
  const to = many(51);
  const notice = await refusedByNotice(pair, { to, content: made(to) });
  assert.deepEqual(reasons(notice), ['ecceduto il numero massimo di destinatari (51 su 50)']);
  assert.equal(said(notice).destinatari.length, 51);
  const more = many(501);
  const reply = await submit(pair, { to: more, content: made(more) });
  assert.equal(reply.line, '452 4.5.3 Troppi destinatari / Too many recipients');
}

async function sizes(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const head = letter({
    from: alfa.address('anna'),
    to: [beta.address('bruno')],
    subject: 'Trenta',
    body: '',
  });
  const line = `${'0123456789'.repeat(7)}\r\n`;
  const sized = (octets: number): Buffer => {
    const body = Buffer.alloc(octets - head.length, line);
    body.write('\r\n', body.length - 2);
    // The repetition must not be cut behind a CR.
    if (body[body.length - 3] === 0x0d) body.write('x', body.length - 3);
    return Buffer.concat([head, body]);
  };
  const content = sized(LEGAL_SIZE);
  const { busta } = await delivered(pair, { content });
  const body = (bytes: Buffer) => bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(digest(body(postacertOf(busta) ?? Buffer.alloc(0))), digest(body(content)));

  const notice = await refusedByNotice(pair, { content: sized(LEGAL_SIZE + 1) });
  assert.deepEqual(reasons(notice), [
    'ecceduta la dimensione massima del messaggio (31457281 byte su 31457280)',
    'ecceduta la dimensione massima del messaggio moltiplicata per il numero dei destinatari (31457281 byte su 31457280)',
  ]);
  const hard = LEGAL_SIZE * (4 / 3);
  const announced = await submit(pair, { content, parameters: ` SIZE=${hard + 1}` });
  assert.match(announced.line, /^552 5\.3\.4 /);
  assert.match((await submit(pair, { content: sized(hard + 1) })).line, /^552 5\.3\.4 /);
}

async function brokenMime(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const body =
    '--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%\r\n';
  for (const type of [
    'multipart/mixed; boundary=x',
    'multipart/mixed',
    'multipart/mixed; boundary="',
    ';;;',
  ]) {
    const made = { from: alfa.address('anna'), to: [beta.address('bruno')], subject: 'Rotto' };
    const content = letter({ ...made, fields: ['MIME-Version: 1.0', `Content-Type: ${type}`], body });
    const { busta } = await delivered(pair, { content });
    assert.ok(postacertOf(busta)?.toString().endsWith(`\r\n\r\n${body}`), type);
  }
}

async function eightBitHeader(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const subject = 'Perché così €';
  const content = letter({ from: alfa.address('anna'), to: [beta.address('bruno')], subject });
  const { accettazione, busta } = await delivered(pair, { content, parameters: ' BODY=8BITMIME' });
  assert.equal(said(accettazione).oggetto, subject);
  assert.ok(/^[\x00-\x7f]*$/.test(accettazione.header) && /^[\x00-\x7f]*$/.test(busta.header));
  assert.ok(postacertOf(busta)?.includes(`Subject: ${subject}\r\n`));
}

async function subjects(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const made = { from: alfa.address('anna'), to: [beta.address('bruno')] };
  const emoji = '📬🇮🇹👩‍⚖️'.repeat(6);
  const encoded = `=?utf-8?B?${Buffer.from('📬🇮🇹👩‍⚖️').toString('base64')}?=`;
  for (const [subject, oggetto] of [
    ['', ''],
    [undefined, ''],
    [Array(6).fill(encoded).join('\r\n '), emoji],
  ]) {
    const content = letter({ ...made, ...(subject === undefined ? {} : { subject }) });
    const { accettazione, busta } = await delivered(pair, { content });
    assert.equal(said(accettazione).oggetto, oggetto);
    assert.equal(decodedSubject(accettazione), `ACCETTAZIONE: ${oggetto}`.trim());
    assert.equal(decodedSubject(busta), `POSTA CERTIFICATA: ${oggetto}`.trim());
  }
}

/** Subject with its base64 encoded words decoded. */
function decodedSubject(message: Held): string {
  const raw = field(message, 'Subject') ?? '';
  const joined = raw.replace(/\?=[ \t]+=\?/g, '?==?');
  const word = (text: string): Buffer => Buffer.from(text, 'base64');
  return joined
    .replace(/(?:=\?utf-8\?b\?[^?]*\?=)+/gi, (run) =>
      Buffer.concat([...run.matchAll(/\?b\?([^?]*)\?=/gi)].map(([, text = '']) => word(text))).toString(),
    )
    .trim();
}

async function upperCase(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const to = [beta.address('bruno').toUpperCase()];
  const content = letter({ from: alfa.address('ANNA'), to, subject: 'Grande' });
  const { accettazione, busta } = await delivered(pair, { to, content });
  // Decisions 14: case is kept.
  assert.deepEqual(said(accettazione).destinatari, [`certificato ${to[0]}`]);
  const [consegna] = await alfa.inbox('anna').waitFor(about(said(busta).identificativo, 'avvenuta-consegna'));
  assert.equal(consegna && said(consegna).consegna, to[0]);
}

async function doubled(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const bruno = beta.address('bruno');
  const to = [bruno, bruno, bruno.replace('bruno', 'Bruno')];
  const content = letter({ from: alfa.address('anna'), to, cc: [bruno], subject: 'Due volte' });
  const { accettazione } = await delivered(pair, { to, content });
  assert.equal(said(accettazione).destinatari.length, 1);
  await settled(pair);
  const id = said(accettazione).identificativo;
  const copies = (await beta.inbox('bruno').messages()).filter(about(id));
  const receipts = (await alfa.inbox('anna').messages()).filter(about(id, 'avvenuta-consegna'));
  assert.deepEqual([copies.length, receipts.length], [1, 1]);
  // Decisions 5: in both To and Cc counts as primary.
  assert.ok(receipts[0] && postacertOf(receipts[0]));
}

async function anonymous(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const made = { from: alfa.address('anna'), to: [beta.address('bruno')], subject: 'Senza', messageId: null };
  const { accettazione, busta } = await delivered(pair, { content: letter(made) });
  // Decisions 15: no X-Riferimento-Message-ID, no msgid.
  for (const message of [accettazione, busta]) {
    assert.equal(said(message).msgid, undefined);
    assert.equal(field(message, 'X-Riferimento-Message-ID'), undefined);
  }
}

async function suspended(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const aldo = alfa.account('aldo');
  const to = [beta.address('bruno')];
  const content = letter({ from: aldo.address, to, subject: 'Sospeso' });
  await alfa.run(['mailbox', 'suspend', aldo.address]);
  const reply = await alfa.submit(aldo, { to, content });
  assert.equal(
    reply.line,
    '550 5.7.1 Casella sospesa: invio non consentito / Mailbox suspended: it cannot send',
  );
  assert.deepEqual(await alfa.inbox('aldo').messages(), []);
  await alfa.run(['mailbox', 'resume', aldo.address]);
  identificativoIn(await alfa.submit(aldo, { to, content }));
}
