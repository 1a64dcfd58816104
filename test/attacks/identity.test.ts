/**
 * Genuine messages in hands that are not meant to have them, and a gestore that lies: whoever knows an identificativo, an
 * envelope or a receipt must not gain a receipt, a tracking or a mailbox by it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { composeDsn } from '../../src/delivery-point/dsn.js';
import { writeProviderRecord } from '../../src/directory/index.js';
import { legalTime, type Notification } from '../../src/pec/index.js';
import {
  added,
  aldo,
  consegna,
  ext,
  from,
  noticeFrom,
  presa,
  sent,
  tracking,
} from '../incoming-point/answers-of-beta.js';
import { anna, answers, berta, bruno, fromAlfa } from '../incoming-point/arrivals.js';
import { forgedEnvelope, forgedNotice, outer, type Sealer } from '../support/forged.js';
import { aboutId, labels } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { signerOf } from '../support/pki.js';

const carla = 'carla@pec.gamma.example';

const liars = new WeakMap<Pair, Promise<Sealer>>();

/** A third gestore, in both directories, that signs whatever it likes. */
function liar(pair: Pair): Promise<Sealer> {
  const known = liars.get(pair) ?? enter(pair);
  liars.set(pair, known);
  return known;
}

async function enter({ alfa, beta, clock, pki }: Pair): Promise<Sealer> {
  const mailDomain = 'pec.gamma.example';
  const name = 'Gamma S.p.A.';
  const leaf = await pki.authority.issue({ name, email: `posta-certificata@${mailDomain}` });
  const record = writeProviderRecord({
    providerName: name,
    mailReceipt: `ricevute@${mailDomain}`,
    managedDomains: [mailDomain],
    certificates: [leaf.certificate],
    certificateHashes: [],
  });
  clock.advance(1000);
  for (const point of [alfa, beta]) {
    await point.directory.import(Buffer.from(record), pki.authority.certificatePem);
  }
  return { name, mailDomain, signer: signerOf(leaf) };
}

/** Everything durable that an attack may have moved. */
const state = async ({ alfa, beta }: Pair, id: string) => ({
  tracking: (await alfa.store.read('findOutgoing', { identificativo: id }))?.tracking,
  receipts: (await alfa.store.read('findReceipts', { identificativo: id })).length,
  issued: (await beta.store.read('findReceipts', { identificativo: id })).length,
  queued: [(await alfa.queue()).length, (await beta.queue()).length],
});

describe('an identificativo taken by another gestore first', () => {
  const here = sharedPair();

  it('decisions 7: the true envelope is delivered and answered all the same, and its sender hears of nothing else', async () => {
    const pair = here();
    const { alfa, beta, network } = pair;
    const gamma = await liar(pair);
    for (const recipients of [[bruno], [bruno, berta], ['nessuno@pec.beta.example']]) {
      const id = await sent(pair, [bruno]);
      const taken = await forgedEnvelope({
        by: gamma,
        sender: carla,
        recipients,
        at: pair.clock.now,
        identificativo: id,
      });
      await beta.receive({ mailFrom: carla, recipients, message: taken.bytes });
      const early = await answers(beta, id);
      assert.ok(
        early.length >= 2 &&
          early.every((answer) => /-> (?:carla|ricevute)@pec\.gamma\.example$/.test(answer)),
      );
      await network.pump(alfa);
      await network.pump();
      assert.deepEqual(labels(aboutId(await alfa.inbox(anna), id)), [
        'accettazione',
        `avvenuta-consegna ${bruno}`,
      ]);
      assert.equal((await tracking(pair, id))?.outcome, 'avvenuta-consegna');
      assert.notEqual((await tracking(pair, id))?.takenAt, null);
    }
  });

  it('decisions 7: taken afterwards, with the true envelope\u2019s own bytes inside, it gets no receipt of the true one', async () => {
    const pair = here();
    const { beta } = pair;
    const gamma: Sealer = await liar(pair);
    const { id } = await fromAlfa(pair);
    const mine = await fromAlfa(pair, { identificativo: id });
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: mine.bytes });
    const first = (await beta.queue()).map(({ contentId }) => contentId);
    const copy = await forgedEnvelope({
      by: gamma,
      sender: carla,
      recipients: [bruno],
      at: pair.clock.now,
      identificativo: id,
    });
    await beta.receive({ mailFrom: carla, recipients: [bruno], message: copy.bytes });
    const rows = (await beta.queue()).filter(({ contentId }) => !first.includes(contentId));
    assert.deepEqual(
      rows.map(({ recipient }) => recipient),
      ['ricevute@pec.gamma.example', carla],
    );
  });

  it('decisions 4, 5: it can say nothing about alfa\u2019s message, nor in the name of its users', async () => {
    const pair = here();
    const { alfa, beta } = pair;
    const gamma = await liar(pair);
    const id = await sent(pair);
    const before = await state(pair, id);
    const notices: Notification[] = [
      consegna(),
      { kind: 'errore-consegna', recipient: bruno, errore: 'no-dest', reason: 'x' },
      { kind: 'errore-consegna', recipient: bruno, virus: 'Eicar' },
      { kind: 'preavviso-errore-consegna', recipient: bruno, step: '24h' },
      { kind: 'accettazione' },
      { kind: 'non-accettazione', reasons: ['x'] },
      presa(bruno),
    ];
    for (const notification of notices) {
      const message = await forgedNotice({
        by: gamma,
        to: anna,
        sender: anna,
        recipients: [bruno],
        identificativo: id,
        at: pair.clock.now,
        notification,
      });
      const { anna: got, events } = await added(pair, () =>
        alfa.receive({ mailFrom: 'posta-certificata@pec.gamma.example', recipients: [anna], message }),
      );
      const service = notification.kind === 'presa-in-carico';
      assert.deepEqual(got, service ? [] : ['anomalia'], notification.kind);
      assert.deepEqual(events, service ? ['ricezione-notifica'] : ['busta-anomalia']);
    }
    const { receipts, ...now } = await state(pair, id);
    assert.deepEqual({ ...now, receipts: before.receipts }, before, `and ${receipts} receipts`);
    const queued = (await beta.queue()).length;
    const posing = await forgedEnvelope({ by: gamma, sender: anna, recipients: [bruno], at: pair.clock.now });
    const count = (await beta.inbox(bruno)).length;
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: posing.bytes });
    assert.deepEqual(
      labels((await beta.inbox(bruno)).slice(count)),
      ['anomalia'],
      'a sender of another gestore',
    );
    const dressed = await forgedEnvelope({
      by: gamma,
      sender: anna,
      recipients: [bruno],
      at: pair.clock.now,
      change: outer(/posta-certificata@pec\.gamma\.example/, 'posta-certificata@pec.alfa.example'),
    });
    await assert.rejects(beta.receive({ mailFrom: anna, recipients: [bruno], message: dressed.bytes }), {
      code: 550,
    });
    assert.equal((await beta.queue()).length, queued, 'no receipt of either');
  });
});

describe('an envelope replayed', () => {
  const here = sharedPair();

  it('decisions 6: to somebody it is not for: set apart, no receipt, and the true recipient is answered as before', async () => {
    const pair = here();
    const { alfa, beta } = pair;
    const { id, bytes } = await fromAlfa(pair);
    const aside = async (point: typeof alfa, who: string): Promise<void> => {
      const before = [(await point.inbox(who)).length, (await point.queue()).length] as const;
      await point.receive({ mailFrom: anna, recipients: [who], message: bytes });
      assert.deepEqual(labels((await point.inbox(who)).slice(before[0])), ['anomalia']);
      assert.equal((await point.queue()).length, before[1]);
    };
    await aside(beta, berta);
    await aside(alfa, aldo);
    await aside(alfa, anna);
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    assert.equal((await answers(beta, id)).length, 2);
    // Its outer To names whomever one likes: it is not signed, and decides nothing.
    const readdressed = Buffer.from(bytes.toString('latin1').replace(/^To: .*$/m, `To: ${berta}`), 'latin1');
    const before = (await beta.inbox(berta)).length;
    await beta.receive({ mailFrom: anna, recipients: [berta], message: readdressed });
    assert.deepEqual(labels((await beta.inbox(berta)).slice(before)), ['anomalia']);
    assert.equal((await answers(beta, id)).length, 2);
  });

  it('decisions 7: a hundred times, by a stranger, with another outer header: one copy, and the stored receipts alone', async () => {
    const pair = here();
    const { beta } = pair;
    const { id, bytes } = await fromAlfa(pair);
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const contents = new Set(
      (await beta.queue()).filter((row) => row.identificativo === id).map(({ contentId }) => contentId),
    );
    for (let at = 0; at < 100; at++) {
      const other = Buffer.from(
        bytes.toString('latin1').replace(/^Subject: .*$/m, `Subject: POSTA CERTIFICATA: ${at}`),
        'latin1',
      );
      await beta.receive({ mailFrom: anna, recipients: [bruno], message: other, peer: '203.0.113.66' });
    }
    assert.equal(aboutId(await beta.inbox(bruno), id).length, 1);
    assert.equal((await beta.store.read('findReceipts', { identificativo: id })).length, 2);
    const rows = (await beta.queue()).filter((row) => row.identificativo === id);
    assert.ok(
      rows.every(
        ({ contentId, recipient }) =>
          contents.has(contentId) && /^(?:anna|ricevute)@pec\.alfa\./.test(recipient),
      ),
    );
  });

  it('decisions 5: with another reverse path, or none: set apart, so that no receipt goes to the stranger', async () => {
    const pair = here();
    const { beta } = pair;
    const { id, bytes } = await fromAlfa(pair);
    const before = (await beta.inbox(bruno)).length;
    for (const mailFrom of ['', carla, aldo, 'x@gmail.example']) {
      await beta.receive({ mailFrom, recipients: [bruno], message: bytes });
      assert.deepEqual(await answers(beta, id), []);
    }
    assert.deepEqual(labels((await beta.inbox(bruno)).slice(before)), ['anomalia'], 'the same bytes once');
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    assert.equal(labels((await beta.inbox(bruno)).slice(before)).at(-1), 'posta-certificata');
    assert.equal((await answers(beta, id)).length, 2, 'and nothing was taken from the true one');
  });
});

describe('a receipt replayed', () => {
  const here = sharedPair();

  it('decisions 4, 23: to another user, to another gestore, about another message: nothing moves', async () => {
    const pair = here();
    const { alfa, beta } = pair;
    const [id, other] = [await sent(pair), await sent(pair)];
    const message = await noticeFrom(pair, id, consegna());
    const before = await state(pair, other);
    await alfa.receive({ mailFrom: from, recipients: [aldo], message });
    await beta.receive({ mailFrom: from, recipients: [bruno], message });
    // daticert.xml is base64: only unsigned lines and the text, which is signed, name it openly.
    const renamed = Buffer.from(message.toString('latin1').replaceAll(id, other), 'latin1');
    const changed = alfa.receive({ mailFrom: from, recipients: [anna], message: renamed });
    if (renamed.equals(message)) await changed;
    else await assert.rejects(changed, { code: 550 });
    assert.deepEqual(await state(pair, other), before);
  });

  it('decisions 7: again, and again under another outer header: one copy', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const message = await noticeFrom(pair, id, consegna());
    const dressed = Buffer.from(
      message.toString('latin1').replace(/^Subject: .*$/m, 'Subject: CONSEGNA: altro'),
      'latin1',
    );
    const result = await added(pair, async () => {
      for (const bytes of [message, message, dressed, dressed]) {
        await alfa.receive({ mailFrom: from, recipients: [anna], message: bytes });
      }
    });
    assert.deepEqual(result.anna, [`avvenuta-consegna ${bruno}`]);
  });

  it('decisions 4: alfa\u2019s own receipts, brought back from outside: no second one, no tracking', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const before = await state(pair, id);
    for (const bytes of (await alfa.inbox(anna)).slice(-3).map((held) => held.bytes)) {
      const message = Buffer.from(bytes.toString('latin1').replace(/^Return-Path: .*\r\n/, ''), 'latin1');
      const { anna: got } = await added(pair, () =>
        alfa.receive({ mailFrom: from, recipients: [anna], message }),
      );
      assert.ok(
        got.every((label) => label === 'anomalia'),
        got.join(),
      );
    }
    assert.deepEqual(await state(pair, id), before);
  });
});

describe('decisions 22: a delivery report that somebody made up', () => {
  const here = sharedPair();

  const report = ({ clock }: Pair, id: string): Promise<Buffer> =>
    composeDsn({
      time: legalTime(clock.now),
      hostname: 'mx.gmail.example',
      mailDomain: 'gmail.example',
      messageId: 'r@gmail.example',
      to: anna,
      recipients: [{ address: ext, status: '5.1.1', diagnostic: '550 no such user' }],
      opening: ['Non consegnato:', 'Not delivered:'],
      returned: Buffer.from(`Message-ID: <${id}>\r\nFrom: x@y.example\r\n\r\n`),
    }).bytes();

  it('decisions 22: whoever knows the identificativo gets an anomaly in, to its sender alone, and moves nothing', async () => {
    const pair = here();
    const { alfa, beta } = pair;
    const certified = await sent(pair);
    const external = await alfa.submit({ from: anna, to: [ext] });
    const before = [await state(pair, certified), await state(pair, external)];
    const refused = (point: typeof alfa, recipient: string, message: Buffer, mailFrom = '') =>
      assert.rejects(point.receive({ mailFrom, recipients: [recipient], message }), { code: 550 });
    await refused(alfa, anna, await report(pair, certified));
    await refused(alfa, aldo, await report(pair, external));
    await refused(alfa, anna, await report(pair, external), 'x@gmail.example');
    await refused(beta, bruno, await report(pair, external));
    const message = await report(pair, external);
    const result = await added(pair, () => alfa.receive({ mailFrom: '', recipients: [anna], message }));
    assert.deepEqual(result.anna, ['anomalia']);
    const again = await added(pair, () => alfa.receive({ mailFrom: '', recipients: [anna], message }));
    assert.deepEqual(again.anna, [], 'once');
    assert.deepEqual([await state(pair, certified), await state(pair, external)], before);
  });
});
