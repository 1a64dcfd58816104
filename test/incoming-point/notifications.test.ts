import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeProviderRecord } from '../../src/directory/index.js';
import { Rope } from '../../src/rope/index.js';
import { postacertOf, said } from '../e2e/reading.js';
import { EICAR } from '../support/eicar.js';
import { forgedNotice } from '../support/forged.js';
import { field } from '../support/inbox.js';
import { aboutId, labels, signatureFaults } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { inTheClear, quarantined } from '../support/quarantined.js';
import { added, consegna, errore, ext, from, noticeFrom, presa, sent, tracking } from './answers-of-beta.js';
import { anna, bruno } from './arrivals.js';

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
    assert.equal(again.register[0]?.detail.ripetuta, 'identica');
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

  it('decisions 12: a virus the recipient\u2019s gestore found: service mailbox, tracking closed, the user told by us, once', async () => {
    const pair = here();
    const { alfa, clock, pki } = pair;
    const id = await sent(pair);
    const notice = (virus: string) =>
      noticeFrom(pair, id, { kind: 'rilevazione-virus', recipient: bruno, virus });
    const [first, second] = [await notice('Eicar'), await notice('Eicar.2')];
    const receive = (message: Buffer) => () =>
      alfa.receive({ mailFrom: from, recipients: [alfa.serviceMailbox], message });
    const alarms = alfa.alarms().length;
    const result = await added(pair, receive(first));
    assert.deepEqual(alfa.alarms().slice(alarms), ['virus-missed']);
    const { errore: cause, virus, riesame, antivirus } = result.register[1]?.detail ?? {};
    assert.deepEqual(
      { cause, virus, riesame, antivirus },
      { cause: 'virus', virus: 'Eicar', riesame: 'nessun virus rilevato', antivirus: 'builtin eicar' },
    );
    assert.deepEqual(
      [result.anna, result.service, result.events],
      [
        [`errore-consegna/virus ${bruno}`],
        [`rilevazione-virus/virus ${bruno}`],
        ['ricezione-notifica', 'errore-consegna'],
      ],
    );
    const told = aboutId(await alfa.inbox(anna), id).at(-1);
    assert.ok(told);
    assert.deepEqual([said(told).esteso, said(told).gestore], ['Eicar', alfa.name]);
    assert.equal(field(told, 'X-VerificaSicurezza'), 'errore');
    assert.equal(postacertOf(told), undefined, 'decisions 29: never the original');
    assert.deepEqual(await signatureFaults(told, pki.trust, clock.now), []);
    assert.equal((await tracking(pair, id))?.outcome, 'errore-consegna-virus');
    assert.deepEqual((await added(pair, receive(first))).anna, [], 'the same bytes: nothing more');
    const other = await added(pair, receive(second));
    assert.deepEqual([other.anna, other.service], [[], [`rilevazione-virus/virus ${bruno}`]]);
    assert.match(other.register[0]?.detail.anomalia ?? '', /contenuto diverso|esito diverso/);
    const kept = await alfa.store.read('findReceipts', { identificativo: id });
    assert.deepEqual(
      kept.map(({ direction, kind }) => `${direction} ${kind}`),
      ['issued accettazione', 'received rilevazione-virus', 'issued errore-consegna'],
    );
    const late = await added(pair, async () =>
      alfa.receive({ mailFrom: from, recipients: [anna], message: await noticeFrom(pair, id, consegna()) }),
    );
    assert.deepEqual(late.anna, ['anomalia'], 'decisions 2: the outcome stands');
  });

  it('RFC 6109 2.2.2: what our antivirus missed is looked at again: found by now, still unknown, or not readable', async () => {
    const pair = here();
    const { alfa } = pair;
    const submit = async (): Promise<string> => {
      alfa.switches.antivirusBlind = true;
      const id = await alfa.submit({ from: anna, to: [bruno], body: `${EICAR}\r\n` });
      alfa.switches.antivirusBlind = false;
      return id;
    };
    const cases = [
      ['found', 'Eicar-Test-Signature', {}],
      ['clean', 'nessun virus rilevato', { blind: true }],
      ['failed', 'non riuscito: its bytes are gone', { gone: true }],
    ] as const;
    for (const [now, riesame, trouble] of cases) {
      const id = await submit();
      const message = await noticeFrom(pair, id, { kind: 'rilevazione-virus', recipient: bruno, virus: 'V' });
      const outgoing = await alfa.store.read('findOutgoing', { identificativo: id });
      alfa.switches.antivirusBlind = 'blind' in trouble;
      alfa.switches.beforeOpen = (contentId) => {
        if ('gone' in trouble && contentId === outgoing?.contentId) throw new Error('its bytes are gone');
      };
      const result = await added(pair, () =>
        alfa.receive({ mailFrom: from, recipients: [alfa.serviceMailbox], message }),
      );
      Object.assign(alfa.switches, { antivirusBlind: false, beforeOpen: undefined });
      assert.deepEqual(result.anna, [`errore-consegna/virus ${bruno}`], 'the user is told all the same');
      assert.equal(result.register[1]?.detail.riesame, riesame);
      const missed = alfa.telemetry.recorded.filter(({ name }) => name === 'antivirus.missed').at(-1);
      assert.deepEqual(missed?.fields, { identificativo: id, virus: 'V', now });
    }
  });

  it('decisions 12: an infected notification counts, goes into quarantine, and its user reads what it said', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const message = await infectedConsegna(pair, id);
    const alarms = alfa.alarms().length;
    const receive = () => alfa.receive({ mailFrom: from, recipients: [anna], message });
    const result = await added(pair, receive);
    assert.deepEqual([result.anna, result.service], [['anomalia'], []]);
    assert.equal((await tracking(pair, id))?.outcome, 'avvenuta-consegna');
    const receipts = await alfa.store.read('findReceipts', { identificativo: id });
    assert.ok(receipts.some(({ kind }) => kind === 'avvenuta-consegna'));
    assert.deepEqual(alfa.alarms().slice(alarms), ['infected-notification']);
    const [kept, ...others] = await quarantined(alfa, id);
    assert.ok(kept && others.length === 0);
    assert.deepEqual([kept.kind, kept.gestore, kept.virus], ['notification', 'Beta PEC S.r.l.', VIRUS]);
    assert.deepEqual(await inTheClear(alfa, kept), message);
    const [entry, ...more] = result.register;
    assert.deepEqual(more, []);
    const { virus, antivirus, quarantena } = entry?.detail ?? {};
    assert.deepEqual([virus, antivirus, quarantena], [VIRUS, 'builtin eicar', kept.id]);
    const notice = (await alfa.inbox(anna)).at(-1);
    assert.ok(notice && !notice.bytes.includes(EICAR));
    const text = notice.bytes.toString('latin1').replace(/=\r\n/g, '');
    for (const word of ['"avvenuta-consegna"', VIRUS, bruno, id]) assert.ok(text.includes(word), word);
    assert.deepEqual(await signatureFaults(notice, pair.pki.trust, pair.clock.now), []);
    assert.deepEqual(entry?.related.at(-1), (field(notice, 'Message-ID') ?? '').replace(/[<>]/g, ''));

    const again = await added(pair, receive);
    assert.deepEqual([again.anna, again.events], [[], ['ricezione-notifica']], 'decisions 7');
    assert.equal(again.register[0]?.detail.quarantena, undefined, 'names nothing that is not there');
    assert.equal((await quarantined(alfa, id)).length, 1);
    assert.deepEqual(alfa.alarms().slice(alarms), ['infected-notification']);
    assert.deepEqual(
      await alfa.queue().then((rows) => rows.filter(({ kind }) => kind === 'notification')),
      [],
    );
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

const VIRUS = 'Eicar-Test-Signature';

/** A complete receipt whose original carries the test virus. */
function infectedConsegna({ beta, clock }: Pair, id: string): Promise<Buffer> {
  const original = Rope.of(`From: ${anna}\r\nTo: ${bruno}\r\nMessage-ID: <${id}>\r\n\r\n${EICAR}\r\n`);
  return forgedNotice({
    by: beta.gestore,
    to: anna,
    sender: anna,
    recipients: [bruno],
    identificativo: id,
    at: clock.now,
    notification: {
      kind: 'avvenuta-consegna',
      recipient: bruno,
      receipt: 'completa',
      form: 'completa',
      original,
      eightBit: false,
    },
  });
}
