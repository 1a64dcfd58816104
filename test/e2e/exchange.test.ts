import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakePeer } from '../smtp/fake-peer.js';
import {
  addRoute,
  ceralacca,
  type Pair,
  settled,
  step,
  type TestGestore,
  twoGestori,
} from '../support/gestore.js';
import { field, type Held, headerOf } from '../support/inbox.js';
import { needs } from '../support/programs.js';
import { identificativoIn, type Letter, letter } from './letters.js';
import { about, daticertXml, dtdFault, opensslFault, postacertOf, readableText, said } from './reading.js';

/** Every message of PEC the steps met, with the gestore that signed it: the last step shows them to other programs. */
const met: { readonly message: Pick<Held, 'bytes'>; readonly signedBy: TestGestore }[] = [];

/** A certified message as it was sent. */
interface Sent {
  readonly id: string;
  readonly content: Buffer;
}

/** Sends a letter of one of alfa's or beta's users to all of its To and Cc. */
async function send(
  from: TestGestore,
  local: string,
  made: Omit<Letter, 'from'>,
  parameters?: string,
): Promise<Sent> {
  const content = letter({ from: from.address(local), ...made });
  const to = [...(made.to ?? []), ...(made.cc ?? [])];
  const mail = { to, content, ...(parameters === undefined ? {} : { parameters }) };
  return { id: identificativoIn(await from.submit(from.account(local), mail)), content };
}

/** The one message of that kind in a mailbox. */
async function one(gestore: TestGestore, local: string, { id }: Sent, kind: string): Promise<Held> {
  const [message, ...more] = await gestore.inbox(local).waitFor(about(id, kind));
  assert.ok(message);
  assert.equal(more.length, 0, `one ${kind}`);
  return message;
}

async function receipt(
  gestore: TestGestore,
  local: string,
  sent: Sent,
  kind: string,
  signedBy: TestGestore,
): Promise<Held> {
  const message = await one(gestore, local, sent, kind);
  assert.equal(field(message, 'From'), `posta-certificata@${signedBy.domain}`);
  assert.equal(field(message, 'Return-Path'), `<posta-certificata@${signedBy.domain}>`);
  assert.equal(said(message).gestore, signedBy.name);
  met.push({ message, signedBy });
  return message;
}

/** All delivery receipts of a message, by recipient. */
async function deliveries(
  gestore: TestGestore,
  local: string,
  { id }: Sent,
  count: number,
): Promise<Map<string, Held>> {
  const found = await gestore.inbox(local).waitFor(about(id, 'avvenuta-consegna'), count);
  assert.equal(found.length, count);
  return new Map(found.map((message) => [said(message).consegna ?? '', message]));
}

/** postacert.eml is what was sent: Received on top, the two headers at the end, every other byte in its place. */
function assertIsOriginal(postacert: Buffer | undefined, { id, content }: Sent): void {
  assert.ok(postacert, 'postacert.eml');
  const [received] = /^Received: (?:[^\r]|\r\n[ \t])*\r\n/.exec(postacert.toString('latin1')) ?? [];
  assert.ok(received, 'the access point wrote its Received');
  const end = content.indexOf('\r\n\r\n') + 2;
  const header = content.subarray(0, end).toString('latin1');
  const [line = '', old] = /^Message-ID: (.*)\r\n/m.exec(header) ?? [];
  const expected = [
    header.replace(line, ''),
    `Message-ID: <${id}>\r\n`,
    old === undefined ? '' : `X-Riferimento-Message-ID: ${old}\r\n`,
  ];
  const rest = postacert.subarray(received.length);
  assert.ok(rest.equals(Buffer.concat([Buffer.from(expected.join(''), 'latin1'), content.subarray(end)])));
}

test('certified mail between two gestori', async (t) => {
  const ordinary = new FakePeer();
  const sink = await ordinary.listen();
  const pair = await twoGestori(t, { prepare: ({ alfa }) => addRoute(alfa, '*', sink) });
  t.after(() => ordinary.close());
  await step(t, pair, 'from alfa to beta: every message there is', () => alfaToBeta(pair));
  await step(t, pair, 'from beta to alfa', () => betaToAlfa(pair));
  await step(t, pair, 'inside one gestore the same messages are made', () => insideAlfa(pair));
  await step(t, pair, 'To gets the complete receipt, Cc the concise one', () => toAndCc(pair));
  await step(t, pair, 'a brief receipt holds the hashes of the attachments', () => brief(pair));
  await step(t, pair, 'a concise receipt holds daticert.xml only', () => concise(pair));
  await step(t, pair, 'a certified and an ordinary recipient', () => mixed(pair, ordinary));
  await step(t, pair, 'an 8-bit original arrives byte for byte', () => eightBit(pair));
  await step(t, pair, 'the same message submitted again is a new message', () => twice(pair));
  await step(t, pair, 'a virus is refused with its notice', () => virus(pair));
  await step(t, pair, 'nothing is left over, and both registers are untouched', () => atTheEnd(pair));
  await step(t, pair, 'the offline verifier proves every message', () => allProven(pair));
  await othersAgree(t);
});

async function alfaToBeta({ alfa, beta }: Pair): Promise<void> {
  const to = [beta.address('bruno')];
  const made = { to, subject: 'Contratto =?utf-8?Q?=E2=82=AC?= 1', messageId: 'uno@client.example' };
  const sent = await send(alfa, 'anna', made);
  const oggetto = 'Contratto € 1';

  const accettazione = await receipt(alfa, 'anna', sent, 'accettazione', alfa);
  assert.match(field(accettazione, 'Subject') ?? '', /^ACCETTAZIONE: /);
  assert.equal(field(accettazione, 'To'), alfa.address('anna'));
  assert.equal(field(accettazione, 'X-Riferimento-Message-ID'), '<uno@client.example>');
  const expected = {
    errore: 'nessuno',
    mittente: alfa.address('anna'),
    destinatari: [`certificato ${to[0]}`],
    oggetto,
    identificativo: sent.id,
    msgid: '<uno@client.example>',
    ricevuta: undefined,
    consegna: undefined,
    ricezione: [],
    esteso: undefined,
  };
  assert.deepEqual(said(accettazione), { ...expected, tipo: 'accettazione', gestore: alfa.name });
  assert.equal(postacertOf(accettazione), undefined);
  assert.match(readableText(accettazione), /è stato accettato dal sistema ed inoltrato/);

  const presa = await receipt(alfa, 'ricevute', sent, 'presa-in-carico', beta);
  assert.equal(field(presa, 'To'), alfa.address('ricevute'));
  assert.deepEqual(said(presa), { ...expected, tipo: 'presa-in-carico', gestore: beta.name, ricezione: to });

  const consegna = await receipt(alfa, 'anna', sent, 'avvenuta-consegna', beta);
  assert.deepEqual(said(consegna), {
    ...expected,
    tipo: 'avvenuta-consegna',
    gestore: beta.name,
    ricevuta: 'completa',
    consegna: to[0],
  });
  assertIsOriginal(postacertOf(consegna), sent);

  const busta = await one(beta, 'bruno', sent, 'posta-certificata');
  assert.equal(field(busta, 'Return-Path'), `<${alfa.address('anna')}>`);
  assert.equal(
    field(busta, 'From'),
    `"Per conto di: ${alfa.address('anna')}" <posta-certificata@${alfa.domain}>`,
  );
  assert.equal(field(busta, 'Reply-To'), alfa.address('anna'));
  assert.equal(field(busta, 'To'), to[0]);
  assert.equal(field(busta, 'Message-ID'), `<${sent.id}>`);
  assert.equal(field(busta, 'X-TipoRicevuta'), 'completa');
  assert.equal(said(busta).ricevuta, 'completa');
  assert.equal(said(busta).gestore, alfa.name);
  assertIsOriginal(postacertOf(busta), sent);
  met.push({ message: busta, signedBy: alfa });
}

async function betaToAlfa({ alfa, beta }: Pair): Promise<void> {
  const sent = await send(beta, 'bruno', { to: [alfa.address('anna')], subject: 'Risposta' });
  await receipt(beta, 'bruno', sent, 'accettazione', beta);
  await receipt(beta, 'ricevute', sent, 'presa-in-carico', alfa);
  assertIsOriginal(postacertOf(await receipt(beta, 'bruno', sent, 'avvenuta-consegna', alfa)), sent);
  assertIsOriginal(postacertOf(await one(alfa, 'anna', sent, 'posta-certificata')), sent);
}

async function insideAlfa({ alfa }: Pair): Promise<void> {
  const sent = await send(alfa, 'anna', { to: [alfa.address('aldo')], subject: 'In casa' });
  await receipt(alfa, 'anna', sent, 'accettazione', alfa);
  await receipt(alfa, 'ricevute', sent, 'presa-in-carico', alfa);
  assertIsOriginal(postacertOf(await receipt(alfa, 'anna', sent, 'avvenuta-consegna', alfa)), sent);
  assertIsOriginal(postacertOf(await one(alfa, 'aldo', sent, 'posta-certificata')), sent);
}

async function toAndCc({ alfa, beta }: Pair): Promise<void> {
  const to = [beta.address('bruno'), alfa.address('aldo')];
  const sent = await send(alfa, 'anna', { to, cc: [beta.address('berta')], subject: 'A e per conoscenza' });
  const found = await deliveries(alfa, 'anna', sent, 3);
  for (const recipient of to) assertIsOriginal(postacertOf(found.get(recipient) as Held), sent);
  const concise = found.get(beta.address('berta'));
  assert.ok(concise);
  assert.equal(postacertOf(concise), undefined);
  // Decisions 28: concise in content, <ricevuta> says what was asked for.
  assert.equal(said(concise).ricevuta, 'completa');
  assert.match(readableText(concise), /Ricevuta sintetica di avvenuta consegna/);
  // Decisions 1: one presa in carico a transaction; alfa's own recipient is a transaction of its own.
  const prese = await alfa.inbox('ricevute').waitFor(about(sent.id, 'presa-in-carico'), 2);
  assert.deepEqual(
    prese.flatMap((presa) => said(presa).ricezione).sort(),
    [...to, beta.address('berta')].sort(),
  );
  for (const message of found.values()) {
    met.push({ message, signedBy: said(message).gestore === alfa.name ? alfa : beta });
  }
}

async function brief({ alfa, beta }: Pair): Promise<void> {
  const attachment = Buffer.from('Il testo dell’allegato, né breve né lungo.').toString('base64');
  const body = [
    '--x',
    'Content-Type: text/plain',
    '',
    'In allegato.',
    '--x',
    'Content-Type: application/pdf; name="atto.pdf"',
    'Content-Transfer-Encoding: base64',
    '',
    attachment,
    '--x--',
    '',
  ].join('\r\n');
  const fields = ['MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=x', 'X-TipoRicevuta: breve'];
  const sent = await send(alfa, 'anna', { to: [beta.address('bruno')], subject: 'Breve', fields, body });
  const consegna = await receipt(alfa, 'anna', sent, 'avvenuta-consegna', beta);
  assert.equal(said(consegna).ricevuta, 'breve');
  const postacert = postacertOf(consegna)?.toString('latin1') ?? '';
  assert.match(postacert, /In allegato\./);
  assert.match(postacert, /name="?atto\.pdf\.hash"?/);
  // Decisions 27: SHA-1 over the part's body as it stands, encoded.
  assert.match(postacert, new RegExp(`\\b${createHash('sha1').update(attachment).digest('hex')}\\b`));
  assert.doesNotMatch(postacert, new RegExp(attachment.slice(0, 20)));
  assertIsOriginal(postacertOf(await one(beta, 'bruno', sent, 'posta-certificata')), sent);
}

async function concise({ alfa, beta }: Pair): Promise<void> {
  const to = [beta.address('bruno')];
  const cc = [beta.address('berta')];
  const made = { to, cc, subject: 'Sintetica', fields: ['X-TipoRicevuta: sintetica'] };
  const sent = await send(alfa, 'anna', made);
  for (const consegna of (await deliveries(alfa, 'anna', sent, 2)).values()) {
    assert.equal(said(consegna).ricevuta, 'sintetica');
    assert.equal(postacertOf(consegna), undefined);
    met.push({ message: consegna, signedBy: beta });
  }
}

async function mixed({ alfa, beta }: Pair, ordinary: FakePeer): Promise<void> {
  const to = [beta.address('bruno'), 'Utente@Ordinario.example'];
  const sent = await send(alfa, 'anna', { to, subject: 'A due mondi' });
  const accettazione = await receipt(alfa, 'anna', sent, 'accettazione', alfa);
  assert.deepEqual(said(accettazione).destinatari, [`certificato ${to[0]}`, `esterno ${to[1]}`]);
  assert.match(readableText(accettazione), /Utente@Ordinario\.example \("posta ordinaria"\)/);
  await receipt(alfa, 'anna', sent, 'avvenuta-consegna', beta);
  await settled({ alfa, beta });
  const arrived = ordinary.messages.filter(({ recipients }) => recipients.includes(to[1] ?? ''));
  assert.equal(arrived.length, 1);
  const [{ bytes: stuffed, mailFrom } = { bytes: Buffer.alloc(0), mailFrom: '' }] = arrived;
  assert.equal(mailFrom, alfa.address('anna'));
  const bytes = Buffer.from(stuffed.toString('latin1').replace(/^\./gm, ''), 'latin1');
  const busta = { bytes, header: headerOf(bytes) };
  assert.equal(field(busta, 'X-Trasporto'), 'posta-certificata');
  assertIsOriginal(postacertOf(busta), sent);
  met.push({ message: busta, signedBy: alfa });
}

async function eightBit({ alfa, beta }: Pair): Promise<void> {
  const octets = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1))
    .toString('latin1')
    .replace(/[\r\n]/g, '');
  const head = letter({
    from: alfa.address('anna'),
    to: [beta.address('bruno')],
    subject: 'Ottetti',
    body: '',
  });
  const content = Buffer.concat([head, Buffer.from(`${octets}\r\n`, 'latin1')]);
  const mail = { to: [beta.address('bruno')], content, parameters: ' BODY=8BITMIME' };
  const sent = { id: identificativoIn(await alfa.submit(alfa.account('anna'), mail, 'starttls')), content };
  assertIsOriginal(postacertOf(await one(beta, 'bruno', sent, 'posta-certificata')), sent);
  assertIsOriginal(postacertOf(await receipt(alfa, 'anna', sent, 'avvenuta-consegna', beta)), sent);
}

async function twice({ alfa, beta }: Pair): Promise<void> {
  const made = { to: [beta.address('bruno')], subject: 'Ancora', messageId: 'ancora@client.example' };
  const [first, second] = [await send(alfa, 'anna', made), await send(alfa, 'anna', made)];
  assert.notEqual(first.id, second.id);
  for (const sent of [first, second]) {
    await receipt(alfa, 'anna', sent, 'accettazione', alfa);
    await receipt(alfa, 'anna', sent, 'avvenuta-consegna', beta);
    await one(beta, 'bruno', sent, 'posta-certificata');
  }
}

async function virus({ alfa, beta }: Pair): Promise<void> {
  // In two pieces, so that no scanner takes this file for the test virus.
  const body = `${['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-', 'ANTIVIRUS-TEST-FILE!$H+H*'].join('')}\r\n`;
  const sent = await send(alfa, 'anna', { to: [beta.address('bruno')], subject: 'Infetto', body });
  const notice = await receipt(alfa, 'anna', sent, 'non-accettazione', alfa);
  assert.match(field(notice, 'Subject') ?? '', /^AVVISO DI NON ACCETTAZIONE PER VIRUS: Infetto/);
  assert.equal(field(notice, 'X-VerificaSicurezza'), 'errore');
  assert.equal(said(notice).errore, 'virus');
  assert.equal(postacertOf(notice), undefined);
}

async function atTheEnd(pair: Pair): Promise<void> {
  await settled(pair);
  for (const gestore of [pair.alfa, pair.beta]) {
    assert.match(await gestore.run(['registro', 'verify']), /^untouched: /);
  }
}

/** `ceralacca verify` on all of them, with the CAs and the directory as trust. */
async function allProven({ alfa, beta }: Pair): Promise<void> {
  const trust = join(alfa.dir, 'trust');
  mkdirSync(trust);
  for (const [name, { caFile, dir }] of Object.entries({ alfa, beta })) {
    copyFileSync(caFile, join(trust, `${name}.pem`));
    copyFileSync(join(dir, 'provider.ldif.p7m'), join(trust, `${name}.ldif.p7m`));
  }
  const files = met.map(({ message }, index) => {
    const file = join(alfa.dir, `${index}.eml`);
    writeFileSync(file, message.bytes);
    return file;
  });
  const { code, out } = await ceralacca(['verify', ...files, '--trust', trust, '--json']);
  const verdicts = (JSON.parse(out) as { file: string; verdict: string }[]).map(({ verdict }) => verdict);
  assert.deepEqual(verdicts, new Array(met.length).fill('PROVEN'));
  assert.equal(code, 0);
}

/** What other programs make of everything the steps met. */
async function othersAgree(t: TestContext): Promise<void> {
  await t.test('openssl verifies every signature', { skip: needs('openssl') }, () => {
    assert.ok(met.length > 20);
    for (const { message, signedBy } of met) assert.equal(opensslFault(message, signedBy.caFile), undefined);
    // And it can say no.
    const [first, other] = [met[0], met.find(({ signedBy }) => signedBy !== met[0]?.signedBy)];
    assert.ok(first && other);
    assert.match(opensslFault(first.message, other.signedBy.caFile) ?? '', /certificate verify error/);
  });
  await t.test('xmllint finds every daticert.xml valid', { skip: needs('xmllint') }, () => {
    for (const { message } of met) assert.equal(dtdFault(daticertXml(message)), undefined);
  });
}
