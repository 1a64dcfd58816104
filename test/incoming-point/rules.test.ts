import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { MailRules } from '../../src/accounts/index.js';
import { networkQuestions } from '../../src/incoming-point/index.js';
import type { OrdinaryRule, QueueRow } from '../../src/storage/index.js';
import { NameServer } from '../faults/name-server.js';
import { EICAR } from '../support/eicar.js';
import { field, type Held } from '../support/inbox.js';
import { label } from '../support/notices.js';
import { sharedPair } from '../support/pair.js';
import type { Point } from '../support/points.js';
import { anna, berta, bruno } from './arrivals.js';

const elsewhere = 'bruno@casa.example';
const peer = '198.51.100.9';

const names = new NameServer();
let resolver = '';
before(async () => {
  resolver = await names.listen();
  names.texts.set('onesto.example', [`v=spf1 ip4:${peer} -all`]);
  names.texts.set('falso.example', ['v=spf1 ip4:203.0.113.1 -all']);
  names.texts.set('dubbio.example', ['v=spf1 ip4:203.0.113.1 ?all']);
});
after(() => names.close());

let count = 0;
const plain = (from: string, to: string, more: readonly string[] = []): Buffer =>
  Buffer.from(
    [
      ...more,
      `From: ${from}`,
      `To: ${to}`,
      'Subject: Offerta',
      `Message-ID: <r${++count}@x.example>`,
      '',
      'ciao',
      '',
    ].join('\r\n'),
  );

const setRule = (point: Point, address: string, rule: OrdinaryRule | null) =>
  new MailRules({ store: point.store }).setOrdinaryRule(address, rule);

/** RFC 2045 6.7. */
const quotedPrintable = (bytes: Buffer): string => {
  const body = bytes.toString('latin1').split('\r\n\r\n').slice(1).join('\r\n\r\n');
  const octets = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1').toString('utf8');
};

const sent = async (point: Point, row: QueueRow | undefined): Promise<Held> => {
  assert.ok(row !== undefined, 'nothing is queued');
  return point.asStored(await (await point.store.open(row.contentId)).bytes());
};

describe('incoming point: ordinary mail by the rule of each mailbox', () => {
  const here = sharedPair({ beta: { questions: () => networkQuestions([resolver])() } });
  const outcome = async (run: () => Promise<void>) => {
    const { beta } = here();
    const queued = new Set((await beta.queue()).map(({ id }) => id));
    const entries = (await beta.events()).length;
    await run();
    return {
      queue: (await beta.queue()).filter(({ id }) => !queued.has(id)),
      events: (await beta.events()).slice(entries),
    };
  };

  it('each recipient of one transaction has its own; who is refused after all stands in a DSN to a verified sender', async () => {
    const { beta } = here();
    await setRule(beta, bruno, { kind: 'anomaly' });
    await beta.addMailbox('carla@pec.beta.example');
    await setRule(beta, 'carla@pec.beta.example', { kind: 'forward', to: elsewhere });
    const sender = 'mario@onesto.example';
    const recipients = [bruno, berta, 'carla@pec.beta.example', 'nessuno@pec.beta.example'];
    const message = plain(sender, recipients.join(', '));
    const { queue, events } = await outcome(() => beta.receive({ mailFrom: sender, recipients, message }));

    const anomaly = (await beta.inbox(bruno)).at(-1);
    assert.ok(anomaly !== undefined);
    assert.ok(anomaly.bytes.includes(message));
    assert.equal(label(anomaly), 'anomalia');
    assert.match(
      field(anomaly, 'Authentication-Results') ?? '',
      /^mail\.pec\.beta\.example;\s+spf=pass smtp\.mailfrom=onesto\.example/,
    );
    assert.deepEqual(await beta.inbox(berta), []);
    assert.deepEqual(await beta.inbox('carla@pec.beta.example'), []);

    const [forward, dsn, ...others] = queue;
    assert.deepEqual(others, []);
    assert.deepEqual(
      [forward?.kind, forward?.recipient, forward?.mailFrom, forward?.identificativo],
      ['forward', elsewhere, 'posta-certificata@pec.beta.example', ''],
    );
    const passedOn = await sent(beta, forward);
    assert.ok(passedOn.bytes.subarray(-message.length).equals(message), 'as it came');
    assert.equal(field(passedOn, 'Delivered-To'), 'carla@pec.beta.example');
    assert.match(field(passedOn, 'Received') ?? '', /^from \S+ \(\[198\.51\.100\.9\]\)/);

    assert.deepEqual([dsn?.kind, dsn?.recipient, dsn?.mailFrom], ['dsn', sender, '']);
    const report = (await sent(beta, dsn)).bytes.toString('latin1');
    assert.match(report, /^Content-Type: multipart\/report; report-type=delivery-status/m);
    assert.match(
      report,
      /Final-Recipient: rfc822; berta@pec\.beta\.example\r\nAction: failed\r\nStatus: 5\.7\.1/,
    );
    assert.match(
      report,
      /Final-Recipient: rfc822; nessuno@pec\.beta\.example\r\nAction: failed\r\nStatus: 5\.1\.1/,
    );
    assert.doesNotMatch(report, /rfc822; (bruno|carla)@/);

    assert.deepEqual(
      events.map(({ event, recipients, detail }) => [event, recipients, detail.depositata, detail.inoltrata]),
      [
        ['ricezione-ordinaria', [bruno, 'carla@pec.beta.example'], bruno, elsewhere],
        ['rifiuto', [berta, 'nessuno@pec.beta.example'], undefined, undefined],
      ],
    );
    assert.deepEqual([events[0]?.detail.mittente, events[1]?.detail.esito], ['verificato', '5.7.1 5.1.1']);
    assert.match(String(events[1]?.detail.avviso), /@pec\.beta\.example$/);
  });

  it('the same bytes again: no second copy, no second forward, no second DSN', async () => {
    const { beta } = here();
    const sender = 'mario@onesto.example';
    const message = plain(sender, bruno);
    const recipients = [bruno, 'carla@pec.beta.example', berta];
    const first = await outcome(() => beta.receive({ mailFrom: sender, recipients, message }));
    assert.equal(first.queue.length, 2);
    const copies = (await beta.inbox(bruno)).length;
    const second = await outcome(() => beta.receive({ mailFrom: sender, recipients, message }));
    assert.deepEqual(second.queue, []);
    assert.equal((await beta.inbox(bruno)).length, copies);
    assert.deepEqual(
      second.events.map(({ event, detail }) => [event, detail.ripetuta]),
      [
        ['ricezione-ordinaria', 'identica'],
        ['rifiuto', 'identica'],
      ],
    );
  });

  for (const [what, sender] of [
    ['SPF forbids', 'mario@falso.example'],
    ['is a user of ours, from outside', 'berta@pec.beta.example'],
    ['is nobody', ''],
  ] as const) {
    it(`no backscatter: no DSN goes to a sender that ${what}`, async () => {
      const { beta } = here();
      const message = plain(sender === '' ? 'x@y.example' : sender, bruno);
      const { queue, events } = await outcome(() =>
        beta.receive({ mailFrom: sender, recipients: [bruno, berta], message }),
      );
      assert.deepEqual(queue, []);
      assert.deepEqual(
        events.map(({ event, detail }) => [event, detail.avviso]),
        [
          ['ricezione-ordinaria', undefined],
          ['rifiuto', 'nessuno'],
        ],
      );
    });
  }

  it('a sender of whom nobody says anything gets one DSN in an hour', async () => {
    const { beta, clock } = here();
    const sender = 'mario@dubbio.example';
    const receive = () =>
      outcome(() =>
        beta.receive({ mailFrom: sender, recipients: [bruno, berta], message: plain(sender, bruno) }),
      );
    assert.deepEqual(
      (await receive()).queue.map(({ kind }) => kind),
      ['dsn'],
    );
    assert.deepEqual((await receive()).queue, []);
    clock.advance(3_600_001);
    assert.deepEqual(
      (await receive()).queue.map(({ kind }) => kind),
      ['dsn'],
    );
  });

  it('a commit that fails gives the DSN of that hour back', async () => {
    const { beta } = here();
    const sender = 'rita@dubbio.example';
    const message = plain(sender, bruno);
    const receive = () => beta.receive({ mailFrom: sender, recipients: [bruno, berta], message });
    beta.switches.beforeWrite = (name) => {
      if (name === 'commitNotification') throw new Error('the disk is away');
    };
    await assert.rejects(receive());
    beta.switches.beforeWrite = undefined;
    assert.deepEqual(
      (await outcome(receive)).queue.map(({ kind }) => kind),
      ['dsn'],
    );
  });

  it('without DNS the mail is taken all the same, and the check says that it failed', async () => {
    const { beta } = here();
    names.temper = 'SERVFAIL';
    const sender = 'mario@onesto.example';
    await beta.receive({ mailFrom: sender, recipients: [bruno], message: plain(sender, bruno) });
    names.temper = 'right';
    const anomaly = (await beta.inbox(bruno)).at(-1);
    assert.ok(anomaly !== undefined);
    assert.match(field(anomaly, 'Authentication-Results') ?? '', /spf=temperror/);
  });

  it('refused for everybody it is refused in the session, and nothing is looked up', async () => {
    const { beta } = here();
    const asked = names.asked.length;
    const sender = 'mario@onesto.example';
    await assert.rejects(
      beta.receive({ mailFrom: sender, recipients: [berta], message: plain(sender, berta) }),
      { code: 550, enhanced: '5.7.1' },
    );
    assert.equal(names.asked.length, asked);
  });

  it('a virus is refused for all of them, those it would be passed on to too', async () => {
    const { beta } = here();
    const sender = 'mario@onesto.example';
    const message = Buffer.concat([plain(sender, bruno), Buffer.from(`${EICAR}\r\n`)]);
    const { queue } = await outcome(() =>
      assert.rejects(beta.receive({ mailFrom: sender, recipients: ['carla@pec.beta.example'], message }), {
        code: 550,
        enhanced: '5.7.1',
      }),
    );
    assert.deepEqual(queue, []);
  });

  it('what comes round again is refused as a loop; so is what has passed through a hundred hosts', async () => {
    const { beta } = here();
    const sender = 'mario@onesto.example';
    for (const more of [
      ['Delivered-To: CARLA@pec.beta.example'],
      Array.from({ length: 101 }, (_, hop) => `Received: by h${hop}.example; Thu, 1 Jan 2026 00:00:00 +0100`),
    ]) {
      await assert.rejects(
        beta.receive({
          mailFrom: sender,
          recipients: ['carla@pec.beta.example'],
          message: plain(sender, bruno, more),
        }),
        { code: 554, enhanced: '5.4.6' },
      );
    }
    const fine = Array.from({ length: 100 }, (_, hop) => `Received: by h${hop}.example; x`);
    const { queue } = await outcome(() =>
      beta.receive({
        mailFrom: sender,
        recipients: ['carla@pec.beta.example'],
        message: plain(sender, bruno, fine),
      }),
    );
    assert.equal(queue.length, 1);
  });

  it('a full mailbox is refused, the others get it; the DSN says 5.2.2', async () => {
    const { beta } = here();
    await beta.addMailbox('piena@pec.beta.example', { quota: 1 });
    await setRule(beta, 'piena@pec.beta.example', { kind: 'anomaly' });
    const sender = 'mario@onesto.example';
    const { queue } = await outcome(() =>
      beta.receive({
        mailFrom: sender,
        recipients: ['piena@pec.beta.example', bruno],
        message: plain(sender, bruno),
      }),
    );
    assert.match((await sent(beta, queue[0])).bytes.toString('latin1'), /Status: 5\.2\.2/);
  });

  it('decisions 22: a reply of an ordinary user to an envelope obeys the rule of the mailbox', async () => {
    const { beta } = here();
    const sender = 'mario@onesto.example';
    const reply = () => plain(sender, 'x', ['In-Reply-To: <opec1@pec.beta.example>']);
    await assert.rejects(beta.receive({ mailFrom: sender, recipients: [berta], message: reply() }), {
      enhanced: '5.7.1',
    });
    await setRule(beta, berta, { kind: 'anomaly' });
    await beta.receive({ mailFrom: sender, recipients: [berta], message: reply() });
    assert.deepEqual((await beta.inbox(berta)).map(label), ['anomalia']);
    await setRule(beta, berta, null);
    await assert.rejects(beta.receive({ mailFrom: sender, recipients: [berta], message: reply() }), {
      enhanced: '5.7.1',
    });
  });

  it('decisions 32: a certified message is delivered whatever the rule', async () => {
    const { alfa, beta, network } = here();
    await setRule(beta, berta, { kind: 'forward', to: elsewhere });
    const before = (await beta.inbox(berta)).length;
    await alfa.submit({ from: anna, to: [berta] });
    await network.pump(alfa);
    assert.deepEqual((await beta.inbox(berta)).slice(before).map(label), ['posta-certificata']);
    await setRule(beta, berta, null);
  });
});

describe('delivery point: who is told of watched certified senders', () => {
  const here = sharedPair();

  it('a short notice with recipient, sender and subject to each, once, until it is removed', async () => {
    const { alfa, beta, network } = here();
    const rules = new MailRules({ store: beta.store });
    const watch = { mailbox: bruno, sender: 'ANNA@pec.alfa.example', notified: elsewhere };
    await rules.watch(watch);
    await alfa.submit({ from: anna, to: [bruno, berta], subject: 'Disdetta: è urgente' });
    await network.pump(alfa);
    const notices = (await beta.queue()).filter(({ kind }) => kind === 'notice');
    assert.deepEqual(
      notices.map(({ recipient, mailFrom }) => [recipient, mailFrom]),
      [[elsewhere, '']],
    );
    const notice = await sent(beta, notices[0]);
    const text = quotedPrintable(notice.bytes);
    assert.match(text, /Nella casella bruno@pec\.beta\.example è arrivato/);
    assert.match(text, /Mittente \/ Sender: anna@pec\.alfa\.example/);
    assert.match(text, /Oggetto \/ Subject: Disdetta: è urgente/);
    assert.equal(field(notice, 'Auto-Submitted'), 'auto-generated');
    assert.doesNotMatch(field(notice, 'From') ?? '', /posta-certificata@/);

    await alfa.submit({ from: 'aldo@pec.alfa.example', to: [bruno] });
    await network.pump(alfa);
    await rules.unwatch(watch);
    await alfa.submit({ from: anna, to: [bruno] });
    await network.pump(alfa);
    assert.equal((await beta.queue()).filter(({ kind }) => kind === 'notice').length, 1);
  });

  it('an envelope that comes again brings no second notice', async () => {
    const { alfa, beta, network } = here();
    await new MailRules({ store: beta.store }).watch({ mailbox: berta, sender: anna, notified: elsewhere });
    const before = (await beta.queue()).length;
    await alfa.submit({ from: anna, to: [berta] });
    const [row] = (await alfa.queue()).filter(({ kind }) => kind === 'envelope');
    const envelope = await sent(alfa, row);
    await network.pump(alfa);
    const arrival = { mailFrom: anna, recipients: [berta], message: envelope.bytes };
    await beta.receive(arrival);
    await beta.receive(arrival);
    const notices = (await beta.queue()).slice(before).filter(({ kind }) => kind === 'notice');
    assert.equal(notices.length, 1);
  });
});

describe('rules of a mailbox', () => {
  const here = sharedPair();

  it('an address that cannot be forwarded to is refused with its reason', async () => {
    const { beta } = here();
    const rules = new MailRules({ store: beta.store });
    const forward = (to: string) => rules.setOrdinaryRule(bruno, { kind: 'forward', to });
    await assert.rejects(forward('nessuno'), { code: 'bad-address' });
    await assert.rejects(forward(berta), { code: 'bad-forward' });
    await assert.rejects(rules.setOrdinaryRule('chi@pec.beta.example', null), { code: 'not-found' });
    await assert.rejects(rules.setOrdinaryRule(beta.serviceMailbox, { kind: 'anomaly' }), {
      code: 'not-allowed',
    });
  });

  it('a hundred watched senders, and no more; none twice; what is not there cannot be removed', async () => {
    const { beta } = here();
    const rules = new MailRules({ store: beta.store });
    const watch = (n: number) => ({ mailbox: bruno, sender: `u${n}@pec.alfa.example`, notified: elsewhere });
    for (let n = 0; n < 100; n++) await rules.watch(watch(n));
    assert.equal((await rules.watched(bruno)).length, 100);
    await assert.rejects(rules.watch(watch(100)), { code: 'taken', message: /100/ });
    await rules.unwatch(watch(0));
    await assert.rejects(rules.watch(watch(1)), { code: 'taken' });
    await assert.rejects(rules.unwatch(watch(0)), { code: 'not-found' });
    await assert.rejects(rules.watch({ ...watch(0), notified: berta }), { code: 'bad-forward' });
    await assert.rejects(rules.watch({ ...watch(0), sender: 'nessuno' }), { code: 'bad-address' });
  });
});
