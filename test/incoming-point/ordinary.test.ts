import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { composeDsn } from '../../src/delivery-point/dsn.js';
import { legalTime } from '../../src/pec/index.js';
import { readableText } from '../e2e/reading.js';
import { EICAR } from '../support/eicar.js';
import { field } from '../support/inbox.js';
import { label, labels, signatureFaults } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import type { Point } from '../support/points.js';
import { quarantined } from '../support/quarantined.js';
import { anna, bruno } from './arrivals.js';

const stranger = 'mario@gmail.example';
const ext = 'zio@gmail.example';

const plain = (to: string, more = ''): Buffer =>
  Buffer.from(
    `From: ${stranger}\r\nTo: ${to}\r\nSubject: Offerta\r\nMessage-ID: <o${to}${more.length}@gmail.example>\r\n\r\nciao${more}\r\n`,
  );

const eventsSince = async (point: Point, from: number) =>
  (await point.events()).slice(from).map(({ event, recipients, detail }) => ({ event, recipients, detail }));

describe('incoming point: ordinary mail', () => {
  const here = sharedPair();

  it('decisions 20: ordinary mail is refused after DATA: 5.7.1 to a mailbox, 5.1.1 where there is none', async () => {
    const { beta } = here();
    for (const [recipients, enhanced] of [
      [[bruno], '5.7.1'],
      [['nessuno@pec.beta.example'], '5.1.1'],
      [[bruno, 'nessuno@pec.beta.example'], '5.7.1'],
      [['posta-certificata@pec.beta.example'], '5.1.1'],
    ] as const) {
      const [mailbox, queue, entries] = [
        (await beta.inbox(bruno)).length,
        (await beta.queue()).length,
        (await beta.events()).length,
      ];
      const message = plain(recipients.join());
      await assert.rejects(beta.receive({ mailFrom: stranger, recipients, message }), {
        code: 550,
        enhanced,
      });
      assert.deepEqual([(await beta.inbox(bruno)).length, (await beta.queue()).length], [mailbox, queue]);
      assert.deepEqual(await eventsSince(beta, entries), [
        {
          event: 'rifiuto',
          recipients,
          detail: {
            motivo: 'il messaggio non è firmato da un gestore',
            da: '198.51.100.9',
            'message-id': `<o${recipients.join()}0@gmail.example>`,
          },
        },
      ]);
    }
    const [last] = (await beta.events()).slice(-1);
    assert.deepEqual([last?.sender, last?.subject, last?.gestore], [stranger, 'Offerta', 'Beta PEC S.r.l.']);
  });

  it('decisions 22: a bounce to posta-certificata@ is registered and kept with the gestore, never answered', async () => {
    const { beta } = here();
    const signing = 'posta-certificata@pec.beta.example';
    const [service, queue, entries] = [
      (await beta.inbox(beta.serviceMailbox)).length,
      (await beta.queue()).length,
      (await beta.events()).length,
    ];
    const message = plain(signing, ' rimbalzo');
    await beta.receive({ mailFrom: '', recipients: [signing], message });
    await beta.receive({ mailFrom: '', recipients: [signing], message });
    assert.equal((await beta.inbox(beta.serviceMailbox)).length, service + 1);
    assert.equal((await beta.queue()).length, queue);
    assert.deepEqual(
      (await eventsSince(beta, entries)).map(({ event }) => event),
      ['ricezione-ordinaria', 'ricezione-ordinaria'],
    );
  });

  it('of a large bounce the lines that fit are kept, none cut in two', async () => {
    const { beta } = here();
    const signing = 'posta-certificata@pec.beta.example';
    for (const width of [61, 62]) {
      const message = plain(signing, `\r\n${`${'x'.repeat(width)}\r\n`.repeat(2000)}`);
      await beta.receive({ mailFrom: '', recipients: [signing], message });
      const kept = (await beta.inbox(beta.serviceMailbox)).at(-1)?.bytes ?? Buffer.alloc(0);
      assert.ok(kept.length > 60_000 && kept.length < 66_000, String(kept.length));
      assert.equal(kept.subarray(-4).toString('latin1'), 'xx\r\n');
    }
  });

  it('a bounce with a virus is refused 5.7.1 and registered with its virus; nothing is kept', async () => {
    const { beta } = here();
    const signing = 'posta-certificata@pec.beta.example';
    await isRefusedForVirus(beta, '', signing);
  });
});

describe('incoming point: ordinary mail with a virus', () => {
  const here = sharedPair({ beta: { ordinaryMail: 'anomaly' } });

  it('is refused 5.7.1 where ordinary mail is taken, and registered with its virus (RFC 6109 2.2.2)', async () => {
    await isRefusedForVirus(here().beta, stranger, bruno);
  });

  it('with the scanner away it is put off', async () => {
    const { beta } = here();
    beta.switches.antivirusDown = true;
    await assert.rejects(
      beta.receive({ mailFrom: stranger, recipients: [bruno], message: plain(bruno, EICAR) }),
      { name: 'AntivirusUnavailable' },
    );
    beta.switches.antivirusDown = false;
    assert.deepEqual(await beta.inbox(bruno), []);
  });
});

/** It is handled as on the Internet: what a stranger sends fills no disk. */
async function isRefusedForVirus(beta: Point, mailFrom: string, to: string): Promise<void> {
  const entries = (await beta.events()).length;
  await assert.rejects(beta.receive({ mailFrom, recipients: [to], message: plain(to, EICAR) }), {
    code: 550,
    enhanced: '5.7.1',
  });
  const [event, ...others] = await eventsSince(beta, entries);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [event?.event, event?.detail.virus, event?.detail.antivirus, event?.detail.quarantena],
    ['rifiuto', 'Eicar-Test-Signature', 'builtin eicar', undefined],
  );
  for (const mailbox of [bruno, beta.serviceMailbox])
    assert.deepEqual(
      await beta.inbox(mailbox).then((box) => box.filter(({ bytes }) => bytes.includes(EICAR))),
      [],
    );
  assert.deepEqual([await beta.queue(), await quarantined(beta)], [[], []]);
}

describe('incoming point: DSN about our envelopes', () => {
  const here = sharedPair();

  /** What a server outside says when it gives up on an envelope of ours. */
  function dsnAbout({ clock }: Pair, id: string): Promise<Buffer> {
    return composeDsn({
      time: legalTime(clock.now),
      hostname: 'mx.gmail.example',
      mailDomain: 'gmail.example',
      messageId: `dsn${id.length}.${Math.floor(clock.now / 1000)}@gmail.example`,
      to: anna,
      recipients: [{ address: ext, status: '5.1.1', diagnostic: '550 no such user' }],
      opening: ['Non consegnato:', 'Not delivered:'],
      returned: Buffer.from(`Message-ID: <${id}>\r\nFrom: x@y.example\r\n\r\n`),
    }).bytes();
  }

  it('decisions 22: a DSN about an envelope of ours reaches its sender as anomaly, though the rule rejects', async () => {
    const pair = here();
    const { alfa, network, clock, pki } = pair;
    const id = await alfa.submit({ from: anna, to: [ext] });
    await network.pump(alfa);
    const message = await dsnAbout(pair, id);
    const before = (await alfa.inbox(anna)).length;
    await alfa.receive({ mailFrom: '', recipients: [anna], message });
    const [anomaly, ...others] = (await alfa.inbox(anna)).slice(before);
    assert.ok(anomaly && others.length === 0);
    assert.equal(label(anomaly), 'anomalia');
    assert.ok(anomaly.bytes.includes(message));
    assert.deepEqual(await signatureFaults(anomaly, pki.trust, clock.now), []);
    assert.match(anomaly.bytes.toString('latin1'), /^Return-Path: <>\r\n/);
    await alfa.receive({ mailFrom: '', recipients: [anna], message });
    assert.equal((await alfa.inbox(anna)).length, before + 1, 'once');
    assert.equal((await alfa.queue()).length, 0);
  });

  it('decisions 22: about nothing of ours, for somebody else, or with a reverse path, it is ordinary mail', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await alfa.submit({ from: anna, to: [ext] });
    await pair.network.pump(alfa);
    const genuine = await dsnAbout(pair, id);
    const forged = await dsnAbout(pair, 'ceralacca1.20250101000000.0123456789abcdef@pec.alfa.example');
    for (const [mailFrom, recipient, message] of [
      ['', anna, forged],
      ['', 'aldo@pec.alfa.example', genuine],
      [stranger, anna, genuine],
      ['', anna, plain(anna)],
    ] as const) {
      await assert.rejects(alfa.receive({ mailFrom, recipients: [recipient], message }), { code: 550 });
    }
  });
});

describe('incoming point: ordinary mail where the rule is an anomaly envelope', () => {
  const here = sharedPair({ beta: { ordinaryMail: 'anomaly' } });

  it('it is wrapped, registered as ordinary, and nothing is sent', async () => {
    const { beta, clock, pki } = here();
    const message = plain(bruno);
    await beta.receive({ mailFrom: stranger, recipients: [bruno], message });
    const [anomaly, ...others] = await beta.inbox(bruno);
    assert.ok(anomaly && others.length === 0);
    assert.equal(label(anomaly), 'anomalia');
    assert.equal(field(anomaly, 'Subject'), 'ANOMALIA MESSAGGIO: Offerta');
    assert.match(
      field(anomaly, 'From') ?? '',
      /^"Per conto di: mario@gmail\.example" <posta-certificata@pec\.beta\.example>$/,
    );
    assert.equal(field(anomaly, 'Message-ID'), `<o${bruno}0@gmail.example>`, 'the original Message-ID');
    assert.match(
      readableText(anomaly),
      /Tali dati non sono stati certificati per il seguente errore:\s+il messaggio non è firmato/,
    );
    assert.ok(anomaly.bytes.includes(message));
    assert.deepEqual(await signatureFaults(anomaly, pki.trust, clock.now), []);
    assert.deepEqual(
      (await beta.events()).map(({ event }) => event),
      ['ricezione-ordinaria'],
    );
    assert.deepEqual(await beta.queue(), []);
  });

  it('an alias and its mailbox get one copy; a full, suspended or unknown one is refused', async () => {
    const { beta } = here();
    await beta.accounts.addAlias('bruno.alias@pec.beta.example', bruno);
    const before = (await beta.inbox(bruno)).length;
    await beta.receive({
      mailFrom: stranger,
      recipients: [bruno, 'bruno.alias@pec.beta.example'],
      message: plain(bruno, ' due'),
    });
    assert.equal((await beta.inbox(bruno)).length, before + 1);
    await beta.addMailbox('piena@pec.beta.example', { quota: 1 });
    await beta.addMailbox('sospesa@pec.beta.example', { state: 'suspended' });
    const send = (to: string) => beta.receive({ mailFrom: stranger, recipients: [to], message: plain(to) });
    await assert.rejects(send('piena@pec.beta.example'), { code: 552, enhanced: '5.2.2' });
    await assert.rejects(send('sospesa@pec.beta.example'), { code: 550 });
    await assert.rejects(send('nessuno@pec.beta.example'), { code: 550, enhanced: '5.1.1' });
    await assert.rejects(send(beta.serviceMailbox), { code: 550 });
    assert.deepEqual(labels(await beta.inbox(beta.serviceMailbox)), []);
  });

  it('a 8-bit message, an empty subject and hostile fields become a well formed anomaly', async () => {
    const { beta, clock, pki } = here();
    const raw = Buffer.from(
      `From: "x\\"" <a@b.example>\r\nTo: ${bruno}\r\nX-Ricevuta: accettazione\r\nSubject: \xe9\r\n\r\n\xe8\xe8\r\n`,
      'latin1',
    );
    await beta.receive({ mailFrom: 'a@b.example', recipients: [bruno], message: raw });
    const last = (await beta.inbox(bruno)).at(-1);
    assert.ok(last !== undefined);
    assert.ok(last.bytes.includes(raw));
    assert.deepEqual([field(last, 'X-Ricevuta'), field(last, 'X-Trasporto')], [undefined, 'errore']);
    assert.equal(field(last, 'Content-Transfer-Encoding'), '8bit');
    assert.deepEqual(await signatureFaults(last, pki.trust, clock.now), []);
  });
});
