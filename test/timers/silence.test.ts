import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SilenceNotices, type SilenceOptions } from '../../src/timers/index.js';
import { postacertOf, readableText, said } from '../e2e/reading.js';
import { consegna, errore, from, noticeFrom, presa, tracking } from '../incoming-point/answers-of-beta.js';
import { anna, berta, bruno } from '../incoming-point/arrivals.js';
import { field } from '../support/inbox.js';
import { aboutId, label, signatureFaults } from '../support/notices.js';
import { type Pair, sharedPair, twoPoints } from '../support/pair.js';
import { DAY, HOUR, type Point, type Stored } from '../support/points.js';

const ext = 'mario@gmail.example';

/** A fresh look, as after a restart: nothing but the store is remembered. */
const silenceOf = ({ store, issuer, telemetry, clock }: Point): SilenceNotices =>
  new SilenceNotices({ store, issuer, telemetry, clock: clock.read });

const look = (point: Point) => silenceOf(point).issueDue();

/** One whose store refuses to write what a test says, by the operation's input as JSON. */
function picky(
  { store, issuer, telemetry, clock }: Point,
  isRefused: (input: string) => boolean,
): SilenceNotices {
  const refusing: SilenceOptions['store'] = {
    read: store.read.bind(store),
    pack: store.pack.bind(store),
    write: (name, input) =>
      isRefused(JSON.stringify(input)) ? Promise.reject(new Error('that one row')) : store.write(name, input),
  };
  return new SilenceNotices({ store: refusing, issuer, telemetry, clock: clock.read });
}

/** What anna was told about a message after its accettazione. */
async function told({ alfa }: Pair, id: string): Promise<string[]> {
  return (await notices({ alfa } as Pair, id)).map(shortly);
}

async function notices({ alfa }: Pair, id: string): Promise<Stored[]> {
  return aboutId(await alfa.inbox(anna), id).slice(1);
}

/** The two notices have one label; their texts tell them apart. */
function shortly(message: Stored): string {
  if (field(message, 'X-Ricevuta') !== 'preavviso-errore-consegna') return label(message);
  const step = readableText(message).includes('nelle prime dodici ore') ? '12h' : '24h';
  return `${step} ${said(message).consegna}`;
}

async function arrives({ alfa }: Pair, message: Buffer): Promise<void> {
  await alfa.receive({ mailFrom: from, recipients: [anna, alfa.serviceMailbox], message });
}

/** Nothing of this message reaches beta. */
async function unheard(pair: Pair, to: readonly string[] = [bruno]): Promise<string> {
  return pair.alfa.submit({ from: anna, to, subject: 'Diffida' });
}

describe('silence: the three scenarios of RFC 6109 3.1.6', () => {
  const here = sharedPair();

  it('decisions 3: taken in charge and never delivered: the second notice alone, at 23 h', async () => {
    const pair = here();
    const { alfa, clock } = pair;
    const id = await unheard(pair);
    await arrives(pair, await noticeFrom(pair, id, presa(bruno)));
    clock.advance(23 * HOUR - 1000);
    await look(alfa);
    assert.deepEqual(await told(pair, id), []);
    clock.advance(1000);
    await look(alfa);
    assert.deepEqual(await told(pair, id), [`24h ${bruno}`]);
    clock.advance(10 * DAY);
    await look(alfa);
    assert.deepEqual(await told(pair, id), [`24h ${bruno}`]);
  });

  it('decisions 3: no presa in carico, a consegna between 12 h and 24 h: the first notice alone', async () => {
    const pair = here();
    const { alfa, clock } = pair;
    const id = await unheard(pair);
    clock.advance(12 * HOUR - 1000);
    await look(alfa);
    assert.deepEqual(await told(pair, id), []);
    clock.advance(1000);
    await look(alfa);
    await look(alfa);
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`]);
    clock.advance(8 * HOUR);
    await arrives(pair, await noticeFrom(pair, id, consegna()));
    clock.advance(DAY);
    await look(alfa);
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`, `avvenuta-consegna ${bruno}`]);
  });

  it('decisions 3: neither: both notices, at 12 h and at 23 h, signed by us, to MAIL FROM', async () => {
    const pair = here();
    const { alfa, clock, pki } = pair;
    const id = await unheard(pair, [bruno, ext]);
    clock.advance(12 * HOUR);
    await look(alfa);
    clock.advance(11 * HOUR);
    await look(alfa);
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`, `24h ${bruno}`]);
    for (const notice of await notices(pair, id)) {
      assert.deepEqual(await signatureFaults(notice, pki.trust, clock.now), []);
      const { tipo, errore: fault, mittente, gestore, consegna: about, destinatari } = said(notice);
      assert.deepEqual(
        [tipo, fault, mittente, gestore, about],
        ['preavviso-errore-consegna', 'altro', anna, alfa.name, bruno],
      );
      assert.deepEqual(destinatari, [`certificato ${bruno}`, `esterno ${ext}`]);
      assert.equal(field(notice, 'Subject'), 'AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO: Diffida');
      assert.equal(field(notice, 'To'), anna);
      // Decisions 29: never the original.
      assert.equal(postacertOf(notice), undefined);
      assert.deepEqual(notice.flags, ['$MancataConsegna']);
    }
    const events = (await alfa.events(id)).filter(({ event }) => event === 'preavviso-errore-consegna');
    assert.deepEqual(
      events.map(({ detail, recipients }) => [detail.avviso, ...recipients]),
      [
        ['12h', bruno],
        ['24h', bruno],
      ],
    );
    // Decisions 8: nobody else hears of it.
    assert.deepEqual(
      (await alfa.queue()).filter((row) => row.identificativo === id && row.kind === 'notification'),
      [],
    );
  });
});

describe('silence: what comes late', () => {
  const here = sharedPair();

  it('decisions 3: a consegna after the 24 h notice is delivered, tracked, and the last word', async () => {
    const pair = here();
    const { alfa, beta, network, clock } = pair;
    network.onHop = async () => {
      throw new Error('beta is away');
    };
    const id = await unheard(pair);
    await network.pump(alfa);
    clock.advance(12 * HOUR);
    await look(alfa);
    clock.advance(11 * HOUR);
    await look(alfa);
    // Decisions 10: the envelope leaves the queue at 24 h; until then it may still arrive.
    network.onHop = undefined;
    await network.pump(alfa);
    assert.equal((await beta.inbox(bruno)).length, 1);
    clock.advance(5 * HOUR);
    await network.pump(beta);
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`, `24h ${bruno}`, `avvenuta-consegna ${bruno}`]);
    const row = await tracking(pair, id);
    assert.equal(row?.outcome, 'avvenuta-consegna');
    assert.notEqual(row?.takenAt, null);
    clock.advance(DAY);
    await look(alfa);
    assert.equal((await told(pair, id)).length, 3);
  });

  it('decisions 3: a presa in carico after the first notice leaves the second; the envelope that expires adds none', async () => {
    const pair = here();
    const { alfa, network, clock } = pair;
    network.onHop = async () => {
      throw new Error('beta is away');
    };
    const id = await unheard(pair);
    await network.pump(alfa);
    clock.advance(12 * HOUR);
    await look(alfa);
    await arrives(pair, await noticeFrom(pair, id, presa(bruno)));
    clock.advance(11 * HOUR);
    await look(alfa);
    clock.advance(2 * HOUR);
    await network.pump(alfa);
    await look(alfa);
    network.onHop = undefined;
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`, `24h ${bruno}`]);
    assert.deepEqual(
      (await alfa.queue()).filter((row) => row.identificativo === id),
      [],
    );
  });

  it('decisions 3: a receipt that comes in between the look and its commit stands alone', async () => {
    const pair = here();
    const { alfa, clock } = pair;
    for (const [step, late] of [
      [12 * HOUR, presa(bruno)],
      [12 * HOUR, consegna()],
      [23 * HOUR, errore()],
    ] as const) {
      const id = await unheard(pair);
      if (step > 12 * HOUR) await arrives(pair, await noticeFrom(pair, id, presa(bruno)));
      clock.advance(step);
      const message = await noticeFrom(pair, id, late);
      alfa.switches.beforeWrite = async (name) => {
        if (name !== 'commitNotice') return;
        alfa.switches.beforeWrite = undefined;
        await arrives(pair, message);
      };
      const { issued, failed } = await look(alfa);
      assert.deepEqual([issued, failed], [0, 0]);
      assert.deepEqual(
        (await told(pair, id)).filter((notice) => /^(12|24)h/.test(notice)),
        [],
      );
      clock.advance(2 * DAY);
      await look(alfa);
      assert.deepEqual(
        (await told(pair, id)).filter((notice) => /^(12|24)h/.test(notice)),
        late.kind === 'presa-in-carico' ? [`24h ${bruno}`] : [],
      );
    }
    assert.deepEqual(alfa.alarms(), []);
  });

  it('decisions 3: two lookers at once: each notice once', async () => {
    const pair = here();
    const { alfa, clock } = pair;
    const id = await unheard(pair, [bruno, berta]);
    clock.advance(12 * HOUR);
    await Promise.all([look(alfa), look(alfa), look(alfa)]);
    assert.deepEqual((await told(pair, id)).sort(), [`12h ${berta}`, `12h ${bruno}`]);
    assert.deepEqual(alfa.alarms(), []);
  });
});

describe('silence: who is waited for', () => {
  const here = sharedPair();

  it('decisions 3: per recipient; an external one has no timers', async () => {
    const pair = here();
    const { alfa, clock } = pair;
    const id = await unheard(pair, [bruno, berta, ext]);
    await arrives(pair, await noticeFrom(pair, id, consegna()));
    const { nextAt } = await look(alfa);
    assert.equal(nextAt, clock.now + 12 * HOUR);
    clock.advance(2 * DAY);
    await look(alfa);
    assert.deepEqual(await told(pair, id), [`avvenuta-consegna ${bruno}`, `12h ${berta}`, `24h ${berta}`]);
    const alone = await unheard(pair, [ext]);
    assert.equal((await look(alfa)).nextAt, null);
    clock.advance(2 * DAY);
    assert.deepEqual(await look(alfa), { issued: 0, failed: 0, nextAt: null });
    assert.deepEqual(await told(pair, alone), []);
  });

  it('decisions 9: a full, a suspended and a revoked sender have their notices kept', async () => {
    const pair = here();
    const { alfa, clock } = pair;
    const ids: string[] = [];
    for (const [local, change] of [
      ['piena', { quota: 1 }],
      ['sospesa', { state: 'suspended' }],
      ['revocata', { state: 'revoked' }],
    ] as const) {
      const address = alfa.address(local);
      await alfa.addMailbox(address);
      ids.push(await alfa.submit({ from: address, to: [bruno] }));
      await alfa.setMailbox(address, change);
    }
    clock.advance(12 * HOUR);
    const { issued, failed } = await look(alfa);
    assert.deepEqual([issued, failed], [3, 0]);
    for (const identificativo of ids) {
      const kept = await alfa.store.read('findReceipts', { identificativo });
      assert.deepEqual(
        kept.map(({ kind, step }) => `${kind} ${step}`.trim()),
        ['accettazione', 'preavviso-errore-consegna 12h'],
      );
    }
  });
});

describe('silence: stops, faults, crowds', () => {
  it('decisions 3: after a long stop both notices, the first one first; a restart repeats none', async (t) => {
    const pair = await twoPoints(t);
    const { alfa, clock } = pair;
    const id = await unheard(pair);
    clock.advance(3 * DAY);
    assert.deepEqual(await look(alfa), { issued: 2, failed: 0, nextAt: null });
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`, `24h ${bruno}`]);
    assert.deepEqual(await look(alfa), { issued: 0, failed: 0, nextAt: null });
    const second = await unheard(pair);
    await arrives(pair, await noticeFrom(pair, second, presa(bruno)));
    clock.advance(3 * DAY);
    await look(alfa);
    assert.deepEqual(await told(pair, second), [`24h ${bruno}`]);
  });

  it('decisions 3: a fall between the two notices costs neither', async (t) => {
    const pair = await twoPoints(t);
    const { alfa, clock } = pair;
    const id = await unheard(pair);
    clock.advance(DAY);
    let writes = 0;
    alfa.switches.beforeWrite = (name) => {
      if (name === 'commitNotice' && ++writes === 2) throw new Error('fallen');
    };
    await look(alfa);
    alfa.switches.beforeWrite = undefined;
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`]);
    await look(alfa);
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`, `24h ${bruno}`]);
  });

  it('a clock set back issues nothing before its time, nor twice', async (t) => {
    const pair = await twoPoints(t);
    const { alfa, clock } = pair;
    const id = await unheard(pair);
    clock.advance(12 * HOUR);
    await look(alfa);
    clock.advance(-6 * HOUR);
    await look(alfa);
    clock.advance(16 * HOUR);
    await look(alfa);
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`]);
    clock.advance(HOUR);
    await look(alfa);
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`, `24h ${bruno}`]);
  });

  it('one bad row never stops the others; it is told once and comes right when it is mended', async (t) => {
    const pair = await twoPoints(t);
    const { alfa, clock } = pair;
    const bad = await unheard(pair);
    clock.advance(1000);
    const good = await unheard(pair);
    clock.advance(12 * HOUR);
    let broken = true;
    const silence = picky(alfa, (input) => broken && input.includes(bad));
    const nextAt = clock.now - 1000;
    assert.deepEqual(await silence.issueDue(), { issued: 1, failed: 1, nextAt });
    assert.deepEqual([await told(pair, bad), await told(pair, good)], [[], [`12h ${bruno}`]]);
    assert.deepEqual(await silence.issueDue(), { issued: 0, failed: 1, nextAt });
    assert.deepEqual(alfa.alarms(), ['silence-notice']);
    broken = false;
    assert.equal((await silence.issueDue()).failed, 0);
    assert.deepEqual(await told(pair, bad), [`12h ${bruno}`]);
  });

  it('a key that is away: everything stays due, and one alarm tells', async (t) => {
    const pair = await twoPoints(t);
    const { alfa, clock } = pair;
    const id = await unheard(pair, [bruno, berta]);
    clock.advance(12 * HOUR);
    alfa.switches.signerDown = true;
    assert.deepEqual(await look(alfa), { issued: 0, failed: 2, nextAt: clock.now });
    alfa.switches.signerDown = false;
    assert.deepEqual(alfa.alarms(), ['signer-unavailable', 'silence-notice']);
    assert.equal((await look(alfa)).issued, 2);
    assert.equal((await told(pair, id)).length, 2);
  });

  it('more than a page: every one, in both steps, bad ones at the head notwithstanding', async (t) => {
    const pair = await twoPoints(t);
    const { alfa, clock } = pair;
    const crowd = Array.from({ length: 50 }, (_, index) => `u${index}@pec.beta.example`);
    const blocked = [await unheard(pair, crowd), await unheard(pair, crowd), await unheard(pair, crowd)];
    clock.advance(1000);
    const id = await unheard(pair);
    clock.advance(12 * HOUR);
    const silence = picky(alfa, (input) => !input.includes(id));
    const { issued, failed } = await silence.issueDue();
    assert.deepEqual([issued, failed], [1, 150]);
    assert.deepEqual(await told(pair, id), [`12h ${bruno}`]);
    clock.advance(DAY);
    assert.deepEqual(await look(alfa), { issued: 301, failed: 0, nextAt: null });
    for (const each of blocked) assert.equal((await told(pair, each)).length, 100);
  });

  it('a look told to stop ends with the notices in hand', async (t) => {
    const pair = await twoPoints(t);
    const { alfa, clock } = pair;
    const crowd = Array.from({ length: 50 }, (_, index) => `u${index}@pec.beta.example`);
    await unheard(pair, crowd);
    clock.advance(12 * HOUR);
    const stop = new AbortController();
    alfa.switches.beforeWrite = () => stop.abort();
    const { issued } = await silenceOf(alfa).issueDue(stop.signal);
    alfa.switches.beforeWrite = undefined;
    assert.ok(issued > 0 && issued < 50);
    assert.equal((await look(alfa)).issued, 50 - issued);
  });
});
