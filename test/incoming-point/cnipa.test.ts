/** The cases of the CNIPA interoperability run of 2008 that are known by their ids; D-P.1 and V-Q.1 stand with the viruses. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readableText, said } from '../e2e/reading.js';
import { field } from '../support/inbox.js';
import { aboutId, label, labels } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import type { Stored } from '../support/points.js';
import { consegna, from, noticeFrom, presa } from './answers-of-beta.js';
import { anna, berta, bruno } from './arrivals.js';

const MINUTE = 60_000;
const aldo = 'aldo@pec.alfa.example';

const arrives = async ({ alfa }: Pair, message: Buffer, recipient = anna): Promise<void> =>
  alfa.receive({ mailFrom: from, recipients: [recipient], message });

const told = async ({ alfa }: Pair, id: string): Promise<Stored[]> => aboutId(await alfa.inbox(anna), id);

describe('CNIPA interoperability cases', () => {
  const here = sharedPair();

  it('CNIPA D-H.1: one of three recipients is in neither To nor Cc: a non-accettazione of the whole, all three named', async () => {
    const pair = here();
    const id = await pair.alfa.submit({
      from: anna,
      to: [bruno],
      cc: [aldo],
      recipients: [bruno, aldo, berta],
      subject: 'D-H.1',
    });
    const [notice, ...others] = await told(pair, id);
    assert.ok(notice !== undefined && others.length === 0);
    assert.equal(label(notice), 'non-accettazione/altro');
    assert.deepEqual(
      said(notice).destinatari.map((line) => line.split(' ')[1]),
      [bruno, aldo, berta],
    );
    assert.match(readableText(notice), /berta@pec\.beta\.example non appare nei campi To o Cc/);
    assert.deepEqual(await pair.alfa.queue(), []);
  });

  it('CNIPA D-Q.1: two certified and two ordinary recipients; a virus notice for each certified one', async () => {
    const pair = here();
    const { alfa } = pair;
    const to = [bruno, berta, 'mario@gmail.example', 'rita@libero.example'];
    const id = await alfa.submit({ from: anna, to, subject: 'D-Q.1' });
    const before = (await alfa.inbox(alfa.serviceMailbox)).length;
    await arrives(pair, await noticeFrom(pair, id, presa(bruno, berta)), alfa.serviceMailbox);
    for (const recipient of [bruno, berta]) {
      const notice = await noticeFrom(pair, id, { kind: 'rilevazione-virus', recipient, virus: 'Win.Test' });
      await arrives(pair, notice, alfa.serviceMailbox);
    }
    assert.deepEqual(labels((await alfa.inbox(alfa.serviceMailbox)).slice(before)), [
      `presa-in-carico ${bruno} ${berta}`,
      `rilevazione-virus/virus ${bruno}`,
      `rilevazione-virus/virus ${berta}`,
    ]);
    assert.deepEqual(labels((await told(pair, id)).slice(1)), [
      `errore-consegna/virus ${bruno}`,
      `errore-consegna/virus ${berta}`,
    ]);
    const outgoing = await alfa.store.read('findOutgoing', { identificativo: id });
    assert.deepEqual(
      outgoing?.tracking.map(({ kind, outcome }) => [kind, outcome]),
      [
        ['certificato', 'errore-consegna-virus'],
        ['certificato', 'errore-consegna-virus'],
        ['esterno', null],
        ['esterno', null],
      ],
    );
  });

  it('CNIPA w-r.1: a presa in carico after eight minutes, the consegna after fourteen: no notice of silence', async () => {
    const pair = here();
    const { alfa, clock } = pair;
    const id = await alfa.submit({ from: anna, to: [bruno], subject: 'w-r.1' });
    clock.advance(8 * MINUTE);
    await arrives(pair, await noticeFrom(pair, id, presa(bruno)), alfa.serviceMailbox);
    clock.advance(6 * MINUTE);
    await arrives(pair, await noticeFrom(pair, id, consegna()));
    assert.deepEqual(labels((await told(pair, id)).slice(1)), [`avvenuta-consegna ${bruno}`]);
    const due = await alfa.store.read('dueNotices', { now: clock.now + 48 * 60 * MINUTE, limit: 100 });
    assert.ok(due.every(({ outgoing }) => outgoing.identificativo !== id));
  });

  for (const [what, subject, expected] of [
    ['an empty subject', '', ''],
    ['accented and special characters', 'Test 19 àèéìòù ç§°£€ "<&>"', 'Test 19 àèéìòù ç§°£€ "<&>"'],
  ] as const) {
    it(`CNIPA: ${what}, to PEC and to a domain that only looks like one`, async () => {
      const pair = here();
      const { alfa, beta, network } = pair;
      const lookalike = 'prova@beta.example';
      const id = await alfa.submit({ from: anna, to: [bruno, lookalike], subject });
      const [accettazione] = await told(pair, id);
      assert.ok(accettazione !== undefined);
      assert.equal(said(accettazione).oggetto ?? '', expected);
      assert.deepEqual(said(accettazione).destinatari, [`certificato ${bruno}`, `esterno ${lookalike}`]);
      await network.pump();
      const envelope = aboutId(await beta.inbox(bruno), id).at(-1);
      assert.ok(envelope !== undefined);
      assert.equal(said(envelope).oggetto ?? '', expected);
      assert.match(field(envelope, 'Subject') ?? '', /^(POSTA CERTIFICATA:|=\?)/);
      const outside = network.outside.at(-1);
      assert.deepEqual(outside?.recipients, [lookalike]);
      assert.deepEqual(labels((await told(pair, id)).slice(1)), [`avvenuta-consegna ${bruno}`]);
    });
  }
});
