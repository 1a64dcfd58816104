import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runningClamd } from '../support/clamd.js';
import { EICAR } from '../support/eicar.js';
import { freePort } from '../support/free-ports.js';
import { type Pair, settled, step, type TestGestore, twoGestori } from '../support/gestore.js';
import { field } from '../support/inbox.js';
import { needs } from '../support/programs.js';
import { identificativoIn, letter } from './letters.js';
import { about, daticertXml, dtdFault, opensslFault, postacertOf, readableText, said } from './reading.js';

const skip = needs('clamd') || needs('xmllint') || needs('openssl');
const VIRUS = 'Test.EICAR.UNOFFICIAL';

interface Entry {
  readonly id: string;
  readonly kind: string;
  readonly identificativo: string;
  readonly virus: string;
  readonly engine: string;
  readonly sha256: string;
  readonly recipients: readonly string[];
}

const quarantine = async (gestore: TestGestore): Promise<readonly Entry[]> =>
  JSON.parse(await gestore.run(['quarantine', 'list', '--json']));

async function sendInfected({ alfa }: Pair, from: 'anna' | 'aldo', to: readonly string[]): Promise<string> {
  const content = letter({ from: alfa.address(from), to, subject: 'Fattura', body: `${EICAR}\r\n` });
  return identificativoIn(await alfa.submit(alfa.account(from), { to, content }));
}

test('a virus between two gestori: alfa sees nothing, beta sees it', { skip }, async (t) => {
  const near = await runningClamd(t, {}, { blind: true });
  const far = await runningClamd(t, {}, { port: await freePort() });
  const pair = await twoGestori(t, {
    alfa: { config: { antivirus: `{clamd: "${near.address}"}` } },
    beta: { config: { antivirus: `{clamd: "${far.address}"}` } },
  });
  let id = '';
  await step(
    t,
    pair,
    'the sender is told, the recipient gets nothing, both gestori keep record',
    async () => {
      id = await reported(pair);
    },
  );
  await step(t, pair, 'the quarantine: listed, shown, taken out, registered', () => takenOut(pair, id));
  await step(t, pair, 'our own user is told before anything leaves', () => notAccepted(pair));
  await step(t, pair, 'both are killed again and again: each message has each notice once', () =>
    killed(pair),
  );
  await step(t, pair, 'nothing is left over, every register is untouched', async () => {
    await settled(pair);
    for (const gestore of [pair.alfa, pair.beta])
      assert.match(await gestore.run(['registro', 'verify']), /^untouched: /);
  });
});

async function reported(pair: Pair): Promise<string> {
  const { alfa, beta } = pair;
  const to = [beta.address('bruno'), beta.address('berta')];
  const id = await sendInfected(pair, 'anna', to);
  await settled(pair);
  const inbox = await alfa.inbox('anna').waitFor((one) => said(one).identificativo === id, 3);
  assert.deepEqual(
    inbox.map((one) => `${said(one).tipo} ${said(one).errore} ${said(one).consegna ?? ''}`).sort(),
    ['accettazione nessuno ', ...to.map((one) => `errore-consegna virus ${one}`).sort()],
  );
  const told = inbox.filter(about(id, 'errore-consegna'));
  for (const message of told) {
    assert.match(field(message, 'Subject') ?? '', /^AVVISO DI MANCATA CONSEGNA PER VIRUS: Fattura/);
    assert.equal(field(message, 'X-VerificaSicurezza'), 'errore');
    assert.equal(field(message, 'From'), `posta-certificata@${alfa.domain}`);
    assert.deepEqual([said(message).gestore, said(message).esteso], [alfa.name, VIRUS]);
    assert.match(readableText(message), new RegExp(`è stato rilevato un problema di sicurezza ${VIRUS}\\.`));
  }
  const service = await alfa.inbox('ricevute').waitFor((one) => said(one).identificativo === id, 3);
  assert.deepEqual(
    service.map((one) => `${said(one).tipo} ${said(one).consegna ?? said(one).ricezione.join(' ')}`).sort(),
    [`presa-in-carico ${to.join(' ')}`, ...to.map((one) => `rilevazione-virus ${one}`).sort()],
    'CNIPA V-Q.1',
  );
  for (const [messages, signedBy] of [
    [told, alfa],
    [service, beta],
  ] as const) {
    for (const message of messages) {
      assert.equal(dtdFault(daticertXml(message)), undefined);
      assert.equal(opensslFault(message, signedBy.caFile), undefined);
      assert.equal(postacertOf(message), undefined, 'decisions 29');
    }
  }
  for (const local of ['bruno', 'berta']) assert.deepEqual(await beta.inbox(local).messages(), []);
  await registered(pair, id, to);
  return id;
}

async function registered({ alfa, beta }: Pair, id: string, to: readonly string[]): Promise<void> {
  const ours = await alfa.events('--identificativo', id);
  const names = (events: readonly { readonly event: string }[]) => events.map(({ event }) => event).sort();
  assert.deepEqual(names(ours), [
    'accettazione',
    ...to.map(() => 'errore-consegna'),
    'inoltro',
    'posta-certificata',
    ...['presa-in-carico', ...to].map(() => 'ricezione-notifica'),
  ]);
  for (const { detail } of ours.filter(({ event }) => event === 'errore-consegna')) {
    const { errore, virus, riesame, antivirus = '' } = detail;
    assert.deepEqual([errore, virus, riesame], ['virus', VIRUS, 'nessun virus rilevato']);
    assert.match(antivirus, /^ClamAV \d/);
  }
  const theirs = await beta.events('--identificativo', id);
  assert.deepEqual(names(theirs), [
    ...['presa-in-carico', ...to].map(() => 'inoltro'),
    'presa-in-carico',
    'ricezione-busta',
    ...to.map(() => 'rilevazione-virus'),
  ]);
  const [entry] = await quarantine(beta);
  for (const { detail } of theirs.filter(({ event }) => event === 'rilevazione-virus')) {
    assert.deepEqual([detail.virus, detail.quarantena], [VIRUS, entry?.id]);
    assert.match(detail.antivirus ?? '', /^ClamAV \d/);
  }
}

async function takenOut({ alfa, beta }: Pair, id: string): Promise<void> {
  assert.deepEqual(await quarantine(alfa), [], 'who finds it keeps it (RFC 6109 2.2.4)');
  const [entry, ...others] = await quarantine(beta);
  assert.ok(entry);
  assert.deepEqual(others, []);
  assert.deepEqual([entry.kind, entry.identificativo, entry.virus], ['envelope', id, VIRUS]);
  assert.match(entry.engine, /^ClamAV \d/);
  assert.deepEqual(JSON.parse(await beta.run(['quarantine', 'show', entry.id, '--json'])), entry);
  const out = join(beta.dir, 'infetto.eml');
  assert.match(await beta.run(['quarantine', 'export', entry.id, '--out', out]), new RegExp(VIRUS));
  assert.equal(statSync(out).mode & 0o777, 0o600);
  const bytes = readFileSync(out);
  assert.ok(bytes.includes(EICAR));
  assert.equal(createHash('sha256').update(bytes).digest('hex'), entry.sha256);
  const [taken] = await beta.events('--event', 'estrazione-quarantena');
  assert.deepEqual([taken?.identificativo, taken?.detail.quarantena], [id, entry.id]);
  const again = await beta.try(['quarantine', 'export', entry.id, '--out', out]);
  assert.equal(again.code, 1, 'never over another file');
  const none = await beta.try(['quarantine', 'export', 'none', '--out', join(beta.dir, 'none.eml')]);
  assert.match(none.err, /none is not in the quarantine/);
  assert.ok(!existsSync(join(beta.dir, 'none.eml')));
  assert.match(await beta.run(['doctor', '--deep']), /quarantine +ok +1 messages open/);
}

async function notAccepted({ beta }: Pair): Promise<void> {
  const to = [beta.address('berta')];
  const content = letter({ from: beta.address('bruno'), to, subject: 'Prova', body: `${EICAR}\r\n` });
  const id = identificativoIn(await beta.submit(beta.account('bruno'), { to, content }));
  const [notice] = await beta.inbox('bruno').waitFor(about(id, 'non-accettazione'));
  assert.ok(notice);
  assert.match(field(notice, 'Subject') ?? '', /^AVVISO DI NON ACCETTAZIONE PER VIRUS: Prova/, 'CNIPA D-P.1');
  assert.equal(said(notice).esteso, VIRUS);
  assert.equal(dtdFault(daticertXml(notice)), undefined);
  assert.equal(opensslFault(notice, beta.caFile), undefined);
  const kept = (await quarantine(beta)).filter(({ identificativo }) => identificativo === id);
  assert.deepEqual(
    kept.map(({ kind, recipients }) => ({ kind, recipients })),
    [{ kind: 'submission', recipients: to }],
  );
}

/** Notices and quarantine are one commit with the state that promises them: no moment is between. */
async function killed(pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const to = [beta.address('bruno')];
  const ids: string[] = [];
  const known = new Set((await alfa.inbox('ricevute').messages()).map(({ uid }) => uid));
  for (let round = 0; round < 4; round += 1) {
    for (let count = 0; count < 4; count += 1) ids.push(await sendInfected(pair, 'aldo', to));
    // Wherever they are in their work.
    const victim = round % 2 === 0 ? beta : alfa;
    await victim.stop('SIGKILL');
    await victim.start();
  }
  await settled(pair);
  const inbox = await alfa.inbox('aldo').messages();
  const service = (await alfa.inbox('ricevute').messages()).filter(({ uid }) => !known.has(uid));
  const kept = await quarantine(beta);
  for (const id of ids) {
    const kinds = (messages: typeof inbox) =>
      messages.filter((one) => said(one).identificativo === id).map((one) => said(one).tipo);
    assert.deepEqual(kinds(inbox), ['accettazione', 'errore-consegna'], id);
    assert.deepEqual(kinds(service).sort(), ['presa-in-carico', 'rilevazione-virus'], id);
    assert.equal(kept.filter(({ identificativo }) => identificativo === id).length, 1, id);
  }
  assert.equal(inbox.length, 2 * ids.length);
  assert.equal(
    (await beta.inbox('bruno').messages()).filter((one) => ids.includes(said(one).identificativo)).length,
    0,
  );
}
