import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replyFor } from '../../src/smtp/index.js';
import { StoreConflict, StoreUnavailable } from '../../src/storage/index.js';
import { aboutId, labels } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import type { Point } from '../support/points.js';
import { added, consegna, errore, from, noticeFrom, sent, tracking } from './answers-of-beta.js';
import { anna, answers, berta, bruno, eventsOf, fromAlfa } from './arrivals.js';

/** Runs once, just before that write reaches the store. */
function onceBefore(point: Point, operation: string, act: () => Promise<unknown>): void {
  point.switches.beforeWrite = async (name) => {
    if (name !== operation) return;
    point.switches.beforeWrite = undefined;
    await act();
  };
}

describe('incoming point: races', () => {
  const here = sharedPair();

  it('decisions 7: the same envelope twice at once: one copy, one set of receipts, the same answer to both', async () => {
    const pair = here();
    const { beta } = pair;
    for (let round = 0; round < 5; round++) {
      const { id, bytes } = await fromAlfa(pair, { recipients: [bruno, berta] });
      const once = () => beta.receive({ mailFrom: anna, recipients: [bruno, berta], message: bytes });
      await Promise.all([once(), once(), once(), once()]);
      for (const mailbox of [bruno, berta]) assert.equal(aboutId(await beta.inbox(mailbox), id).length, 1);
      assert.equal((await beta.store.read('findReceipts', { identificativo: id })).length, 3);
      const rows = (await beta.queue()).filter((row) => row.identificativo === id);
      assert.equal(rows.length, 4 * 3);
      assert.equal(new Set(rows.map(({ contentId }) => contentId)).size, 3, 'the same bytes four times');
      const events = await eventsOf(beta, id);
      assert.equal(events.filter((event) => event.startsWith('avvenuta-consegna')).length, 2);
    }
  });

  it('decisions 7: overlapping sets of recipients at once: each has one copy and one outcome', async () => {
    const pair = here();
    const { beta } = pair;
    const all = [bruno, berta, 'nessuno@pec.beta.example'];
    const { id, bytes } = await fromAlfa(pair, { recipients: all });
    const some = [[bruno, berta], [berta, 'nessuno@pec.beta.example'], [bruno], all];
    await Promise.all(some.map((recipients) => beta.receive({ mailFrom: anna, recipients, message: bytes })));
    const outcomes = (await beta.store.read('findReceipts', { identificativo: id })).filter(
      ({ kind }) => kind !== 'presa-in-carico',
    );
    assert.deepEqual(outcomes.map(({ kind, recipient }) => `${kind} ${recipient}`).sort(), [
      `avvenuta-consegna ${berta}`,
      `avvenuta-consegna ${bruno}`,
      'errore-consegna nessuno@pec.beta.example',
    ]);
    for (const mailbox of [bruno, berta]) assert.equal(aboutId(await beta.inbox(mailbox), id).length, 1);
  });

  it('decisions 7: two different envelopes of one id at once: one is delivered, the other set apart', async () => {
    const pair = here();
    const { beta } = pair;
    const one = await fromAlfa(pair);
    const other = await fromAlfa(pair, { identificativo: one.id, body: 'Tutt\u0027altro.\r\n' });
    const before = (await beta.inbox(bruno)).length;
    await Promise.all(
      [one, other].map(({ bytes }) => beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes })),
    );
    assert.deepEqual(labels((await beta.inbox(bruno)).slice(before)).sort(), [
      'anomalia',
      'posta-certificata',
    ]);
    assert.equal((await answers(beta, one.id)).length, 2);
  });

  it('decisions 7: the same notification twice at once: one copy', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const message = await noticeFrom(pair, id, consegna());
    const receive = () => alfa.receive({ mailFrom: from, recipients: [anna], message });
    const result = await added(pair, async () => void (await Promise.all([receive(), receive(), receive()])));
    assert.deepEqual(result.anna, [`avvenuta-consegna ${bruno}`]);
  });

  it('decisions 12: the same rilevazione-virus several times at once: the user is told once, and so is the register', async () => {
    const pair = here();
    const { alfa } = pair;
    for (let round = 0; round < 3; round++) {
      const id = await sent(pair);
      const message = await noticeFrom(pair, id, {
        kind: 'rilevazione-virus',
        recipient: bruno,
        virus: 'Eicar',
      });
      const receive = () => alfa.receive({ mailFrom: from, recipients: [alfa.serviceMailbox], message });
      const result = await added(
        pair,
        async () => void (await Promise.all([receive(), receive(), receive()])),
      );
      assert.deepEqual([result.anna, result.service.length], [[`errore-consegna/virus ${bruno}`], 1]);
      const told = result.register.filter(({ event }) => event === 'errore-consegna');
      const [receipt] = (await alfa.store.read('findReceipts', { identificativo: id })).filter(
        ({ kind }) => kind === 'errore-consegna',
      );
      assert.deepEqual(
        told.map(({ related }) => related),
        [[receipt?.messageId]],
      );
    }
  });

  it('decisions 2: consegna and errore-consegna at once: one counts, the other is an anomaly', async () => {
    const pair = here();
    const { alfa } = pair;
    for (let round = 0; round < 3; round++) {
      const id = await sent(pair);
      const messages = await Promise.all(
        [consegna(), errore()].map((notification) => noticeFrom(pair, id, notification)),
      );
      const result = await added(pair, async () => {
        await Promise.all(
          messages.map((message) => alfa.receive({ mailFrom: from, recipients: [anna], message })),
        );
      });
      const outcome = (await tracking(pair, id))?.outcome;
      const label =
        outcome === 'errore-consegna' ? `errore-consegna/no-dest ${bruno}` : `avvenuta-consegna ${bruno}`;
      assert.deepEqual([...result.anna].sort(), ['anomalia', label].sort());
    }
  });

  it('decisions 2: an outcome that comes in between judging and committing another: the second is an anomaly', async () => {
    const pair = here();
    const { alfa } = pair;
    const id = await sent(pair);
    const [one, other] = await Promise.all(
      [consegna(), errore()].map((notification) => noticeFrom(pair, id, notification)),
    );
    onceBefore(alfa, 'commitNotification', () =>
      alfa.receive({ mailFrom: from, recipients: [anna], message: one ?? Buffer.alloc(0) }),
    );
    const result = await added(pair, () =>
      alfa.receive({ mailFrom: from, recipients: [anna], message: other ?? Buffer.alloc(0) }),
    );
    assert.deepEqual(result.anna, [`avvenuta-consegna ${bruno}`, 'anomalia']);
    assert.equal((await tracking(pair, id))?.outcome, 'avvenuta-consegna');
  });
});

describe('incoming point: what changes between the decision and the commit', () => {
  const here = sharedPair();

  const outcomeOf = async ({ beta }: Pair, id: string): Promise<string[]> =>
    (await answers(beta, id))
      .filter((answer) => !answer.includes('presa-in-carico'))
      .map((answer) => answer.replace(/^notification | -> .*$/g, ''));

  it('suspended in between: decided again, one errore-consegna, no copy', async () => {
    const pair = here();
    const { beta } = pair;
    const address = 'sospesa@pec.beta.example';
    await beta.addMailbox(address);
    const { id, bytes } = await fromAlfa(pair, { recipients: [address] });
    onceBefore(beta, 'commitReception', () => beta.setMailbox(address, { state: 'suspended' }));
    await beta.receive({ mailFrom: anna, recipients: [address], message: bytes });
    assert.deepEqual(await outcomeOf(pair, id), [`errore-consegna/altro ${address}`]);
    assert.deepEqual(await beta.inbox(address), []);
    assert.deepEqual(await eventsOf(beta, id), [
      `ricezione-busta ${address}`,
      `presa-in-carico ${address}`,
      `errore-consegna ${address}`,
    ]);
  });

  it('filled in between: decided again, one errore-consegna for a full mailbox', async () => {
    const pair = here();
    const { beta } = pair;
    const address = 'riempita@pec.beta.example';
    await beta.addMailbox(address, { quota: 20_000 });
    const { id, bytes } = await fromAlfa(pair, { recipients: [address] });
    onceBefore(beta, 'commitReception', () => beta.setMailbox(address, { quota: 10 }));
    await beta.receive({ mailFrom: anna, recipients: [address], message: bytes });
    assert.deepEqual(await outcomeOf(pair, id), [`errore-consegna/altro ${address}`]);
    assert.deepEqual(await beta.inbox(address), []);
  });

  it('resumed in between: what was decided stands, once', async () => {
    const pair = here();
    const { beta } = pair;
    const address = 'ripresa@pec.beta.example';
    await beta.addMailbox(address, { state: 'suspended' });
    const { id, bytes } = await fromAlfa(pair, { recipients: [address] });
    onceBefore(beta, 'commitReception', () => beta.setMailbox(address, { state: 'active' }));
    await beta.receive({ mailFrom: anna, recipients: [address], message: bytes });
    assert.equal((await outcomeOf(pair, id)).length, 1);
    await beta.receive({ mailFrom: anna, recipients: [address], message: bytes });
    assert.equal(new Set(await outcomeOf(pair, id)).size, 1, 'and stays when the envelope comes again');
  });

  it('a mailbox that changes at every try: after five the peer is told to come back, and nothing was written', async () => {
    const pair = here();
    const { beta } = pair;
    const address = 'ballerina@pec.beta.example';
    await beta.addMailbox(address);
    const { id, bytes } = await fromAlfa(pair, { recipients: [address] });
    let tries = 0;
    beta.switches.beforeWrite = (name) => {
      if (name !== 'commitReception') return;
      tries += 1;
      throw new StoreConflict('mailbox', 'changed again', { mailboxId: 1 });
    };
    await assert.rejects(
      beta.receive({ mailFrom: anna, recipients: [address], message: bytes }),
      (error) => replyFor(error).code === 451,
    );
    beta.switches.beforeWrite = undefined;
    assert.equal(tries, 5);
    assert.deepEqual([await answers(beta, id), await eventsOf(beta, id)], [[], []]);
    await beta.receive({ mailFrom: anna, recipients: [address], message: bytes });
    assert.deepEqual(await outcomeOf(pair, id), [`avvenuta-consegna ${address}`]);
  });

  it('decisions 32: an alias and its mailbox with room for one copy: one consegna, one errore-consegna, no loop', async () => {
    const pair = here();
    const { beta } = pair;
    const [address, alias] = ['stretta@pec.beta.example', 'stretta.alias@pec.beta.example'];
    await beta.addMailbox(address, { quota: 15_000 });
    await beta.accounts.addAlias(alias, address);
    const { id, bytes } = await fromAlfa(pair, {
      recipients: [alias, address],
      body: `${'riga\r\n'.repeat(200)}`,
    });
    await beta.setMailbox(address, { quota: Math.floor(bytes.length * 1.5) });
    await beta.receive({ mailFrom: anna, recipients: [alias, address], message: bytes });
    assert.deepEqual(await outcomeOf(pair, id), [
      `avvenuta-consegna ${alias}`,
      `errore-consegna/altro ${address}`,
    ]);
    assert.equal((await beta.inbox(address)).length, 1);
  });
});

describe('incoming point: what fails leaves nothing and is a temporary error', () => {
  const here = sharedPair();

  async function failsThenPasses(pair: Pair, breakIt: () => void, mend: () => void): Promise<void> {
    const { beta } = pair;
    const { id, bytes } = await fromAlfa(pair);
    const receive = () => beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const entries = (await beta.events()).length;
    breakIt();
    await assert.rejects(receive(), (error) => replyFor(error).code === 451);
    mend();
    assert.deepEqual([await answers(beta, id), (await beta.events()).length], [[], entries]);
    await receive();
    assert.equal((await answers(beta, id)).length, 2);
    assert.equal(aboutId(await beta.inbox(bruno), id).length, 1);
  }

  it('antivirus unavailable', async () => {
    const pair = here();
    const { switches } = pair.beta;
    const set = (down: boolean) => () => {
      switches.antivirusDown = down;
    };
    await failsThenPasses(pair, set(true), set(false));
  });

  it('signer failing', async () => {
    const pair = here();
    const { switches } = pair.beta;
    const set = (down: boolean) => () => {
      switches.signerDown = down;
    };
    await failsThenPasses(pair, set(true), set(false));
  });

  for (const operation of ['commitReception', 'directoryMark', 'findReception', 'findMailbox']) {
    it(`store unavailable at ${operation}`, async () => {
      const pair = here();
      const { switches } = pair.beta;
      const fail = (name: string): void => {
        if (name === operation) throw new StoreUnavailable('input-output', 'disk error');
      };
      const set = (hook: ((name: string) => void) | undefined) => () => {
        switches.beforeWrite = hook;
        switches.beforeRead = hook;
      };
      await failsThenPasses(pair, set(fail), set(undefined));
    });
  }

  it('the commit done and the answer lost: the repetition is recognised', async () => {
    const pair = here();
    const { alfa, beta, network, clock } = pair;
    const id = await alfa.submit({ from: anna, to: [bruno, berta] });
    let lost = 0;
    network.onHop = async ({ to, arrival }, deliver) => {
      await deliver();
      if (to === beta && arrival.mailFrom === anna && lost++ < 2)
        throw new Error('connection lost after the dot');
    };
    for (let round = 0; round < 4; round++) {
      await network.pump();
      clock.advance(60_000);
    }
    network.onHop = undefined;
    await network.pump();
    for (const mailbox of [bruno, berta]) assert.equal(aboutId(await beta.inbox(mailbox), id).length, 1);
    assert.deepEqual(labels(aboutId(await alfa.inbox(anna), id)).sort(), [
      'accettazione',
      `avvenuta-consegna ${berta}`,
      `avvenuta-consegna ${bruno}`,
    ]);
    assert.equal(aboutId(await alfa.inbox(alfa.serviceMailbox), id).length, 1);
    assert.equal(lost, 3);
  });
});
