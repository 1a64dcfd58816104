import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHeader } from '../../src/mime/index.js';
import type { Notification } from '../../src/pec/index.js';
import { legalTime } from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import { postacertOf } from '../e2e/reading.js';
import { forgedEnvelope, forgedNotice, freshId, issuerOf, outer } from '../support/forged.js';
import { aboutId, label, labels } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { anna, berta, bruno } from './arrivals.js';

const aldo = 'aldo@pec.alfa.example';
const ext = 'mario@gmail.example';

/** Anna's message to Bruno, accepted and not yet handed over. */
async function sent({ alfa }: Pair, to: readonly string[] = [bruno]): Promise<string> {
  return alfa.submit({ from: anna, to });
}

const noticeFrom = (
  { alfa, beta, clock }: Pair,
  id: string,
  notification: Notification,
  by: 'alfa' | 'beta' = 'beta',
): Promise<Buffer> =>
  forgedNotice({
    by: by === 'beta' ? beta.gestore : alfa.gestore,
    to: anna,
    sender: anna,
    recipients: [bruno],
    identificativo: id,
    at: clock.now,
    notification,
  });

const from = 'posta-certificata@pec.beta.example';
const presa = (...recipients: string[]): Notification => ({ kind: 'presa-in-carico', recipients });
const consegna = (recipient = bruno): Notification => ({
  kind: 'avvenuta-consegna',
  recipient,
  receipt: 'sintetica',
  form: 'sintetica',
});
const errore = (recipient = bruno): Notification => ({
  kind: 'errore-consegna',
  recipient,
  errore: 'no-dest',
  reason: '5.1.1 - Beta PEC S.r.l. - indirizzo non valido',
});

async function tracking({ alfa }: Pair, id: string, recipient = bruno) {
  const outgoing = await alfa.store.read('findOutgoing', { identificativo: id });
  return outgoing?.tracking.find((row) => row.recipient === recipient);
}

/** What a call added to anna's, aldo's and the service mailbox, and to the register. */
async function added(pair: Pair, call: () => Promise<void>) {
  const boxes = [anna, aldo, pair.alfa.serviceMailbox];
  const before = await Promise.all(boxes.map(async (box) => (await pair.alfa.inbox(box)).length));
  const entries = (await pair.alfa.events()).length;
  await call();
  const now = await Promise.all(boxes.map((box) => pair.alfa.inbox(box)));
  const [forAnna = [], forAldo = [], service = []] = now.map((box, index) =>
    labels(box.slice(before[index])),
  );
  const events = (await pair.alfa.events()).slice(entries);
  return {
    anna: forAnna,
    aldo: forAldo,
    service,
    events: events.map(({ event }) => event),
    register: events,
  };
}

describe('incoming point: notifications that count', () => {
  const here = sharedPair();

  it('decisions 4: presa in carico and consegna of the gestore that manages the recipient close its tracking', async () => {
    const pair = here();
    const { alfa, clock } = pair;
    const id = await sent(pair);
    clock.advance(1000);
    const first = await added(pair, async () =>
      alfa.receive({
        mailFrom: from,
        recipients: [alfa.serviceMailbox],
        message: await noticeFrom(pair, id, presa(bruno)),
      }),
    );
    assert.deepEqual(
      [first.anna, first.service, first.events],
      [[], [`presa-in-carico ${bruno}`], ['ricezione-notifica']],
    );
    assert.deepEqual(
      [(await tracking(pair, id))?.takenAt, (await tracking(pair, id))?.outcome],
      [clock.now, null],
    );
    clock.advance(1000);
    const second = await added(pair, async () =>
      alfa.receive({ mailFrom: from, recipients: [anna], message: await noticeFrom(pair, id, consegna()) }),
    );
    assert.deepEqual(
      [second.anna, second.service, second.events],
      [[`avvenuta-consegna ${bruno}`], [], ['ricezione-notifica']],
    );
    const row = await tracking(pair, id);
    assert.deepEqual([row?.outcome, row?.outcomeAt], ['avvenuta-consegna', clock.now]);
    const [event] = second.register;
    assert.deepEqual(
      [event?.gestore, event?.detail.tipo, event?.sender],
      ['Beta PEC S.r.l.', 'avvenuta-consegna', anna],
    );
    const kept = await alfa.store.read('findReceipts', { identificativo: id });
    assert.deepEqual(
      kept.map(({ direction, kind, recipient }) => `${direction} ${kind} ${recipient}`),
      ['issued accettazione ', 'received presa-in-carico ', `received avvenuta-consegna ${bruno}`],
    );
  });

  it('decisions 7: a byte-identical notification is answered 250, without a second copy', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const message = await noticeFrom(pair, id, consegna());
    await alfa.receive({ mailFrom: from, recipients: [anna], message });
    const again = await added(pair, () => alfa.receive({ mailFrom: from, recipients: [anna], message }));
    assert.deepEqual([again.anna, again.events], [[], ['ricezione-notifica']]);
  });

  it('decisions 7: the same notification said again in other bytes is set apart, the tracking stays', async () => {
    const pair = here();
    const { alfa, clock } = pair;
    const id = await sent(pair);
    await alfa.receive({
      mailFrom: from,
      recipients: [anna],
      message: await noticeFrom(pair, id, consegna()),
    });
    const outcome = await tracking(pair, id);
    clock.advance(5000);
    const again = await added(pair, async () =>
      alfa.receive({ mailFrom: from, recipients: [anna], message: await noticeFrom(pair, id, consegna()) }),
    );
    assert.deepEqual([again.anna, again.events], [['anomalia'], ['busta-anomalia']]);
    assert.deepEqual(await tracking(pair, id), outcome);
  });

  it('decisions 2: one final outcome: an errore-consegna after the consegna is an anomaly, and the other way round', async () => {
    const pair = here();
    const { alfa } = pair;
    for (const [one, other, outcome] of [
      [consegna(), errore(), 'avvenuta-consegna'],
      [errore(), consegna(), 'errore-consegna'],
    ] as const) {
      const id = await sent(pair);
      await alfa.receive({ mailFrom: from, recipients: [anna], message: await noticeFrom(pair, id, one) });
      const late = await added(pair, async () =>
        alfa.receive({ mailFrom: from, recipients: [anna], message: await noticeFrom(pair, id, other) }),
      );
      assert.deepEqual(late.anna, ['anomalia']);
      assert.match(late.register[0]?.detail.motivo ?? '', /è già noto un esito diverso/);
      assert.equal((await tracking(pair, id))?.outcome, outcome);
    }
  });

  it('a presa in carico that comes after the consegna is recorded (RFC 6109 3.5)', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    await alfa.receive({
      mailFrom: from,
      recipients: [anna],
      message: await noticeFrom(pair, id, consegna()),
    });
    await alfa.receive({
      mailFrom: from,
      recipients: [alfa.serviceMailbox],
      message: await noticeFrom(pair, id, presa(bruno)),
    });
    assert.notEqual((await tracking(pair, id))?.takenAt, null);
  });

  it('decisions 3: a genuine consegna for an external recipient is delivered and the inconsistency registered', async () => {
    const pair = here();
    const { alfa, beta, clock, pki } = pair;
    const id = await sent(pair, [ext]);
    const record = { ...beta.directory.own(), managedDomains: ['pec.beta.example', 'gmail.example'] };
    clock.advance(1000);
    const { writeProviderRecord } = await import('../../src/directory/index.js');
    await alfa.directory.import(Buffer.from(writeProviderRecord(record)), pki.authority.certificatePem);
    const result = await added(pair, async () =>
      alfa.receive({
        mailFrom: from,
        recipients: [anna],
        message: await noticeFrom(pair, id, consegna(ext)),
      }),
    );
    assert.deepEqual(result.anna, [`avvenuta-consegna ${ext}`]);
    assert.match(result.register[0]?.detail.incongruenza ?? '', /era esterno alla posta certificata/);
    await alfa.directory.import(Buffer.from(beta.directory.ownLdif()), pki.authority.certificatePem);
  });

  it('decisions 9: receipts for a full, a suspended and a revoked mailbox are always stored', async () => {
    const pair = here();
    const { alfa } = pair;
    for (const change of [{ quota: 1 }, { state: 'suspended' }, { state: 'revoked' }] as const) {
      const address = `casella-${Object.values(change)[0]}@pec.alfa.example`;
      await alfa.addMailbox(address);
      const id = await alfa.submit({ from: address, to: [bruno] });
      await alfa.setMailbox(address, change);
      const message = await forgedNotice({
        by: pair.beta.gestore,
        to: address,
        sender: address,
        recipients: [bruno],
        identificativo: id,
        at: pair.clock.now,
        notification: consegna(),
      });
      await alfa.receive({ mailFrom: from, recipients: [address], message });
      assert.deepEqual(labels(aboutId(await alfa.inbox(address), id)), [
        'accettazione',
        `avvenuta-consegna ${bruno}`,
      ]);
      assert.equal((await alfa.store.read('findReceipts', { identificativo: id })).length, 2);
    }
  });
});

describe('incoming point: notifications that do not count', () => {
  const here = sharedPair();

  /** An anomaly for anna, the tracking as it was. */
  async function isAnomaly(
    pair: Pair,
    id: string,
    message: Buffer,
    reason: RegExp,
    mailFrom = from,
  ): Promise<void> {
    const before = await tracking(pair, id);
    const receipts = await pair.alfa.store.read('findReceipts', { identificativo: id });
    const result = await added(pair, () => pair.alfa.receive({ mailFrom, recipients: [anna], message }));
    assert.deepEqual(
      [result.anna, result.aldo, result.service, result.events],
      [['anomalia'], [], [], ['busta-anomalia']],
    );
    assert.match(result.register[0]?.detail.motivo ?? '', reason);
    assert.deepEqual(await tracking(pair, id), before);
    assert.deepEqual(await pair.alfa.store.read('findReceipts', { identificativo: id }), receipts);
  }

  it('decisions 4: one of a gestore that does not manage the recipient', async () => {
    const pair = here();
    const id = await sent(pair, [aldo]);
    await isAnomaly(pair, id, await noticeFrom(pair, id, consegna(aldo)), /non gestisce l'indirizzo/);
  });

  it('decisions 4: about nobody\u2019s message, or about a recipient it never had', async () => {
    const pair = here();
    const unknown = freshId(pair.clock.now, 'pec.alfa.example');
    await isAnomaly(
      pair,
      unknown,
      await noticeFrom(pair, unknown, consegna()),
      /non risulta inviato da questo gestore/,
    );
    const id = await sent(pair);
    await isAnomaly(pair, id, await noticeFrom(pair, id, consegna(berta)), /non è tra i destinatari/);
  });

  it('decisions 4: accettazione, non-accettazione, preavviso and errore-consegna per virus come only from us', async () => {
    const pair = here();
    const id = await sent(pair);
    const foreign: Notification[] = [
      { kind: 'accettazione' },
      { kind: 'non-accettazione', reasons: ['mai accettato'] },
      { kind: 'preavviso-errore-consegna', recipient: bruno, step: '24h' },
      { kind: 'errore-consegna', recipient: bruno, virus: 'Eicar' },
    ];
    for (const notification of foreign) {
      await isAnomaly(
        pair,
        id,
        await noticeFrom(pair, id, notification),
        /può essere emesso solo dal gestore del mittente/,
      );
    }
  });

  it('decisions 4: a copy of our own accettazione that comes in is no accettazione', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const [own] = aboutId(await alfa.inbox(anna), id);
    const message = Buffer.from(
      own?.bytes.toString('latin1').replace(/^Return-Path: .*\r\n/, '') ?? '',
      'latin1',
    );
    for (const recipient of [anna, aldo]) {
      const result = await added(pair, () =>
        alfa.receive({ mailFrom: 'ladro@altrove.example', recipients: [recipient], message }),
      );
      assert.deepEqual([...result.anna, ...result.aldo], ['anomalia']);
      assert.deepEqual(result.events, ['busta-anomalia']);
    }
    assert.equal((await alfa.store.read('findReceipts', { identificativo: id })).length, 1);
  });

  it('decisions 23: what is said of a message goes to its sender: for another user it is an anomaly', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const message = await noticeFrom(pair, id, consegna());
    const result = await added(pair, () => alfa.receive({ mailFrom: from, recipients: [aldo], message }));
    assert.deepEqual([result.anna, result.aldo, result.events], [[], ['anomalia'], ['busta-anomalia']]);
    assert.equal((await tracking(pair, id))?.outcome, null);
    const after = await added(pair, () => alfa.receive({ mailFrom: from, recipients: [anna], message }));
    assert.deepEqual(after.anna, [`avvenuta-consegna ${bruno}`], 'and the true one still counts');
  });

  it('decisions 23: a presa in carico sent to a user lands in the service mailbox, never with him', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const message = await noticeFrom(pair, id, presa(bruno));
    const result = await added(pair, () => alfa.receive({ mailFrom: from, recipients: [anna], message }));
    assert.deepEqual([result.anna, result.service], [[], [`presa-in-carico ${bruno}`]]);
    assert.notEqual((await tracking(pair, id))?.takenAt, null);
  });

  it('decisions 23: nothing else gets into the service mailbox', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const result = await added(pair, async () => {
      const message = await noticeFrom(pair, id, consegna());
      await assert.rejects(alfa.receive({ mailFrom: from, recipients: [alfa.serviceMailbox], message }), {
        code: 550,
      });
    });
    assert.deepEqual([result.service, result.events], [[], []]);
    assert.equal((await tracking(pair, id))?.outcome, null);
  });

  it('decisions 4: a presa in carico for several: the good ones count, the rest is noted', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair, [bruno, berta, aldo]);
    const message = await noticeFrom(pair, id, presa(bruno, aldo, berta));
    const result = await added(pair, () =>
      alfa.receive({ mailFrom: from, recipients: [alfa.serviceMailbox], message }),
    );
    assert.deepEqual(result.service, [`presa-in-carico ${bruno} ${aldo} ${berta}`]);
    assert.match(result.register[0]?.detail.anomalia ?? '', /non gestisce l'indirizzo aldo/);
    const taken = await Promise.all(
      [bruno, berta, aldo].map(async (who) => (await tracking(pair, id, who))?.takenAt !== null),
    );
    assert.deepEqual(taken, [true, true, false]);
  });

  it('decisions 4: rilevazione-virus about nothing of ours: service mailbox and alarm, nothing to a user', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const unknown = freshId(pair.clock.now, 'pec.alfa.example');
    for (const [about, recipient] of [
      [unknown, bruno],
      [id, berta],
    ] as const) {
      const alarms = alfa.alarms().length;
      const message = await noticeFrom(pair, about, { kind: 'rilevazione-virus', recipient, virus: 'Eicar' });
      const result = await added(pair, () => alfa.receive({ mailFrom: from, recipients: [anna], message }));
      assert.deepEqual([result.anna, result.service], [[], [`rilevazione-virus/virus ${recipient}`]]);
      assert.deepEqual(alfa.alarms().slice(alarms), ['notification-of-nothing']);
    }
    assert.equal((await tracking(pair, id))?.outcome, null);
  });

  it('decisions 29: a notice that may not carry the original and does is an anomaly', async () => {
    const pair = here();
    const id = await sent(pair);
    const whole = await forgedEnvelope({
      by: pair.beta.gestore,
      sender: berta,
      recipients: [anna],
      at: pair.clock.now,
      change: outer('X-Trasporto: posta-certificata', 'X-Ricevuta: rilevazione-virus'),
    });
    assert.ok(postacertOf({ bytes: whole.bytes }));
    await isAnomaly(pair, id, whole.bytes, /X-Ricevuta vale "rilevazione-virus"/, berta);
  });
});

describe('incoming point: receipts never breed', () => {
  const here = sharedPair();

  it('decisions 8: no notification causes a queue row or a tracking, whatever becomes of it', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const queued = (await alfa.queue()).length;
    const messages = [consegna(), errore(), { kind: 'accettazione' } as const, presa(bruno)];
    for (const notification of messages) {
      await alfa.receive({
        mailFrom: from,
        recipients: [anna],
        message: await noticeFrom(pair, id, notification),
      });
    }
    const nowhere = await noticeFrom(pair, id, { kind: 'accettazione' });
    await assert.rejects(
      alfa.receive({ mailFrom: from, recipients: ['nessuno@pec.alfa.example'], message: nowhere }),
      { code: 550, enhanced: '5.1.1' },
    );
    assert.equal((await alfa.queue()).length, queued);
  });

  it('decisions 8: a peer\u2019s anomaly envelope is delivered as it is and triggers nothing more', async () => {
    const pair = here();
    const { alfa, beta, clock } = pair;
    const original = Buffer.from(
      `From: x@y.example\r\nTo: ${anna}\r\nMessage-ID: <o@y.example>\r\nSubject: s\r\n\r\nt\r\n`,
    );
    const sealed = await issuerOf(beta.gestore).anomaly({
      time: legalTime(clock.now),
      mailFrom: 'x@y.example',
      recipients: [anna],
      receivedHeader: await readHeader(Rope.of(original)),
      original: Rope.of(original),
      eightBit: false,
      reason: 'prova',
    });
    const message = await sealed.rope.bytes();
    const queued = (await alfa.queue()).length;
    const result = await added(pair, () =>
      alfa.receive({ mailFrom: 'x@y.example', recipients: [anna], message }),
    );
    assert.deepEqual([result.anna, result.events], [['anomalia'], ['ricezione-anomalia']]);
    const last = (await alfa.inbox(anna)).at(-1);
    assert.deepEqual(
      last?.bytes,
      Buffer.concat([Buffer.from('Return-Path: <x@y.example>\r\n'), message]),
      'not wrapped again',
    );
    assert.ok(last && label(last) === 'anomalia');
    assert.equal((await alfa.queue()).length, queued);
    const again = await added(pair, () =>
      alfa.receive({ mailFrom: 'x@y.example', recipients: [anna], message }),
    );
    assert.deepEqual(again.anna, [], 'nor twice');
    await assert.rejects(
      alfa.receive({ mailFrom: 'x@y.example', recipients: ['nessuno@pec.alfa.example'], message }),
      { code: 550, enhanced: '5.1.1' },
    );
    assert.equal((await alfa.queue()).length, queued);
  });
});
