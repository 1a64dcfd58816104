import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Pair, settled, step, type TestGestore, twoGestori } from '../support/gestore.js';
import { field, type Held } from '../support/inbox.js';
import { SmtpClient } from '../support/mail-clients.js';
import { createAuthority, type Identity } from '../support/pki.js';
import { identificativoIn, letter } from './letters.js';
import { type Envelope, type EnvelopeWish, PeerGestore } from './peer.js';
import { about, readableText, said } from './reading.js';

const CERTIFIED_ONLY =
  '550 5.7.1 Questa casella riceve solo posta certificata / This mailbox accepts certified mail only';

/** What a step of this file works with. */
interface Place extends Pair {
  readonly gamma: PeerGestore;
}

/** An envelope of gamma's brought to beta's port 25. */
async function bring({ beta, gamma }: Place, bytes: Buffer, to: readonly string[], from = gamma.user) {
  return (await beta.receive({ from, to, content: bytes })).line;
}

const bruno = ({ beta }: Place): string => beta.address('bruno');

/** Nothing was certified: no register entry of a delivery, nothing sent to gamma. */
async function nothingSaid(place: Place, { identificativo }: Envelope): Promise<void> {
  await settled(place);
  const events = await place.beta.events('--identificativo', identificativo);
  assert.deepEqual(
    events.map(({ event }) => event).filter((event) => !['rifiuto', 'busta-anomalia'].includes(event)),
    [],
  );
  const mentions = place.gamma.listener.messages.filter(({ bytes }) => bytes.includes(identificativo));
  assert.equal(mentions.length, 0);
}

/** Entries about a message that was not certified have no identificativo: they say what it called itself. */
const refusedBy = async (gestore: TestGestore, { identificativo }: Envelope) =>
  (await gestore.events('--event', 'rifiuto')).filter(({ detail }) =>
    detail['message-id']?.includes(identificativo),
  );

/** The one anomaly envelope that holds these bytes, from a mailbox. */
async function anomalyWith(gestore: TestGestore, local: string, original: Buffer): Promise<Held> {
  const holds = (message: Held): boolean =>
    field(message, 'X-Trasporto') === 'errore' && message.bytes.includes(original);
  const [anomaly, ...more] = await gestore.inbox(local).waitFor(holds);
  assert.ok(anomaly);
  assert.equal(more.length, 0);
  assert.match(field(anomaly, 'Subject') ?? '', /^ANOMALIA MESSAGGIO:/);
  return anomaly;
}

/** Taken with 250, delivered as an anomaly, and nothing said to anybody (decisions 5, 6, 21). */
async function anomalous(place: Place, wish: EnvelopeWish, reason: RegExp, from?: string): Promise<void> {
  const envelope = await place.gamma.envelope(wish);
  assert.match(await bring(place, envelope.bytes, [bruno(place)], from), /^250 2\.0\.0 /);
  const anomaly = await anomalyWith(place.beta, 'bruno', envelope.bytes);
  assert.match(readableText(anomaly), reason);
  await nothingSaid(place, envelope);
}

test('what comes to port 25', async (t) => {
  const gamma = await PeerGestore.open();
  t.after(() => gamma.close());
  const pair = await twoGestori(t, {
    beta: { mailboxes: ['bruno', 'berta', 'sospesa', 'piena', 'revocata'] },
    prepare: async ({ alfa, beta }) => {
      await gamma.introduceTo(beta);
      await gamma.introduceTo(alfa);
    },
  });
  const place = { ...pair, gamma };
  const run = (name: string, doing: (place: Place) => Promise<void>) =>
    step(t, pair, name, () => doing(place));

  await run("a peer's envelope is taken in charge and delivered", delivered);
  await run('a repeated envelope: the same receipts again, one copy', repeated);
  await run('the same identificativo over other bytes is an anomaly', otherBytes);
  await run('one octet changed', tampered);
  await run('signed by a stranger', stranger);
  await run('signed by an expired certificate', (at) =>
    notCertified(at, gamma.expired, 'il certificato IT, Gamma PEC S.c.a r.l., Posta Certificata è scaduto'),
  );
  await run('signed by a revoked certificate', (at) =>
    notCertified(
      at,
      gamma.revoked,
      'il certificato IT, Gamma PEC S.c.a r.l., Posta Certificata è stato revocato',
    ),
  );
  await run('daticert and MAIL FROM disagree', (at) =>
    anomalous(
      at,
      { to: [bruno(at)] },
      /non coincide con il mittente della trasmissione/,
      'altri@pec.gamma.example',
    ),
  );
  await run('a sender whom the peer does not manage', (at) =>
    anomalous(
      at,
      { to: [bruno(at)], sender: at.alfa.address('anna') },
      /non è gestito da Gamma PEC/,
      at.alfa.address('anna'),
    ),
  );
  await run('an XML bomb for a daticert', (at) =>
    anomalous(at, { to: [bruno(at)], daticert: bomb }, /DOCTYPE e dichiarazioni di entità non sono ammessi/),
  );
  await run('an envelope for somebody else', forAnother);
  await run('an envelope that came without TLS', inClear);
  await run('mailboxes unknown, revoked, suspended, full', closedMailboxes);
  await run('ordinary mail', ordinary);
  await run('bare LF, bare CR, NUL', notCanonical);
  await run('a receipt from the wrong gestore', falseReceipt);
  await run('both registers are untouched', async ({ alfa, beta }) => {
    for (const gestore of [alfa, beta])
      assert.match(await gestore.run(['registro', 'verify']), /^untouched: /);
  });
});

async function delivered(place: Place): Promise<void> {
  const { beta, gamma } = place;
  const envelope = await gamma.envelope({ to: [bruno(place)] });
  assert.match(await bring(place, envelope.bytes, [bruno(place)]), /^250 2\.0\.0 /);
  const [busta] = await beta.inbox('bruno').waitFor(about(envelope.identificativo));
  // Decisions 16: Return-Path at final delivery, nothing else changes.
  assert.ok(
    busta?.bytes.equals(Buffer.concat([Buffer.from(`Return-Path: <${gamma.user}>\r\n`), envelope.bytes])),
  );
  await settled(place);
  const kinds = (address: string): string[] =>
    ofMessage(gamma, address, envelope).map((bytes) => said({ bytes }).tipo);
  assert.deepEqual(kinds(gamma.serviceMailbox), ['presa-in-carico']);
  assert.deepEqual(kinds(gamma.user), ['avvenuta-consegna']);
}

/** What beta said to an address of gamma's about one envelope. */
const ofMessage = (gamma: PeerGestore, address: string, { identificativo }: Envelope): Buffer[] =>
  gamma.received(address).filter((bytes) => said({ bytes }).identificativo === identificativo);

async function repeated(place: Place): Promise<void> {
  const { beta, gamma } = place;
  const to = [bruno(place), beta.address('berta')];
  const envelope = await gamma.envelope({ to });
  // First for one, then for both: old recipients get their stored receipts, new ones new receipts (decisions 7).
  for (const recipients of [[bruno(place)], to, to]) {
    assert.match(await bring(place, envelope.bytes, recipients), /^250 2\.0\.0 /);
    await settled(place);
  }
  for (const local of ['bruno', 'berta']) {
    const copies = (await beta.inbox(local).messages()).filter(about(envelope.identificativo));
    assert.equal(copies.length, 1);
  }
  const distinct = (messages: readonly Buffer[]): number =>
    new Set(messages.map((bytes) => bytes.toString('latin1'))).size;
  const consegne = ofMessage(gamma, gamma.user, envelope);
  assert.deepEqual([consegne.length, distinct(consegne)], [1 + 2 + 2, 2]);
  const prese = ofMessage(gamma, gamma.serviceMailbox, envelope);
  assert.deepEqual([prese.length, distinct(prese)], [1 + 2 + 2, 2]);
}

async function otherBytes(place: Place): Promise<void> {
  const { beta, gamma } = place;
  const first = await gamma.envelope({ to: [bruno(place)], subject: 'Vero' });
  await bring(place, first.bytes, [bruno(place)]);
  await settled(place);
  const before = gamma.listener.messages.length;
  const { identificativo } = first;
  const second = await gamma.envelope({ to: [bruno(place)], subject: 'Falso', identificativo });
  assert.match(await bring(place, second.bytes, [bruno(place)]), /^250 2\.0\.0 /);
  const anomaly = await anomalyWith(beta, 'bruno', second.bytes);
  assert.match(readableText(anomaly), /un messaggio diverso con lo stesso identificativo/);
  await settled(place);
  assert.equal(gamma.listener.messages.length, before);
}

async function tampered(place: Place): Promise<void> {
  const { beta, gamma } = place;
  const envelope = await gamma.envelope({ to: [bruno(place)] });
  const text = envelope.bytes.toString('latin1');
  const places = {
    'the original': text.indexOf('Buongiorno'),
    'daticert.xml': text.indexOf('PD94bWwg') + 7,
    // Of the last whole line of base64: the signature value itself.
    'the signature': text.search(/[A-Za-z0-9+/=]+\r\n\r\n------[0-9A-F]+--\r\n$/) - 20,
  };
  for (const [where, at] of Object.entries(places)) {
    const bytes = Buffer.from(envelope.bytes);
    bytes[at] = bytes[at] === 0x41 ? 0x42 : 0x41;
    assert.equal(await bring(place, bytes, [bruno(place)]), CERTIFIED_ONLY, where);
  }
  const refused = await refusedBy(beta, envelope);
  assert.deepEqual(
    refused.map(({ detail }) => detail.motivo),
    [
      'il contenuto è stato modificato dopo la firma',
      'il contenuto è stato modificato dopo la firma',
      'la firma non corrisponde al certificato',
    ],
  );
  await nothingSaid(place, envelope);
}

async function stranger(place: Place): Promise<void> {
  const authority = await createAuthority({ name: 'CA di nessuno' });
  const { name, domain } = place.gamma;
  const identity = await authority.issue({ name, email: `posta-certificata@${domain}` });
  await notCertified(
    place,
    identity,
    'la firma digitale del messaggio non appartiene a un gestore di posta certificata',
  );
}

/** Existence, origin or validity of the signature fails: ordinary mail, refused (decisions 21). */
async function notCertified(place: Place, signedBy: Identity, why: string): Promise<void> {
  const envelope = await place.gamma.envelope({ to: [bruno(place)], signedBy });
  assert.equal(await bring(place, envelope.bytes, [bruno(place)]), CERTIFIED_ONLY);
  const [refused] = await refusedBy(place.beta, envelope);
  assert.equal(refused?.detail.motivo, why);
  await nothingSaid(place, envelope);
}

/** A billion laughs. */
function bomb(xml: string): string {
  const entities = Array.from(
    { length: 9 },
    (_, level) => `<!ENTITY e${level + 1} "${`&e${level};`.repeat(10)}">`,
  );
  const doctype = `<!DOCTYPE postacert [<!ENTITY e0 "ah">${entities.join('')}]>`;
  return xml.replace('?>', `?>${doctype}`).replace('Da Gamma', '&e9;');
}

async function forAnother(place: Place): Promise<void> {
  const { beta, gamma } = place;
  const berta = beta.address('berta');
  const envelope = await gamma.envelope({ to: [bruno(place)] });
  assert.match(await bring(place, envelope.bytes, [bruno(place), berta]), /^250 2\.0\.0 /);
  await settled(place);
  // Decisions 6: an anomaly for her alone.
  const anomaly = await anomalyWith(beta, 'berta', envelope.bytes);
  assert.match(readableText(anomaly), /non è tra i destinatari indicati nei dati di certificazione/);
  const [busta] = await beta.inbox('bruno').waitFor(about(envelope.identificativo));
  assert.ok(busta);
  const [presa, ...otherPrese] = ofMessage(gamma, gamma.serviceMailbox, envelope);
  const [consegna, ...otherConsegne] = ofMessage(gamma, gamma.user, envelope);
  assert.ok(presa && consegna);
  assert.deepEqual([...otherPrese, ...otherConsegne], []);
  assert.deepEqual(said({ bytes: presa }).ricezione, [bruno(place)]);
  assert.equal(said({ bytes: consegna }).consegna, bruno(place));
}

async function inClear(place: Place): Promise<void> {
  const { beta, gamma } = place;
  const { bytes, identificativo } = await gamma.envelope({ to: [bruno(place)] });
  const reply = await beta.receive({ from: gamma.user, to: [bruno(place)], content: bytes }, 'none');
  assert.match(reply.line, /^250 2\.0\.0 /);
  await beta.inbox('bruno').waitFor(about(identificativo));
  // Decisions 21: accepted, registered, an alarm.
  const [entry] = await beta.events('--identificativo', identificativo, '--event', 'ricezione-busta');
  assert.equal(entry?.detail.canale, 'non protetto');
  assert.match(beta.log, new RegExp(`"event":"alarm".*envelope-without-tls.*${identificativo}`));
}

async function closedMailboxes(place: Place): Promise<void> {
  const { alfa, beta } = place;
  await beta.run(['mailbox', 'suspend', beta.address('sospesa')]);
  await beta.run(['mailbox', 'revoke', beta.address('revocata')]);
  await beta.run(['mailbox', 'quota', beta.address('piena'), '1KB']);
  // pec-format 9.
  const expected = {
    nessuno: ['no-dest', `5.1.1 - ${beta.name} - indirizzo non valido`],
    revocata: ['no-dest', `5.1.1 - ${beta.name} - indirizzo non valido`],
    sospesa: ['altro', `5.2.1 - ${beta.name} - casella disattivata`],
    piena: ['altro', `5.2.2 - ${beta.name} - casella piena`],
  };
  const to = Object.keys(expected).map((local) => beta.address(local));
  const anna = alfa.account('anna');
  const content = letter({ from: anna.address, to, subject: 'A porte chiuse' });
  const id = identificativoIn(await alfa.submit(anna, { to, content }));
  const notices = await alfa.inbox('anna').waitFor(about(id, 'errore-consegna'), to.length);
  for (const [local, [errore, esteso]] of Object.entries(expected)) {
    const notice = notices.find((message) => said(message).consegna === beta.address(local));
    assert.ok(notice, local);
    assert.match(field(notice, 'Subject') ?? '', /^AVVISO DI MANCATA CONSEGNA: A porte chiuse/);
    const { errore: word, esteso: reason, gestore } = said(notice);
    assert.deepEqual([word, reason, gestore], [errore, esteso, beta.name]);
    assert.match(readableText(notice), /Il messaggio è stato rifiutato dal sistema\./);
  }
  await settled(place);
  assert.equal((await alfa.inbox('anna').messages()).filter(about(id, 'avvenuta-consegna')).length, 0);
  // Decisions 20: presa in carico all the same.
  const prese = (await alfa.inbox('ricevute').messages()).filter(about(id, 'presa-in-carico'));
  assert.deepEqual(prese.flatMap((presa) => said(presa).ricezione).sort(), [...to].sort());
}

async function ordinary(place: Place): Promise<void> {
  const { beta } = place;
  const from = 'qualcuno@ordinario.example';
  const send = async (to: readonly string[]): Promise<string> =>
    (await beta.receive({ from, to, content: letter({ from, to, subject: 'Ordinaria' }) }, 'none')).line;
  assert.equal(await send([bruno(place)]), CERTIFIED_ONLY);
  assert.equal(await send([beta.address('nessuno')]), '550 5.1.1 Casella inesistente / No such mailbox');
  assert.equal(
    await send(['qualcuno@altrove.example']),
    '550 5.7.1 Dominio non gestito qui / Relaying denied: this domain is not managed here',
  );
}

async function notCanonical(place: Place): Promise<void> {
  const { beta, gamma } = place;
  const { bytes } = await gamma.envelope({ to: [bruno(place)] });
  const text = bytes.toString('latin1');
  for (const [bad, reply] of [
    ['Saluti\n', '554 5.6.0 Il messaggio contiene un LF senza CR / Message contains an LF without CR'],
    ['Saluti\r', '554 5.6.0 Il messaggio contiene un CR senza LF / Message contains a CR without LF'],
    ['Saluti\0', '554 5.6.0 Il messaggio contiene un ottetto NUL / Message contains a NUL octet'],
  ] as const) {
    assert.equal(
      await bring(place, Buffer.from(text.replace('Saluti', bad), 'latin1'), [bruno(place)]),
      reply,
    );
  }
  // The end of data in the manner of smugglers is not the end.
  const client = await SmtpClient.open(beta.server(25), 'none');
  const smuggled = `${letter({ from: gamma.user, to: [bruno(place)] })}\n.\r\nMAIL FROM:<x@y.example>\r\nRSET\r\n`;
  const reply = await client.send({ from: gamma.user, to: [bruno(place)], content: Buffer.from(smuggled) });
  assert.match(reply.line, /^554 5\.6\.0 /);
  assert.equal((await client.ask('NOOP')).code, 250);
  await client.quit();
}

async function falseReceipt(place: Place): Promise<void> {
  const { alfa, beta, gamma } = place;
  // Beta is away: nothing but the false receipt speaks of this message.
  await beta.stop();
  try {
    const anna = alfa.account('anna');
    const to = [bruno(place)];
    const content = letter({ from: anna.address, to, subject: 'Chi risponde?' });
    const identificativo = identificativoIn(await alfa.submit(anna, { to, content }));
    const bytes = await gamma.consegna({ identificativo, sender: anna.address, recipient: bruno(place) });
    const from = `posta-certificata@${gamma.domain}`;
    const reply = await alfa.receive({ from, to: [anna.address], content: bytes });
    assert.match(reply.line, /^250 2\.0\.0 /);
    const anomaly = await anomalyWith(alfa, 'anna', bytes);
    assert.match(readableText(anomaly), /il gestore Gamma PEC S\.c\.a r\.l\. non gestisce l'indirizzo/);
    await beta.start();
    await alfa.inbox('anna').waitFor(about(identificativo, 'avvenuta-consegna'));
    await settled(place);
  } finally {
    if (beta.pid === undefined) await beta.start();
  }
}
