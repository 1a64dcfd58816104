import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { postacertOf, said } from '../e2e/reading.js';
import { daticert, type ForgedEnvelope, outer } from '../support/forged.js';
import { aboutId, label, labels, signatureFaults } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { DAY } from '../support/points.js';
import { anna, answers, berta, bruno, eventsOf, fromAlfa } from './arrivals.js';

describe('incoming point: a correct envelope', () => {
  const here = sharedPair();

  it('decisions 1: one presa in carico for the transaction, then one outcome a recipient, all in one commit', async () => {
    const pair = here();
    const { beta, clock, pki } = pair;
    const { id, bytes } = await fromAlfa(pair, { recipients: [bruno, berta] });
    const writes: string[] = [];
    beta.switches.beforeWrite = (name) => void writes.push(name);
    await beta.receive({ mailFrom: anna, recipients: [bruno, berta], message: bytes });
    beta.switches.beforeWrite = undefined;
    assert.deepEqual(writes, ['commitReception']);
    assert.deepEqual(await answers(beta, id), [
      `notification presa-in-carico ${bruno} ${berta} -> ricevute@pec.alfa.example`,
      `notification avvenuta-consegna ${bruno} -> ${anna}`,
      `notification avvenuta-consegna ${berta} -> ${anna}`,
    ]);
    const rows = (await beta.queue()).filter((row) => row.identificativo === id);
    for (const { mailFrom, nextAttempt, giveUpAt, destination } of rows) {
      assert.equal(mailFrom, 'posta-certificata@pec.beta.example', 'the reverse path is the signing address');
      assert.deepEqual([nextAttempt, giveUpAt], [clock.now, clock.now + 5 * DAY], 'decisions 10');
      assert.equal(destination, 'pec.alfa.example');
    }
    assert.deepEqual(await eventsOf(beta, id), [
      `ricezione-busta ${bruno} ${berta}`,
      `presa-in-carico ${bruno} ${berta}`,
      `avvenuta-consegna ${bruno}`,
      `avvenuta-consegna ${berta}`,
    ]);
    const events = await beta.events(id);
    assert.ok(
      events.every(
        ({ gestore, sender, at }) => gestore === 'Alfa PEC S.p.A.' && sender === anna && at === clock.now,
      ),
    );
    const receipts = await beta.store.read('findReceipts', { identificativo: id });
    assert.deepEqual(
      receipts.map(({ direction, origin, kind, recipient, step }) => [
        direction,
        origin,
        kind,
        recipient,
        step,
      ]),
      [
        ['issued', 'Alfa PEC S.p.A.', 'presa-in-carico', '', ''],
        ['issued', 'Alfa PEC S.p.A.', 'avvenuta-consegna', bruno, ''],
        ['issued', 'Alfa PEC S.p.A.', 'avvenuta-consegna', berta, ''],
      ],
    );
    // Each is found again in the register by its Message-ID, made and stored before sending.
    assert.deepEqual(
      events.flatMap(({ related }) => related),
      receipts.map(({ messageId }) => messageId),
    );
    for (const { contentId } of receipts) {
      const notice = beta.asStored(await (await beta.store.open(contentId)).bytes());
      assert.deepEqual(await signatureFaults(notice, pki.trust, clock.now), []);
      assert.equal(said(notice).gestore, 'Beta PEC S.r.l.');
    }
  });

  it('decisions 16: Return-Path on top at final delivery, every other byte as it came', async () => {
    const pair = here();
    const { id, bytes } = await fromAlfa(pair);
    await pair.beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const [delivered] = aboutId(await pair.beta.inbox(bruno), id);
    assert.deepEqual(delivered?.bytes, Buffer.concat([Buffer.from(`Return-Path: <${anna}>\r\n`), bytes]));
    assert.deepEqual(delivered.flags, ['$PostaCertificata']);
  });

  it('decisions 20: an unknown mailbox gets presa in carico, then a signed errore-consegna', async () => {
    const pair = here();
    const nobody = 'nessuno@pec.beta.example';
    const { id, bytes } = await fromAlfa(pair, { recipients: [nobody, bruno] });
    await pair.beta.receive({ mailFrom: anna, recipients: [nobody, bruno], message: bytes });
    assert.deepEqual(await answers(pair.beta, id), [
      `notification presa-in-carico ${nobody} ${bruno} -> ricevute@pec.alfa.example`,
      `notification errore-consegna/no-dest ${nobody} -> ${anna}`,
      `notification avvenuta-consegna ${bruno} -> ${anna}`,
    ]);
    const [event] = (await pair.beta.events(id)).filter(({ event }) => event === 'errore-consegna');
    assert.equal(event?.detail.causa, 'unknown-mailbox');
  });

  it('decisions 20: RCPT takes any address of our domains and no other', async () => {
    const { beta } = here();
    const rcpt = (address: string) =>
      beta.mx.rcptTo(
        address,
        { mailFrom: anna, recipients: [] },
        {
          id: 'S',
          remoteAddress: '192.0.2.1',
          remotePort: 1,
          localPort: 25,
          helo: 'x',
          protocol: 'ESMTPS',
        },
      );
    await rcpt('chiunque@PEC.Beta.example');
    await rcpt('posta-certificata@pec.beta.example');
    for (const foreign of ['x@pec.alfa.example', 'x@sub.pec.beta.example', 'x@example.org']) {
      await assert.rejects(rcpt(foreign), { code: 550, enhanced: '5.7.1' });
    }
    await assert.rejects(rcpt('"a b"@pec.beta.example'), { code: 553, enhanced: '5.1.3' });
    await beta.store.write('addDomain', { name: 'pec.nuovo.example', now: beta.clock.now });
    await rcpt('x@pec.nuovo.example');
  });

  it('decisions 21: a valid envelope without TLS is accepted, registered, and an alarm', async () => {
    const pair = here();
    const { id, bytes } = await fromAlfa(pair);
    const before = pair.beta.alarms().length;
    await pair.beta.receive({
      mailFrom: anna,
      recipients: [bruno],
      message: bytes,
      secure: false,
      peer: '203.0.113.5',
    });
    assert.deepEqual(pair.beta.alarms().slice(before), ['envelope-without-tls']);
    const [event] = await pair.beta.events(id);
    assert.deepEqual([event?.detail.da, event?.detail.canale], ['203.0.113.5', 'non protetto']);
    assert.equal((await answers(pair.beta, id)).length, 2);
  });

  it('a message to a user of the same gestore takes the same way, with presa in carico and consegna', async () => {
    const { alfa, network } = here();
    const aldo = 'aldo@pec.alfa.example';
    const id = await alfa.submit({ from: anna, to: [aldo] });
    await network.pump();
    assert.deepEqual(labels(aboutId(await alfa.inbox(anna), id)), [
      'accettazione',
      `avvenuta-consegna ${aldo}`,
    ]);
    assert.deepEqual(labels(aboutId(await alfa.inbox(aldo), id)), ['posta-certificata']);
    assert.deepEqual(
      labels(aboutId(await alfa.inbox(alfa.serviceMailbox), id)),
      [`presa-in-carico ${aldo}`],
      'decisions 23: to our own',
    );
    const outgoing = await alfa.store.read('findOutgoing', { identificativo: id });
    assert.equal(outgoing?.tracking[0]?.outcome, 'avvenuta-consegna');
  });
});

describe('incoming point: daticert against what is around it', () => {
  const here = sharedPair();

  /** The envelope is set apart: one anomaly for Bruno, no presa in carico, no consegna. */
  async function setApart(
    pair: Pair,
    forged: Partial<ForgedEnvelope>,
    mailFrom: string,
    reason: RegExp,
  ): Promise<void> {
    const { beta, clock, pki } = pair;
    const before = (await beta.inbox(bruno)).length;
    const { id, bytes } = await fromAlfa(pair, forged);
    await beta.receive({ mailFrom, recipients: [bruno], message: bytes });
    const [anomaly, ...others] = (await beta.inbox(bruno)).slice(before);
    assert.ok(anomaly);
    assert.deepEqual(others, []);
    assert.equal(label(anomaly), 'anomalia');
    assert.deepEqual(anomaly.flags, ['$Anomalia']);
    assert.deepEqual(await signatureFaults(anomaly, pki.trust, clock.now), []);
    assert.ok(anomaly.bytes.includes(bytes), 'the whole message is inside, byte for byte');
    assert.deepEqual(await answers(beta, id), []);
    assert.deepEqual(
      await beta.store.read('findReception', { origin: 'Alfa PEC S.p.A.', identificativo: id }),
      [],
    );
    const [event] = (await beta.events()).slice(-1);
    assert.equal(event?.event, 'busta-anomalia');
    assert.match(event?.detail.motivo ?? '', reason);
    assert.equal(event?.detail.depositata, bruno);
  }

  it('decisions 5: a Message-ID that is not the identificativo is an anomaly', async () => {
    await setApart(
      here(),
      { change: outer(/^Message-ID: .*$/m, 'Message-ID: <altro@pec.alfa.example>') },
      anna,
      /Message-ID della busta/,
    );
  });

  it('decisions 5: a MAIL FROM that is not the sender is an anomaly', async () => {
    await setApart(here(), {}, 'aldo@pec.alfa.example', /non coincide con il mittente della trasmissione/);
    await setApart(here(), {}, '', /non coincide con il mittente della trasmissione/);
  });

  it('decisions 5: X-Trasporto and X-Ricevuta that contradict daticert are anomalies', async () => {
    const change = (to: string) => ({ change: outer('X-Trasporto: posta-certificata', to) });
    await setApart(here(), change('X-Ricevuta: avvenuta-consegna'), anna, /X-Ricevuta vale/);
    await setApart(here(), change('X-Trasporto: errore'), anna, /non contiene dati di certificazione/);
    await setApart(
      here(),
      change('X-Trasporto: posta-certificata\r\nX-Ricevuta: accettazione'),
      anna,
      /contraddizione/,
    );
    await setApart(here(), change('X-Altro: niente'), anna, /non ha un campo X-Trasporto/);
    await setApart(here(), change('X-Trasporto: raccomandata'), anna, /valore sconosciuto/);
  });

  it('decisions 21: a daticert that is broken, absent or says an error is an anomaly', async () => {
    const pair = here();
    await setApart(
      pair,
      { change: daticert('<postacert', '<postacert><') },
      anna,
      /daticert\.xml non è valido/,
    );
    await setApart(
      pair,
      { change: daticert('errore="nessuno"', 'errore="altro"') },
      anna,
      /dichiarano l'errore altro/,
    );
    await setApart(
      pair,
      { change: daticert('<?xml', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><?xml') },
      anna,
      /daticert/,
    );
    await setApart(pair, { change: daticert(/<ricevuta[^>]*>/, '') }, anna, /ricevuta/);
  });

  it('decisions 5: a gestore seals only for the domains it manages', async () => {
    const pair = here();
    await setApart(pair, { sender: 'x@altrove.example' }, 'x@altrove.example', /non è gestito da Alfa/);
    await setApart(pair, { sender: berta }, berta, /non è gestito da Alfa/);
  });

  it('decisions 5: the receipt type of daticert beats X-TipoRicevuta', async () => {
    const pair = here();
    const { id, bytes } = await fromAlfa(pair, {
      receiptType: 'sintetica',
      change: outer('X-TipoRicevuta: sintetica', 'X-TipoRicevuta: completa'),
    });
    await pair.beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const receipts = await pair.beta.store.read('findReceipts', { identificativo: id });
    const consegna = receipts.find(({ kind }) => kind === 'avvenuta-consegna');
    const notice = pair.beta.asStored(await (await pair.beta.store.open(consegna?.contentId ?? 0)).bytes());
    assert.deepEqual([said(notice).ricevuta, postacertOf(notice)], ['sintetica', undefined]);
  });
});
