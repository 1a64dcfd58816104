import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Rope } from '../../src/rope/index.js';
import { daticertXml, dtdFault, postacertOf, readableText, said } from '../e2e/reading.js';
import { EICAR } from '../support/eicar.js';
import { forgedNotice } from '../support/forged.js';
import { field } from '../support/inbox.js';
import { aboutId, labels, opensslComplaint } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { DAY, type Point } from '../support/points.js';
import { needs } from '../support/programs.js';
import { inTheClear, quarantined } from '../support/quarantined.js';
import { anna, answers, berta, bruno, eventsOf, fromAlfa } from './arrivals.js';

/** Octets of nonce and tag. */
const OVERHEAD = 28;
const VIRUS = 'Eicar-Test-Signature';
const service = 'ricevute@pec.alfa.example';
const infected = (pair: Pair, recipients: readonly string[] = [bruno], padding = 0) =>
  fromAlfa(pair, {
    recipients,
    subject: 'Fattura',
    body: `${EICAR}\r\n${`${'x'.repeat(76)}\r\n`.repeat(padding)}`,
  });

/** The notices about a message that wait in the queue, as they will lie in a mailbox. */
async function queued(point: Point, id: string) {
  const rows = (await point.queue()).filter(({ identificativo }) => identificativo === id);
  return Promise.all(
    rows.map(async ({ contentId }) => point.asStored(await (await point.store.open(contentId)).bytes())),
  );
}

describe('incoming point: infected envelopes', () => {
  const here = sharedPair();

  it('CNIPA V-Q.1: one transaction, two recipients: one presa in carico, a rilevazione virus each, no delivery', async () => {
    const pair = here();
    const { beta, clock } = pair;
    const { id, bytes } = await infected(pair, [bruno, berta]);
    await beta.receive({ mailFrom: anna, recipients: [bruno, berta], message: bytes });
    assert.deepEqual((await answers(beta, id)).sort(), [
      `notification presa-in-carico ${bruno} ${berta} -> ${service}`,
      `notification rilevazione-virus/virus ${berta} -> ${service}`,
      `notification rilevazione-virus/virus ${bruno} -> ${service}`,
    ]);
    for (const mailbox of [bruno, berta]) assert.deepEqual(await beta.inbox(mailbox), []);
    assert.deepEqual(await eventsOf(beta, id), [
      `ricezione-busta ${bruno} ${berta}`,
      `presa-in-carico ${bruno} ${berta}`,
      `rilevazione-virus ${bruno}`,
      `rilevazione-virus ${berta}`,
    ]);
    const [kept, ...others] = await quarantined(beta, id);
    assert.ok(kept);
    assert.deepEqual(others, [], 'one message, once');
    const { contentId: _, sealedSize, sha256, keyId, id: entry, ...rest } = kept;
    assert.deepEqual(rest, {
      at: clock.now,
      kind: 'envelope',
      identificativo: id,
      gestore: pair.alfa.name,
      sender: anna,
      recipients: [bruno, berta],
      subject: 'Fattura',
      virus: VIRUS,
      engine: 'builtin eicar',
      size: bytes.length,
    });
    assert.equal(sealedSize, bytes.length + OVERHEAD, 'nonce and tag (AES-256-GCM)');
    assert.deepEqual(await inTheClear(beta, kept), bytes);
    const told = (await beta.events(id)).filter(({ event }) => event === 'rilevazione-virus');
    for (const { detail } of told) {
      const { virus, antivirus, quarantena } = detail;
      assert.deepEqual(
        { virus, antivirus, quarantena },
        { virus: VIRUS, antivirus: 'builtin eicar', quarantena: entry },
      );
    }
    assert.ok(sha256.length === 64 && keyId.length === 16);
  });

  it('CNIPA V-Q1.1: the same envelope in two transactions: a presa in carico and a rilevazione virus for each', async () => {
    const pair = here();
    const { beta } = pair;
    const { id, bytes } = await infected(pair, [bruno, berta]);
    for (const recipient of [bruno, berta])
      await beta.receive({ mailFrom: anna, recipients: [recipient], message: bytes });
    assert.deepEqual((await answers(beta, id)).sort(), [
      `notification presa-in-carico ${berta} -> ${service}`,
      `notification presa-in-carico ${bruno} -> ${service}`,
      `notification rilevazione-virus/virus ${berta} -> ${service}`,
      `notification rilevazione-virus/virus ${bruno} -> ${service}`,
    ]);
    for (const mailbox of [bruno, berta]) assert.deepEqual(aboutId(await beta.inbox(mailbox), id), []);
  });

  it('the notice: its headers, its words, its daticert; no original (RFC 6109 3.2.3, decisions 29)', async () => {
    const pair = here();
    const { beta } = pair;
    const { id, bytes } = await infected(pair);
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const notice = (await queued(beta, id)).find((one) => said(one).tipo === 'rilevazione-virus');
    assert.ok(notice);
    assert.equal(field(notice, 'X-Ricevuta'), 'rilevazione-virus');
    assert.equal(field(notice, 'X-Mittente'), anna);
    assert.equal(field(notice, 'Subject'), 'PROBLEMA DI SICUREZZA: Fattura');
    assert.equal(field(notice, 'From'), 'posta-certificata@pec.beta.example');
    assert.equal(field(notice, 'To'), service);
    assert.match(readableText(notice), new RegExp(`è stato rilevato un problema di sicurezza ${VIRUS}\\.`));
    const { tipo, errore, consegna, esteso, identificativo, gestore } = said(notice);
    assert.deepEqual(
      { tipo, errore, consegna, esteso, identificativo, gestore },
      {
        tipo: 'rilevazione-virus',
        errore: 'virus',
        consegna: bruno,
        esteso: VIRUS,
        identificativo: id,
        gestore: beta.name,
      },
    );
    assert.equal(postacertOf(notice), undefined);
    assert.ok(!notice.bytes.includes(EICAR));
  });

  it('other programs agree: xmllint with the DTD, openssl with the signature', {
    skip: needs('xmllint') || needs('openssl'),
  }, async () => {
    const pair = here();
    const { beta, pki } = pair;
    const { id, bytes } = await infected(pair);
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const notices = await queued(beta, id);
    assert.equal(notices.length, 2);
    for (const notice of notices) {
      assert.equal(dtdFault(daticertXml(notice)), undefined);
      assert.equal(opensslComplaint(notice, pki.authority.certificatePem), undefined);
    }
  });

  it('decisions 7: repeated, the stored receipts go out again, each to its place; nothing more is kept', async () => {
    const pair = here();
    const { beta } = pair;
    const { id, bytes } = await infected(pair);
    const receive = () => beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const rows = async () =>
      (await beta.queue())
        .filter(({ identificativo }) => identificativo === id)
        .map(({ contentId, recipient }) => `${contentId} ${recipient}`);
    await receive();
    const first = await rows();
    // What was answered is answered again, whatever the scanner says by now.
    beta.switches.antivirusDown = true;
    await receive();
    beta.switches.antivirusDown = false;
    assert.deepEqual(await rows(), [...first, ...first]);
    assert.equal((await quarantined(beta, id)).length, 1);
    assert.deepEqual(aboutId(await beta.inbox(bruno), id), []);
  });

  it('an unknown mailbox, a full and a revoked one: the virus is what is told (RFC 6109 3.2.3)', async () => {
    const pair = here();
    const { beta } = pair;
    await beta.addMailbox(beta.address('piena'), { quota: 1 });
    await beta.addMailbox(beta.address('revocata'), { state: 'revoked' });
    const recipients = ['nessuno', 'piena', 'revocata'].map((local) => beta.address(local));
    const { id, bytes } = await infected(pair, recipients);
    await beta.receive({ mailFrom: anna, recipients, message: bytes });
    assert.deepEqual(
      (await answers(beta, id)).sort().slice(1),
      recipients.map((one) => `notification rilevazione-virus/virus ${one} -> ${service}`),
    );
  });

  it('decisions 6: whom it is not for gets nothing of it; with nobody else the session hears of the virus', async () => {
    const pair = here();
    const { beta } = pair;
    const both = await infected(pair);
    await beta.receive({ mailFrom: anna, recipients: [bruno, berta], message: both.bytes });
    assert.deepEqual((await answers(beta, both.id)).sort(), [
      `notification presa-in-carico ${bruno} -> ${service}`,
      `notification rilevazione-virus/virus ${bruno} -> ${service}`,
    ]);
    const refused = (await beta.events()).at(-1);
    assert.deepEqual(
      [refused?.event, refused?.recipients, refused?.detail.virus],
      ['rifiuto', [berta], VIRUS],
    );
    const alone = await infected(pair);
    await assert.rejects(beta.receive({ mailFrom: anna, recipients: [berta], message: alone.bytes }), {
      code: 550,
      enhanced: '5.7.1',
    });
    assert.deepEqual(await answers(beta, alone.id), []);
    const last = await lastApart(beta);
    assert.deepEqual(
      [last?.kind, last?.gestore],
      ['anomaly', pair.alfa.name],
      'RFC 6109 2.2.4: kept all the same',
    );
    assert.deepEqual(await beta.inbox(berta), []);
  });

  it('an infected envelope, or notice, for many whom it is not for goes into quarantine once', async () => {
    const pair = here();
    const { alfa, beta, clock } = pair;
    const many = [berta, 'uno@pec.beta.example', 'due@pec.beta.example'];
    const { id, bytes } = await infected(pair);
    const notice = await forgedNotice({
      by: alfa.gestore,
      to: bruno,
      sender: bruno,
      recipients: [anna],
      identificativo: id,
      at: clock.now,
      notification: {
        kind: 'avvenuta-consegna',
        recipient: anna,
        receipt: 'completa',
        form: 'completa',
        original: Rope.of(`From: ${bruno}\r\nTo: ${anna}\r\nMessage-ID: <${id}>\r\n\r\n${EICAR}\r\n`),
        eightBit: false,
      },
    });
    for (const message of [bytes, notice]) {
      const before = await quarantined(beta);
      await assert.rejects(beta.receive({ mailFrom: anna, recipients: many, message }), { code: 550 });
      assert.equal((await quarantined(beta)).length, before.length + 1);
      assert.deepEqual((await lastApart(beta))?.recipients, many);
    }
  });
});

describe('incoming point: a virus all the way', () => {
  const here = sharedPair();

  for (const [where, recipient] of [
    ['to another gestore', bruno],
    ['within one gestore, whose antivirus learns of it in between', 'aldo@pec.alfa.example'],
  ] as const) {
    it(`${where}: accettazione, then mancata consegna per virus, once; the recipient gets nothing`, async () => {
      const { alfa, beta, network } = here();
      alfa.switches.antivirusBlind = true;
      const id = await alfa.submit({ from: anna, to: [recipient], body: `${EICAR}\r\n` });
      alfa.switches.antivirusBlind = false;
      await network.pump();
      assert.deepEqual(labels(aboutId(await alfa.inbox(anna), id)), [
        'accettazione',
        `errore-consegna/virus ${recipient}`,
      ]);
      assert.deepEqual(labels(aboutId(await alfa.inbox(service), id)), [
        `presa-in-carico ${recipient}`,
        `rilevazione-virus/virus ${recipient}`,
      ]);
      const finder = recipient === bruno ? beta : alfa;
      assert.deepEqual(aboutId(await finder.inbox(recipient), id), []);
      assert.deepEqual(
        (await quarantined(finder, id)).map(({ kind }) => kind),
        ['envelope'],
      );
      const outgoing = await alfa.store.read('findOutgoing', { identificativo: id });
      assert.deepEqual(
        outgoing?.tracking.map(({ outcome, takenAt }) => [outcome, takenAt === null]),
        [['errore-consegna-virus', false]],
      );
    });
  }

  it('the same infected envelope several times at once: one presa in carico, one rilevazione, one entry', async () => {
    const pair = here();
    const { beta } = pair;
    const { id, bytes } = await infected(pair);
    const receive = () => beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    await Promise.all([receive(), receive(), receive(), receive()]);
    const receipts = await beta.store.read('findReceipts', { identificativo: id });
    assert.deepEqual(receipts.map(({ kind }) => kind).sort(), ['presa-in-carico', 'rilevazione-virus']);
    assert.equal((await quarantined(beta, id)).length, 1);
    const contents = (await beta.queue())
      .filter(({ identificativo }) => identificativo === id)
      .map(({ contentId }) => contentId);
    assert.equal(new Set(contents).size, 2, 'what goes out again is the same bytes');
  });
});

describe('incoming point: infected envelopes and what fails', () => {
  const here = sharedPair();

  it('the scanner is away: a temporary error, and nothing is there; back: everything is', async () => {
    const pair = here();
    const { beta } = pair;
    const { id, bytes } = await infected(pair);
    beta.switches.antivirusDown = true;
    await assert.rejects(beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes }), {
      name: 'AntivirusUnavailable',
    });
    assert.deepEqual(
      [await answers(beta, id), await beta.events(id), await quarantined(beta, id)],
      [[], [], []],
    );
    beta.switches.antivirusDown = false;
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    assert.equal((await answers(beta, id)).length, 2);
  });

  it('the commit fails: neither notices nor quarantine; once more: both, and the sweeper takes the ciphertext nobody names', async () => {
    const pair = here();
    const { beta, clock } = pair;
    // Over 64 KiB the ciphertext is a file, durable before the commit.
    const { id, bytes } = await infected(pair, [bruno], 2000);
    beta.switches.beforeWrite = (name) => {
      if (name !== 'commitReception') return;
      const sizes = blobsOf(beta).map((file) => statSync(file).size);
      assert.ok(sizes.includes(bytes.length + OVERHEAD), 'the ciphertext is in its place before the commit');
      throw new Error('the disk is gone');
    };
    await assert.rejects(
      beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes }),
      /the disk is gone/,
    );
    beta.switches.beforeWrite = undefined;
    assert.deepEqual(
      [await answers(beta, id), await beta.events(id), await quarantined(beta, id)],
      [[], [], []],
    );
    const leftover = blobsOf(beta);
    assert.ok(leftover.length > 0);
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const [kept] = await quarantined(beta, id);
    assert.ok(kept);
    clock.advance(2 * DAY);
    await beta.store.sweep({ now: clock.now });
    assert.deepEqual(await inTheClear(beta, kept), bytes);
    const files = blobsOf(beta);
    assert.equal(files.length, 1, 'what the failed commit had made is gone, and the message in the clear');
    for (const file of files)
      assert.ok(!readFileSync(file).includes(EICAR), 'nothing on the disk is a virus');
    assert.deepEqual(readdirSync(join(beta.folder, 'spool')), []);
  });

  it('each message has a nonce of its own: the same one twice is two different ciphertexts', async () => {
    const pair = here();
    const { beta } = pair;
    const first = await infected(pair);
    const sealed: Buffer[] = [];
    for (const recipient of [bruno, berta]) {
      await assert.rejects(
        beta.receive({ mailFrom: anna, recipients: [`altro-${recipient}`, berta], message: first.bytes }),
      );
      const last = await lastApart(beta);
      assert.ok(last);
      sealed.push(await (await beta.store.open(last.contentId)).bytes());
    }
    assert.notDeepEqual(sealed[0], sealed[1]);
    assert.ok(sealed.every((bytes) => !bytes.includes(EICAR)));
  });
});

/** The entry that the register named last. */
const lastApart = async (point: Point) =>
  point.store.read('findQuarantined', { id: (await point.events()).at(-1)?.detail.quarantena ?? '' });

function blobsOf({ folder }: Point): string[] {
  return readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
