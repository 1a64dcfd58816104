import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHeader } from '../../src/mime/index.js';
import { legalTime, type Notification } from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import { postacertOf } from '../e2e/reading.js';
import { forgedEnvelope, freshId, issuerOf, outer } from '../support/forged.js';
import { aboutId, label } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { added, aldo, consegna, errore, from, noticeFrom, presa, sent, tracking } from './answers-of-beta.js';
import { anna, berta, bruno } from './arrivals.js';

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

  it('decisions 7: a notification brought twice in one transaction, as the relay may, is one', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const message = await noticeFrom(pair, id, consegna());
    const result = await added(pair, async () => {
      await alfa.receive({ mailFrom: from, recipients: [anna], message });
      await alfa.receive({ mailFrom: from, recipients: [anna, anna.toUpperCase()], message });
    });
    assert.deepEqual(result.anna, [`avvenuta-consegna ${bruno}`]);
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
