import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MailRules } from '../../src/accounts/index.js';
import { RouteError } from '../../src/relay/routing.js';
import { SmtpError } from '../../src/smtp/index.js';
import { postacertOf, said } from '../e2e/reading.js';
import { consegna, from, noticeFrom } from '../incoming-point/answers-of-beta.js';
import { anna, berta, bruno } from '../incoming-point/arrivals.js';
import { aboutId, label, labels, signatureFaults } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { DAY, HOUR, type Stored } from '../support/points.js';

const ext = 'zio@gmail.example';

const refusal = (code: number, enhanced: string, publicText: string) =>
  new SmtpError({ code, enhanced, publicText });

/** Anna's message, with every hop answered by this error. */
async function failing({ alfa, network }: Pair, to: readonly string[], error: Error): Promise<string> {
  const id = await alfa.submit({ from: anna, to, subject: 'Prova' });
  network.onHop = async () => {
    throw error;
  };
  await network.pump(alfa);
  network.onHop = undefined;
  return id;
}

const after = async ({ alfa }: Pair, id: string): Promise<Stored[]> =>
  aboutId(await alfa.inbox(anna), id).slice(1);

const outcomeOf = async ({ alfa }: Pair, id: string, recipient = bruno) =>
  (await alfa.store.read('findOutgoing', { identificativo: id }))?.tracking.find(
    (row) => row.recipient === recipient,
  )?.outcome;

describe('decisions 11: what a peer refuses for good', () => {
  const here = sharedPair();

  const cases = [
    [
      'an unknown mailbox',
      refusal(550, '5.1.1', 'unknown'),
      'no-dest',
      '5.1.1 - Alfa PEC S.p.A. - indirizzo non valido',
    ],
    [
      'an absent domain',
      new RouteError(true, '5.1.2', 'no such domain'),
      'no-dominio',
      '5.1.2 - Alfa PEC S.p.A. - dominio non valido',
    ],
    [
      'a null MX',
      new RouteError(true, '5.1.10', 'takes no mail'),
      'altro',
      '5.1.10 - Alfa PEC S.p.A. - il dominio del destinatario non accetta posta',
    ],
    [
      'a size',
      refusal(552, '5.3.4', 'too big'),
      'altro',
      '5.3.4 - Alfa PEC S.p.A. - dimensione del messaggio non ammessa dal sistema del destinatario',
    ],
    [
      'a policy',
      refusal(550, '5.7.1', 'no'),
      'altro',
      '5.7.1 - Alfa PEC S.p.A. - messaggio rifiutato dalle regole del sistema del destinatario',
    ],
  ] as const;
  for (const [name, error, errore, reason] of cases) {
    it(`decisions 11: ${name}: errore-consegna/${errore} signed by the sender\u2019s gestore, tracking closed, no preavviso`, async () => {
      const pair = here();
      const { alfa, clock, pki } = pair;
      const id = await failing(pair, [bruno], error);
      const [notice, ...others] = await after(pair, id);
      assert.ok(notice && others.length === 0);
      assert.equal(label(notice), `errore-consegna/${errore} ${bruno}`);
      assert.deepEqual([said(notice).esteso, said(notice).gestore], [reason, alfa.name]);
      assert.deepEqual(notice.flags, ['$MancataConsegna']);
      assert.equal(postacertOf(notice), undefined);
      assert.deepEqual(await signatureFaults(notice, pki.trust, clock.now), []);
      assert.equal(await outcomeOf(pair, id), 'errore-consegna');
      assert.deepEqual(
        (await alfa.queue()).filter((row) => row.identificativo === id),
        [],
      );
      const events = (await alfa.events(id)).map((entry) => entry.event);
      assert.deepEqual(events, ['accettazione', 'posta-certificata', 'errore-consegna', 'inoltro-fallito']);
      const due = await alfa.store.read('dueNotices', { now: clock.now + 2 * DAY, limit: 100 });
      assert.deepEqual(
        due.filter(({ outgoing }) => outgoing.identificativo === id),
        [],
      );
    });
  }

  it('decisions 11: per recipient: each has its own errore-consegna', async () => {
    const pair = here();
    const id = await failing(pair, [bruno, berta], refusal(550, '5.1.1', 'unknown'));
    assert.deepEqual(labels(await after(pair, id)).sort(), [
      `errore-consegna/no-dest ${berta}`,
      `errore-consegna/no-dest ${bruno}`,
    ]);
  });

  it('decisions 2: a consegna that came by another way stands: the refusal adds nothing', async () => {
    const pair = here();
    const { alfa, network } = pair;
    const id = await alfa.submit({ from: anna, to: [bruno] });
    await alfa.receive({
      mailFrom: from,
      recipients: [anna],
      message: await noticeFrom(pair, id, consegna()),
    });
    network.onHop = async () => {
      throw refusal(550, '5.1.1', 'unknown');
    };
    await network.pump(alfa);
    network.onHop = undefined;
    assert.deepEqual(labels(await after(pair, id)), [`avvenuta-consegna ${bruno}`]);
    assert.equal(await outcomeOf(pair, id), 'avvenuta-consegna');
    assert.deepEqual(
      (await alfa.queue()).filter((row) => row.identificativo === id),
      [],
    );
  });

  it('decisions 2: a consegna that comes in between the refusal and its commit stands alone', async () => {
    const pair = here();
    const { alfa, network, clock } = pair;
    const id = await alfa.submit({ from: anna, to: [bruno] });
    const message = await noticeFrom(pair, id, consegna());
    alfa.switches.beforeWrite = async (name) => {
      if (name !== 'settle') return;
      alfa.switches.beforeWrite = undefined;
      await alfa.receive({ mailFrom: from, recipients: [anna], message });
    };
    network.onHop = async () => {
      throw refusal(550, '5.1.1', 'unknown');
    };
    await network.pump(alfa);
    clock.advance(HOUR);
    await network.pump(alfa);
    network.onHop = undefined;
    assert.deepEqual(labels(await after(pair, id)), [`avvenuta-consegna ${bruno}`]);
    assert.equal(await outcomeOf(pair, id), 'avvenuta-consegna');
    assert.deepEqual(
      (await alfa.queue()).filter((row) => row.identificativo === id),
      [],
    );
  });

  it('a signer that fails: the refusal is not final until its notice can be made', async () => {
    const pair = here();
    const { alfa, network, clock } = pair;
    const id = await alfa.submit({ from: anna, to: [bruno] });
    network.onHop = async () => {
      throw refusal(550, '5.1.1', 'unknown');
    };
    alfa.switches.signerDown = true;
    await network.pump(alfa);
    alfa.switches.signerDown = false;
    assert.deepEqual(labels(await after(pair, id)), []);
    assert.equal((await alfa.queue()).filter((row) => row.identificativo === id).length, 1);
    clock.advance(HOUR);
    await network.pump(alfa);
    network.onHop = undefined;
    assert.deepEqual(labels(await after(pair, id)), [`errore-consegna/no-dest ${bruno}`]);
  });
});

describe('decisions 22: ordinary recipients', () => {
  const here = sharedPair();

  it('decisions 22: our own DSN reaches the sender as an anomaly, with the peer\u2019s words', async () => {
    const pair = here();
    const { alfa, clock, pki } = pair;
    const before = (await alfa.inbox(anna)).length;
    const id = await failing(pair, [ext, 'altro@gmail.example'], refusal(550, '5.1.1', 'no such user\u00e0'));
    const [, dsn, ...others] = (await alfa.inbox(anna)).slice(before);
    assert.ok(dsn && others.length === 0, 'the accettazione and one DSN');
    assert.equal(label(dsn), 'anomalia');
    assert.deepEqual(dsn.flags, ['$Anomalia']);
    assert.deepEqual(await signatureFaults(dsn, pki.trust, clock.now), []);
    const text = dsn.bytes.toString('latin1');
    assert.match(text, /^Return-Path: <>\r\n/);
    for (const wanted of [
      'Content-Type: multipart/report; report-type=delivery-status',
      `Final-Recipient: rfc822; ${ext}\r\nAction: failed\r\nStatus: 5.1.1\r\n`,
      'Final-Recipient: rfc822; altro@gmail.example',
      'Reporting-MTA: dns; mail.pec.alfa.example',
      `Message-ID: <${id}>`,
      'From: Mail Delivery System <MAILER-DAEMON@pec.alfa.example>',
    ]) {
      assert.ok(text.includes(wanted), wanted);
    }
    assert.ok(!/[^\x00-\x7f]/.test(text), 'seven bits whatever the peer said');
    assert.deepEqual(
      (await alfa.events(id)).map(({ event }) => event),
      ['accettazione', 'posta-certificata', 'dsn', 'inoltro-fallito'],
    );
    assert.equal(await outcomeOf(pair, id, ext), null, 'no errore-consegna: nothing was certified');
    assert.deepEqual(
      (await alfa.queue()).filter((row) => row.identificativo === id),
      [],
    );
  });

  it('a certified and an ordinary recipient of one message: each is told in its own way', async () => {
    const pair = here();
    const { alfa } = pair;
    const before = (await alfa.inbox(anna)).length;
    await failing(pair, [bruno, ext], refusal(550, '5.1.1', 'unknown'));
    assert.deepEqual(labels((await alfa.inbox(anna)).slice(before)).sort(), [
      'accettazione',
      'anomalia',
      `errore-consegna/no-dest ${bruno}`,
    ]);
  });
});

describe('decisions 10: leaving the queue', () => {
  const here = sharedPair();
  const nobodyAnswers = new Error('connection refused');

  it('decisions 10: an envelope leaves at 24 h without an errore-consegna: the second notice takes its place', async () => {
    const pair = here();
    const { alfa, network, clock } = pair;
    const id = await alfa.submit({ from: anna, to: [bruno] });
    network.onHop = async () => {
      throw nobodyAnswers;
    };
    await network.pump(alfa);
    clock.advance(23 * HOUR);
    await network.pump(alfa);
    assert.equal((await alfa.queue()).filter((row) => row.identificativo === id).length, 1);
    clock.advance(HOUR + 1000);
    await network.pump(alfa);
    network.onHop = undefined;
    assert.deepEqual(
      (await alfa.queue()).filter((row) => row.identificativo === id),
      [],
    );
    assert.deepEqual(labels(await after(pair, id)), []);
    assert.equal(await outcomeOf(pair, id), null, 'a late consegna still counts');
    assert.equal((await alfa.events(id)).at(-1)?.event, 'inoltro-fallito');
    const due = await alfa.store.read('dueNotices', { now: clock.now, limit: 10 });
    assert.equal(due.find(({ outgoing }) => outgoing.identificativo === id)?.tracking.recipient, bruno);
  });

  it('decisions 10: an ordinary recipient that never answers: a DSN at the end', async () => {
    const pair = here();
    const { alfa, network, clock } = pair;
    const before = (await alfa.inbox(anna)).length;
    await alfa.submit({ from: anna, to: [ext] });
    network.onHop = async () => {
      throw nobodyAnswers;
    };
    await network.pump(alfa);
    clock.advance(DAY + 1000);
    await network.pump(alfa);
    network.onHop = undefined;
    const dsn = (await alfa.inbox(anna)).at(-1);
    assert.equal((await alfa.inbox(anna)).length, before + 2);
    assert.ok(dsn?.bytes.includes('Status: 5.4.7'));
  });

  it('decisions 10: notifications are tried for five days, whatever the peer says, then held with an alarm', async () => {
    const pair = here();
    const { alfa, beta, network, clock } = pair;
    const id = await alfa.submit({ from: anna, to: [bruno] });
    await network.pump(alfa);
    network.onHop = async () => {
      throw refusal(550, '5.1.1', 'never heard of');
    };
    await network.pump(beta);
    const rows = async () => (await beta.queue()).filter((row) => row.identificativo === id);
    for (let day = 0; day < 4; day++) {
      clock.advance(DAY);
      await network.pump(beta);
      assert.deepEqual(
        (await rows()).map(({ state }) => state),
        ['due', 'due'],
      );
    }
    clock.advance(DAY + HOUR);
    await network.pump(beta);
    assert.deepEqual(
      (await rows()).map(({ state }) => state),
      ['held', 'held'],
    );
    assert.deepEqual(beta.alarms(), ['queue-held', 'queue-held']);
    assert.deepEqual(labels(await after(pair, id)), [], 'decisions 8: and nobody is told');
    network.onHop = undefined;
    for (const { id: row } of await rows()) await beta.store.write('queueRetry', { id: row, now: clock.now });
    await network.pump();
    assert.deepEqual(
      labels(await after(pair, id)),
      [`avvenuta-consegna ${bruno}`],
      'the operator sends them on',
    );
  });
});

describe('decisions 31: routing', () => {
  const here = sharedPair();

  it('decisions 31: only ordinary recipients are queued as such: the smart host and `*` serve no other', async () => {
    const { alfa } = here();
    const id = await alfa.submit({ from: anna, to: [bruno, ext, 'aldo@pec.alfa.example'] });
    const kinds = (await alfa.queue())
      .filter((row) => row.identificativo === id)
      .map(({ kind, recipient }) => `${kind} ${recipient}`);
    assert.deepEqual(kinds, [`envelope ${bruno}`, `ordinary ${ext}`, 'envelope aldo@pec.alfa.example']);
    const { route } = await import('../../src/relay/routing.js');
    const asked: string[] = [];
    const options = {
      routes: { '*': { host: '192.0.2.9', port: 25 } },
      smartHost: { host: '192.0.2.8', port: 25 },
      hostname: 'mail.pec.alfa.example',
      dns: {
        mx: async (domain: string) => {
          asked.push(domain);
          return [{ exchange: '192.0.2.1', priority: 10 }];
        },
        addresses: async () => [],
      },
      random: () => 0,
    };
    assert.deepEqual(
      (await route(options, 'gmail.example', true)).map(({ host }) => host),
      ['192.0.2.9'],
    );
    assert.deepEqual(
      (await route({ ...options, routes: {} }, 'gmail.example', true)).map(({ host }) => host),
      ['192.0.2.8'],
    );
    assert.deepEqual(
      (await route(options, 'pec.beta.example', false)).map(({ host }) => host),
      ['192.0.2.1'],
    );
    assert.deepEqual(asked, ['pec.beta.example']);
  });
});

describe('ordinary mail that a mailbox passes on, and words about certified mail', () => {
  const here = sharedPair();
  const sender = 'mario@gmail.example';
  const home = 'anna@casa.example';

  async function refusedByAll({ alfa, network }: Pair, run: () => Promise<unknown>): Promise<void> {
    await run();
    network.onHop = async ({ from, to }, deliver) => {
      if (to !== undefined) return deliver();
      throw refusal(550, '5.1.1', `not from ${from.name}`);
    };
    await network.pump(alfa);
    network.onHop = undefined;
  }

  it('a forward that is refused for good: the holder gets a DSN as an anomaly, its sender nothing', async () => {
    const pair = here();
    const { alfa } = pair;
    await new MailRules({ store: alfa.store }).setOrdinaryRule(anna, { kind: 'forward', to: home });
    const before = (await alfa.inbox(anna)).length;
    const message = Buffer.from(`From: ${sender}\r\nTo: ${anna}\r\nSubject: Offerta\r\n\r\nciao\r\n`);
    await refusedByAll(pair, () => alfa.receive({ mailFrom: sender, recipients: [anna], message }));
    const [dsn, ...others] = (await alfa.inbox(anna)).slice(before);
    assert.ok(dsn !== undefined && others.length === 0);
    assert.equal(label(dsn), 'anomalia');
    const text = dsn.bytes.toString('latin1');
    assert.match(text, /Final-Recipient: rfc822; anna@casa\.example\r\nAction: failed\r\nStatus: 5\.1\.1/);
    assert.match(text, /Subject: Offerta/);
    assert.deepEqual(await alfa.queue(), []);
    assert.deepEqual(
      (await alfa.events())
        .slice(-3)
        .map(({ event, detail }) => [event, detail.tipo ?? detail.inoltro ?? '']),
      [
        ['ricezione-ordinaria', ''],
        ['dsn', home],
        ['inoltro-fallito', 'forward'],
      ],
    );
  });

  it('it came by an alias: the holder of its mailbox is told', async () => {
    const pair = here();
    const { alfa } = pair;
    await alfa.accounts.addAlias('via@pec.alfa.example', anna);
    const message = Buffer.from(`From: ${sender}\r\nTo: via@pec.alfa.example\r\n\r\nciao via\r\n`);
    const before = (await alfa.inbox(anna)).length;
    await refusedByAll(pair, () =>
      alfa.receive({ mailFrom: sender, recipients: ['via@pec.alfa.example'], message }),
    );
    assert.deepEqual(await alfa.queue(), []);
    assert.equal((await alfa.inbox(anna)).length, before + 1);
  });

  it('decisions 8: nobody is told of a notice that is refused', async () => {
    const pair = here();
    const { alfa, beta, network } = pair;
    await new MailRules({ store: alfa.store }).watch({ mailbox: anna, sender: bruno, notified: home });
    await beta.submit({ from: bruno, to: [anna] });
    await network.pump(beta);
    const before = (await alfa.inbox(anna)).length;
    assert.ok((await alfa.queue()).some(({ kind }) => kind === 'notice'));
    await refusedByAll(pair, async () => undefined);
    assert.deepEqual(await alfa.queue(), []);
    assert.equal((await alfa.inbox(anna)).length, before);
  });
});
