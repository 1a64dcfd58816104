import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { ReceiptType } from '../../src/pec/index.js';
import { letter } from '../e2e/letters.js';
import { postacertOf, readableText, said } from '../e2e/reading.js';
import { anna, answers, berta, bruno, fromAlfa } from '../incoming-point/arrivals.js';
import type { ForgedEnvelope } from '../support/forged.js';
import { field } from '../support/inbox.js';
import { aboutId, labels } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import type { Stored } from '../support/points.js';

/** The outcome notice issued for one recipient, as stored. */
async function outcome({ beta }: Pair, id: string, recipient: string): Promise<Stored> {
  const receipts = await beta.store.read('findReceipts', { identificativo: id });
  const [receipt, ...others] = receipts.filter((row) => row.recipient === recipient);
  assert.ok(receipt);
  assert.deepEqual(others, [], 'one final outcome');
  return beta.asStored(await (await beta.store.open(receipt.contentId)).bytes());
}

async function deliver(
  pair: Pair,
  recipients: readonly string[],
  forged: Partial<ForgedEnvelope> = {},
): Promise<string> {
  const { id, bytes } = await fromAlfa(pair, { recipients, ...forged });
  await pair.beta.receive({ mailFrom: forged.sender ?? anna, recipients, message: bytes });
  return id;
}

describe('delivery point: who gets it and who does not', () => {
  const here = sharedPair();

  const cases = [
    ['unknown', undefined, 'no-dest', '5.1.1 - Beta PEC S.r.l. - indirizzo non valido', 'unknown-mailbox'],
    [
      'revoked',
      { state: 'revoked' },
      'no-dest',
      '5.1.1 - Beta PEC S.r.l. - indirizzo non valido',
      'revoked-mailbox',
    ],
    [
      'suspended',
      { state: 'suspended' },
      'altro',
      '5.2.1 - Beta PEC S.r.l. - casella disattivata',
      'suspended-mailbox',
    ],
    ['full', { quota: 1 }, 'altro', '5.2.2 - Beta PEC S.r.l. - casella piena', 'full-mailbox'],
    [
      'service',
      { kind: 'service' },
      'no-dest',
      '5.1.1 - Beta PEC S.r.l. - indirizzo non valido',
      'unknown-mailbox',
    ],
  ] as const;
  for (const [name, options, errore, reason, cause] of cases) {
    it(`decisions 2: ${name} mailbox: one errore-consegna ${errore}, no copy, presa in carico all the same`, async () => {
      const pair = here();
      const { beta, clock } = pair;
      const address = `casella.${name}@pec.beta.example`;
      if (options !== undefined) await beta.addMailbox(address, options);
      const id = await deliver(pair, [address]);
      assert.deepEqual(await answers(beta, id), [
        `notification presa-in-carico ${address} -> ricevute@pec.alfa.example`,
        `notification errore-consegna/${errore} ${address} -> ${anna}`,
      ]);
      const notice = await outcome(pair, id, address);
      const { esteso, consegna, gestore, ricevuta } = said(notice);
      assert.deepEqual(
        [esteso, consegna, gestore, ricevuta],
        [reason, address, 'Beta PEC S.r.l.', undefined],
      );
      assert.equal(postacertOf(notice), undefined);
      assert.match(field(notice, 'Subject') ?? '', /^AVVISO DI MANCATA CONSEGNA: Prova$/);
      assert.ok(readableText(notice).replace(/\r?\n/g, ' ').includes(reason));
      const event = (await beta.events(id)).find((entry) => entry.event === 'errore-consegna');
      assert.deepEqual([event?.detail.causa, event?.at, event?.recipients], [cause, clock.now, [address]]);
      if (options !== undefined) assert.deepEqual(await beta.inbox(address), []);
    });
  }

  it('a mailbox with room for exactly this message takes it, and then is full', async () => {
    const pair = here();
    const { beta } = pair;
    const address = 'giusta@pec.beta.example';
    await beta.addMailbox(address, { quota: 1 });
    const { id, bytes } = await fromAlfa(pair, { recipients: [address] });
    await beta.setMailbox(address, { quota: bytes.length + `Return-Path: <${anna}>\r\n`.length });
    await beta.receive({ mailFrom: anna, recipients: [address], message: bytes });
    assert.deepEqual(labels(aboutId(await beta.inbox(address), id)), ['posta-certificata']);
    const { used, quota } = await beta.mailbox(address);
    assert.equal(used, quota);
    const next = await deliver(pair, [address]);
    assert.equal(said(await outcome(pair, next, address)).errore, 'altro');
  });

  it('one bad recipient never stops the others', async () => {
    const pair = here();
    const { beta } = pair;
    await beta.addMailbox('piena@pec.beta.example', { quota: 1 });
    const recipients = ['nessuno@pec.beta.example', bruno, 'piena@pec.beta.example', berta];
    const id = await deliver(pair, recipients);
    const tipi = await Promise.all(recipients.map(async (who) => said(await outcome(pair, id, who)).tipo));
    assert.deepEqual(tipi, ['errore-consegna', 'avvenuta-consegna', 'errore-consegna', 'avvenuta-consegna']);
  });

  it('decisions 32: an alias resolves locally, consegna quotes the RCPT as written', async () => {
    const pair = here();
    const { beta } = pair;
    await beta.accounts.addAlias('direzione@pec.beta.example', bruno);
    const written = 'Direzione@PEC.beta.example';
    const { id, bytes } = await fromAlfa(pair, { recipients: ['direzione@pec.beta.example'] });
    await beta.receive({ mailFrom: anna, recipients: [written], message: bytes });
    assert.deepEqual(labels(aboutId(await beta.inbox(bruno), id)), ['posta-certificata']);
    assert.equal(said(await outcome(pair, id, written)).consegna, written);
    assert.deepEqual(await answers(beta, id), [
      `notification presa-in-carico ${written} -> ricevute@pec.alfa.example`,
      `notification avvenuta-consegna ${written} -> ${anna}`,
    ]);
  });

  it('decisions 32: alias and mailbox both addressed: an outcome each', async () => {
    const pair = here();
    const { beta } = pair;
    await beta.accounts.addAlias('sede@pec.beta.example', berta);
    const id = await deliver(pair, [berta, 'sede@pec.beta.example']);
    for (const who of [berta, 'sede@pec.beta.example'])
      assert.equal(said(await outcome(pair, id, who)).tipo, 'avvenuta-consegna');
  });
});

describe('delivery point: the form of the consegna', () => {
  const here = sharedPair();
  const attached = ['MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b'];
  const body =
    '--b\r\nContent-Type: text/plain\r\n\r\ntesto\r\n--b\r\nContent-Type: application/pdf; name="atto.pdf"\r\n\r\n%PDF-1\r\n--b--\r\n';
  const original = (cc: readonly string[] = []): Buffer =>
    letter({ from: anna, to: [bruno], cc, subject: 'Con allegato', fields: attached, body });

  it('decisions 28: completa carries the original to who is in To, a concise form to who is in Cc, and says what was asked', async () => {
    const pair = here();
    const id = await deliver(pair, [bruno, berta], { original: original([berta]), receiptType: 'completa' });
    const [to, cc] = [await outcome(pair, id, bruno), await outcome(pair, id, berta)];
    assert.deepEqual([said(to).ricevuta, said(cc).ricevuta], ['completa', 'completa']);
    const [envelope] = aboutId(await pair.beta.inbox(bruno), id);
    assert.ok(envelope);
    assert.deepEqual(postacertOf(to), postacertOf(envelope));
    assert.equal(postacertOf(cc), undefined);
    assert.match(readableText(to), /^Ricevuta di avvenuta consegna/);
    assert.match(readableText(cc), /^Ricevuta sintetica di avvenuta consegna/);
  });

  it('decisions 28: breve hashes the named parts, sintetica carries nothing, to To and Cc alike', async () => {
    const pair = here();
    const forms: [ReceiptType, string][] = [
      ['breve', bruno],
      ['sintetica', bruno],
    ];
    for (const [receiptType, who] of forms) {
      const id = await deliver(pair, [bruno, berta], { original: original([berta]), receiptType });
      const notice = await outcome(pair, id, who);
      assert.equal(said(notice).ricevuta, receiptType);
      const postacert = postacertOf(notice)?.toString('latin1');
      if (receiptType === 'sintetica') assert.equal(postacert, undefined);
      else {
        assert.ok(postacert !== undefined);
        assert.ok(postacert.includes('atto.pdf.hash') && !postacert.includes('%PDF-1'));
        assert.ok(postacert.includes(createHash('sha1').update('%PDF-1').digest('hex')));
      }
      assert.equal(postacertOf(await outcome(pair, id, berta)), undefined);
    }
  });

  it('decisions 5: To and Cc come from the signed postacert; in both, in neither, or differing outside is primary', async () => {
    const pair = here();
    const complete = async (forged: Partial<ForgedEnvelope>): Promise<boolean> => {
      const id = await deliver(pair, [berta], forged);
      return postacertOf(await outcome(pair, id, berta)) !== undefined;
    };
    const inCc = letter({ from: anna, to: ['x@pec.beta.example'], cc: [berta] });
    assert.equal(await complete({ original: inCc }), false);
    assert.equal(await complete({ original: letter({ from: anna, to: [berta], cc: [berta] }) }), true);
    assert.equal(await complete({ original: letter({ from: anna, to: ['x@pec.beta.example'] }) }), true);
    const outside = {
      original: inCc,
      change: (composed: { header: string | Buffer }) => ({
        ...(composed as Parameters<NonNullable<ForgedEnvelope['change']>>[0]),
        header: composed.header
          .toString('latin1')
          .replace(/^Cc: .*$/m, `X-Cc: ${berta}`)
          .replace(/^To: .*$/m, `To: ${berta}`),
      }),
    };
    assert.equal(await complete(outside), true);
  });

  it('decisions 17: the consegna of an 8-bit original is labelled 8bit and keeps its octets', async () => {
    const pair = here();
    const raw = Buffer.from(`From: ${anna}\r\nTo: ${bruno}\r\nSubject: x\r\n\r\nperch\xe9\r\n`, 'latin1');
    const id = await deliver(pair, [bruno], { original: raw });
    const notice = await outcome(pair, id, bruno);
    assert.equal(field(notice, 'Content-Transfer-Encoding'), '8bit');
    assert.ok(postacertOf(notice)?.toString('latin1').endsWith('perch\xe9\r\n'));
  });
});
