import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { signedEntity } from '../e2e/reading.js';
import { forgedEnvelope, freshId } from '../support/forged.js';
import { field } from '../support/inbox.js';
import { aboutId, label, labels } from '../support/notices.js';
import { sharedPair } from '../support/pair.js';
import { anna, answers, berta, bruno, fromAlfa } from './arrivals.js';

describe('incoming point: repeats', () => {
  const here = sharedPair();

  it('decisions 7: the same envelope again brings the same stored bytes, no second copy', async () => {
    const pair = here();
    const { beta, clock, network } = pair;
    const { id, bytes } = await fromAlfa(pair, { recipients: [bruno, berta] });
    await beta.receive({ mailFrom: anna, recipients: [bruno, berta], message: bytes });
    const first = (await beta.queue()).filter((row) => row.identificativo === id);
    await network.pump(beta);
    clock.advance(60_000);
    await beta.receive({ mailFrom: anna, recipients: [bruno, berta], message: bytes });
    const again = (await beta.queue()).filter((row) => row.identificativo === id);
    const what = (rows: typeof again) =>
      rows.map(({ contentId, recipient, kind, size }) => [contentId, recipient, kind, size]);
    assert.deepEqual(what(again), what(first));
    assert.deepEqual(
      again.map(({ nextAttempt }) => nextAttempt),
      [clock.now, clock.now, clock.now],
    );
    for (const mailbox of [bruno, berta]) assert.equal(aboutId(await beta.inbox(mailbox), id).length, 1);
    assert.equal((await beta.store.read('findReceipts', { identificativo: id })).length, 3);
    const events = await beta.events(id);
    const last = events.filter(({ event }) => event === 'ricezione-busta').at(-1);
    assert.equal(last?.detail.ripetuta, `${bruno} ${berta}`);
  });

  it('decisions 7: old recipients get their stored receipts, new ones new, in one transaction', async () => {
    const pair = here();
    const { beta, network } = pair;
    const { id, bytes } = await fromAlfa(pair, { recipients: [bruno, berta] });
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const [oldPresa, oldConsegna] = await beta.store.read('findReceipts', { identificativo: id });
    await network.pump(beta);
    const writes: string[] = [];
    beta.switches.beforeWrite = (name) => void writes.push(name);
    await beta.receive({ mailFrom: anna, recipients: ['BRUNO@pec.beta.example', berta], message: bytes });
    beta.switches.beforeWrite = undefined;
    assert.deepEqual(writes, ['commitReception']);
    assert.deepEqual((await answers(beta, id)).sort(), [
      `notification avvenuta-consegna ${berta} -> ${anna}`,
      `notification avvenuta-consegna ${bruno} -> ${anna}`,
      `notification presa-in-carico ${berta} -> ricevute@pec.alfa.example`,
      `notification presa-in-carico ${bruno} -> ricevute@pec.alfa.example`,
    ]);
    const contents = (await beta.queue())
      .filter((row) => row.identificativo === id)
      .map(({ contentId }) => contentId);
    assert.ok(contents.includes(oldPresa?.contentId ?? 0) && contents.includes(oldConsegna?.contentId ?? 0));
    for (const mailbox of [bruno, berta]) assert.equal(aboutId(await beta.inbox(mailbox), id).length, 1);
  });

  it('decisions 7: the same id over other bytes is an anomaly for everyone, never swallowed', async () => {
    const pair = here();
    const { beta } = pair;
    const { id, bytes } = await fromAlfa(pair, { recipients: [bruno, berta] });
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const other = await fromAlfa(pair, {
      identificativo: id,
      recipients: [bruno, berta],
      body: 'Altro testo.\r\n',
    });
    const rows = (await beta.queue()).length;
    await beta.receive({ mailFrom: anna, recipients: [bruno, berta], message: other.bytes });
    for (const mailbox of [bruno, berta]) {
      const last = (await beta.inbox(mailbox)).at(-1);
      assert.ok(
        last && label(last) === 'anomalia' && last.bytes.includes(signedEntity({ bytes: other.bytes })),
      );
    }
    assert.equal((await beta.queue()).length, rows, 'no receipt');
    assert.match(
      (await beta.events()).at(-1)?.detail.motivo ?? '',
      /un messaggio diverso con lo stesso identificativo/,
    );
    // And the true one is still answered as before.
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    assert.equal((await beta.queue()).length, rows + 2);
  });

  it('decisions 7: keys begin with the origin: another gestore\u2019s envelope of the same id takes nothing', async () => {
    const pair = here();
    const { alfa, beta } = pair;
    const id = freshId(pair.clock.now, 'pec.alfa.example');
    const own = await forgedEnvelope({
      by: beta.gestore,
      sender: berta,
      recipients: [bruno],
      at: pair.clock.now,
      identificativo: id,
    });
    await beta.receive({ mailFrom: berta, recipients: [bruno], message: own.bytes });
    const { bytes } = await fromAlfa(pair, { identificativo: id });
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    assert.deepEqual(labels(aboutId(await beta.inbox(bruno), id)), [
      'posta-certificata',
      'posta-certificata',
    ]);
    for (const origin of [alfa.name, beta.name]) {
      assert.equal((await beta.store.read('findReception', { origin, identificativo: id })).length, 1);
    }
  });

  it('decisions 7: our own errore-consegna that comes in twice within one gestore is one', async () => {
    const { alfa, network } = here();
    network.onHop = async (_, deliver) => {
      await deliver();
      await deliver();
    };
    const nobody = 'nessuno@pec.alfa.example';
    const before = (await alfa.inbox(anna)).length;
    await alfa.submit({ from: anna, to: [nobody] });
    await network.pump(alfa);
    network.onHop = undefined;
    assert.deepEqual(labels((await alfa.inbox(anna)).slice(before)), [
      'accettazione',
      `errore-consegna/no-dest ${nobody}`,
    ]);
  });

  it('decisions 6: a RCPT that is not among destinatari gets an anomaly, the others their receipts', async () => {
    const pair = here();
    const { beta } = pair;
    const { id, bytes } = await fromAlfa(pair);
    const before = (await beta.inbox(berta)).length;
    await beta.receive({ mailFrom: anna, recipients: [berta, bruno], message: bytes });
    const [anomaly, ...others] = (await beta.inbox(berta)).slice(before);
    assert.ok(anomaly && others.length === 0 && label(anomaly) === 'anomalia');
    assert.deepEqual(await answers(beta, id), [
      `notification presa-in-carico ${bruno} -> ricevute@pec.alfa.example`,
      `notification avvenuta-consegna ${bruno} -> ${anna}`,
    ]);
    assert.match(field(anomaly, 'Subject') ?? '', /^ANOMALIA MESSAGGIO: /);
    await beta.receive({ mailFrom: anna, recipients: [berta, bruno], message: bytes });
    assert.equal((await beta.inbox(berta)).length, before + 1, 'nor a second anomaly when it comes again');
  });

  it('decisions 6: a stray RCPT that does not exist takes nothing from the others; alone it is refused', async () => {
    const pair = here();
    const { beta } = pair;
    const { id, bytes } = await fromAlfa(pair);
    await beta.receive({ mailFrom: anna, recipients: ['nessuno@pec.beta.example', bruno], message: bytes });
    assert.deepEqual(labels(aboutId(await beta.inbox(bruno), id)), ['posta-certificata']);
    await assert.rejects(
      beta.receive({ mailFrom: anna, recipients: ['nessuno@pec.beta.example'], message: bytes }),
      { code: 550, enhanced: '5.1.1' },
    );
  });
});
