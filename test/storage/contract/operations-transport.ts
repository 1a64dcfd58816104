import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Store } from '../../../src/storage/index.js';
import {
  changes,
  changesOver,
  conflict,
  deposit,
  event,
  ID,
  NOW,
  newMailbox,
  type OpenStore,
  ORIGIN,
  outgoing,
  queueRow,
  receipt,
  reception,
  using,
} from './records.js';

const HOUR = 3_600_000;
const ANNA = 'anna@PEC.beta.example';

async function submit(store: Store): Promise<number> {
  const { id } = await newMailbox(store);
  const given = await changesOver(store, 'busta', {
    receipts: [receipt()],
    deposits: [deposit(id, 5, { withinQuota: false })],
    queue: [queueRow()],
    events: [event({ event: 'accettazione' }), event()],
  });
  await store.write('commitSubmission', { ...given, outgoing: outgoing(id) });
  return id;
}

const trackingOf = async (store: Store, recipient = 'Anna@pec.beta.example') =>
  (await store.read('findOutgoing', { identificativo: ID }))?.tracking.find(
    (row) => row.recipient === recipient,
  );

let digest = 0;
function notify(store: Store, fact: 'presa-in-carico' | 'avvenuta-consegna' | 'errore-consegna', at: number) {
  digest += 1;
  return store.write('commitNotification', {
    ...changes({ events: [event({ event: 'ricezione-notifica' })] }),
    digest: String(digest),
    facts: [{ identificativo: ID, recipient: ANNA, fact, at }],
  });
}

export function transportContract(open: OpenStore): void {
  describe('submission', () => {
    it('commits the message, its acceptance, its queue rows and its tracking together', () =>
      using(open, async ({ store }) => {
        const id = await submit(store);
        const found = await store.read('findOutgoing', { identificativo: ID });
        assert.equal(found?.mailboxId, id);
        assert.deepEqual(
          found?.tracking.map(({ recipient, kind, takenAt, outcome }) => [recipient, kind, takenAt, outcome]),
          [
            ['Anna@pec.beta.example', 'certificato', null, null],
            ['ugo@example.org', 'esterno', null, null],
          ],
        );
        assert.equal((await store.read('listQueue', {})).length, 1);
        assert.equal((await store.read('findReceipts', { identificativo: ID })).length, 1);
        const rows = await store.read('pageRegister', { limit: 10 });
        assert.deepEqual(
          rows.map((row) => row.event),
          ['accettazione', 'posta-certificata'],
        );
      }));

    it('refuses who was suspended meanwhile, and an identificativo that is taken', () =>
      using(open, async ({ store }) => {
        const id = await submit(store);
        const again = await changesOver(store, 'busta');
        await assert.rejects(
          store.write('commitSubmission', { ...again, outgoing: outgoing(id) }),
          conflict('outgoing'),
        );
        await store.write('setMailbox', { address: 'mario.rossi@pec.alfa.example', state: 'suspended' });
        const other = outgoing(id, { identificativo: 'other' });
        await assert.rejects(
          store.write('commitSubmission', { ...again, outgoing: other }),
          conflict('mailbox'),
        );
      }));
  });

  describe('receipts', () => {
    const twice = async (
      store: Store,
      one: Parameters<typeof receipt>[0],
      two: Parameters<typeof receipt>[0],
    ) => {
      await store.write('commitRefusal', await changesOver(store, 'una', { receipts: [receipt(one)] }));
      await store.write('commitRefusal', await changesOver(store, 'due', { receipts: [receipt(two)] }));
    };

    it('exist once by direction, origin, identificativo, kind, recipient and step', () =>
      using(open, async ({ store }) => {
        const notice = { kind: 'preavviso-errore-consegna', recipient: 'a@b.example', step: '12h' } as const;
        await assert.rejects(
          twice(store, notice, { ...notice, recipient: 'A@b.example' }),
          conflict('receipt'),
        );
        await store.write(
          'commitRefusal',
          await changesOver(store, 'tre', {
            receipts: [
              receipt({ ...notice, step: '24h' }),
              receipt({ ...notice, origin: 'Beta' }),
              receipt({ ...notice, direction: 'received' }),
              receipt({ ...notice, recipient: 'c@b.example' }),
            ],
          }),
        );
      }));

    it('hold one promise and one final outcome (decisions 1 and 2)', () =>
      using(open, async ({ store }) => {
        await assert.rejects(twice(store, {}, { kind: 'non-accettazione' }), conflict('receipt'));
        const recipient = 'a@b.example';
        await assert.rejects(
          twice(store, { kind: 'avvenuta-consegna', recipient }, { kind: 'errore-consegna', recipient }),
          conflict('receipt'),
        );
      }));

    it('know a presa in carico by its own Message-ID (decisions 1)', () =>
      using(open, async ({ store }) => {
        const kind = 'presa-in-carico';
        await twice(store, { kind, messageId: '<1@a>' }, { kind, messageId: '<2@a>' });
        await assert.rejects(
          twice(store, { kind, messageId: '<3@a>' }, { kind, messageId: '<1@a>' }),
          conflict('receipt'),
        );
      }));
  });

  describe('reception', () => {
    const receipts = [
      receipt({ kind: 'presa-in-carico', messageId: '<presa@a>' }),
      receipt({
        kind: 'avvenuta-consegna',
        recipient: 'mario.rossi@pec.alfa.example',
        messageId: '<consegna@a>',
      }),
    ];

    it('gives the stored receipts back, byte for byte (decisions 7)', () =>
      using(open, async ({ store }) => {
        const mailbox = await newMailbox(store);
        const given = await changesOver(store, 'busta', { receipts, deposits: [deposit(mailbox.id, 5)] });
        const expect = [{ mailboxId: mailbox.id, state: 'active' as const }];
        await store.write('commitReception', { ...given, reception: [reception()], expect });
        const key = { origin: ORIGIN, identificativo: ID };
        const [found] = await store.read('findReception', key);
        assert.equal(found?.digest, 'a'.repeat(64));
        assert.equal(found?.presaInCarico.messageId, '<presa@a>');
        assert.equal(found?.finalOutcome.messageId, '<consegna@a>');
        const stored = await store.open(found?.finalOutcome.contentId ?? 0);
        assert.equal((await stored.bytes()).toString(), 'busta');
        assert.deepEqual(await store.read('findReception', { ...key, origin: 'Mallory' }), []);
      }));

    it('tells a repetition by its key, and deposits no second copy', () =>
      using(open, async ({ store }) => {
        const mailbox = await newMailbox(store);
        const given = await changesOver(store, 'busta', { receipts, deposits: [deposit(mailbox.id, 5)] });
        const commit = { ...given, reception: [reception()], expect: [] };
        const both = await Promise.allSettled([
          store.write('commitReception', commit),
          store.write('commitReception', commit),
        ]);
        assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
        await assert.rejects(store.write('commitReception', commit), conflict('reception'));
        const messages = await store.read('listMessages', { mailboxId: mailbox.id, folder: 'INBOX' });
        assert.equal(messages.length, 1);
      }));

    it('refuses when a mailbox is no longer as it was', () =>
      using(open, async ({ store }) => {
        const mailbox = await newMailbox(store);
        await store.write('setMailbox', { address: mailbox.address, state: 'revoked' });
        const given = await changesOver(store, 'busta', { deposits: [deposit(mailbox.id, 5)] });
        const expect = [{ mailboxId: mailbox.id, state: 'active' as const }];
        await assert.rejects(
          store.write('commitReception', { ...given, reception: [], expect }),
          conflict('mailbox'),
        );
      }));
  });

  describe('notifications', () => {
    it('move the tracking once, and only forward', () =>
      using(open, async ({ store }) => {
        await submit(store);
        assert.deepEqual((await notify(store, 'presa-in-carico', NOW + 1)).effective, [true]);
        assert.deepEqual((await notify(store, 'presa-in-carico', NOW + 2)).effective, [false]);
        assert.deepEqual((await notify(store, 'avvenuta-consegna', NOW + 3)).effective, [true]);
        assert.deepEqual((await notify(store, 'errore-consegna', NOW + 4)).effective, [false]);
        const row = await trackingOf(store);
        assert.deepEqual(
          [row?.takenAt, row?.outcome, row?.outcomeAt],
          [NOW + 1, 'avvenuta-consegna', NOW + 3],
        );
      }));

    it('leave only an event when they come again byte for byte (decisions 7)', () =>
      using(open, async ({ store }) => {
        const mailboxId = await submit(store);
        const kept = receipt({ direction: 'received', kind: 'avvenuta-consegna', recipient: ANNA });
        const given = await changesOver(store, 'consegna', {
          receipts: [kept],
          deposits: [deposit(mailboxId, 8, { withinQuota: false })],
          events: [event({ event: 'ricezione-notifica' })],
        });
        const facts = [{ identificativo: ID, recipient: ANNA, fact: 'avvenuta-consegna', at: NOW }] as const;
        const commit = { ...given, facts, digest: 'same' };
        assert.deepEqual(await store.write('commitNotification', commit), {
          repeated: false,
          effective: [true],
        });
        assert.deepEqual(await store.write('commitNotification', commit), {
          repeated: true,
          effective: [false],
        });
        const messages = await store.read('listMessages', { mailboxId, folder: 'INBOX' });
        assert.equal(messages.length, 2, 'the acceptance and one delivery notification');
        const found = await store.read('searchRegister', { event: 'ricezione-notifica', limit: 9 });
        assert.equal(found.length, 2);
      }));

    it('about somebody else move nothing', () =>
      using(open, async ({ store }) => {
        await submit(store);
        const fact = { recipient: 'nessuno@pec.beta.example', fact: 'avvenuta-consegna', at: NOW } as const;
        const done = await store.write('commitNotification', {
          ...changes(),
          digest: 'x',
          facts: [
            { identificativo: ID, ...fact },
            { ...fact, identificativo: 'unknown', recipient: ANNA },
          ],
        });
        assert.deepEqual(done.effective, [false, false]);
      }));
  });

  describe('silence notices', () => {
    const due = (store: Store, now: number) => store.read('dueNotices', { now, limit: 10 });
    const notice = (store: Store, step: '12h' | '24h') =>
      store.write('commitNotice', { ...changes(), notices: [{ identificativo: ID, recipient: ANNA, step }] });

    it('fall due at 12 and 23 hours for certified recipients only (decisions 3)', () =>
      using(open, async ({ store }) => {
        await submit(store);
        assert.equal(await store.read('nextNoticeAt', {}), NOW + 12 * HOUR);
        assert.deepEqual(await due(store, NOW + 12 * HOUR - 1), []);
        const [first, ...others] = await due(store, NOW + 12 * HOUR);
        assert.deepEqual(
          [first?.step, first?.tracking.recipient, others.length],
          ['12h', 'Anna@pec.beta.example', 0],
        );
        assert.equal(first?.outgoing.tracking.length, 2);
        await notice(store, '12h');
        await assert.rejects(notice(store, '12h'), conflict('state'));
        assert.deepEqual(await due(store, NOW + 23 * HOUR - 1), []);
        assert.equal((await due(store, NOW + 23 * HOUR))[0]?.step, '24h');
        await notice(store, '24h');
        await assert.rejects(notice(store, '24h'), conflict('state'));
        assert.equal(await store.read('nextNoticeAt', {}), null);
        // Decisions 2: a late consegna supersedes the second notice.
        assert.deepEqual((await notify(store, 'avvenuta-consegna', NOW + 25 * HOUR)).effective, [true]);
      }));

    it('are disarmed by what comes before them', () =>
      using(open, async ({ store }) => {
        await submit(store);
        await notify(store, 'presa-in-carico', NOW + HOUR);
        await assert.rejects(notice(store, '12h'), conflict('state'));
        assert.deepEqual(await due(store, NOW + 22 * HOUR), []);
        assert.equal((await due(store, NOW + 23 * HOUR))[0]?.step, '24h');
        await notify(store, 'errore-consegna', NOW + 22 * HOUR);
        assert.deepEqual(await due(store, NOW + 30 * HOUR), []);
        await assert.rejects(notice(store, '24h'), conflict('state'));
      }));

    it('come in pages, the oldest first, each once', () =>
      using(open, async ({ store }) => {
        const id = await submit(store);
        const [certified] = outgoing(id).recipients;
        assert.ok(certified);
        for (const identificativo of ['a@x', 'z@x']) {
          const recipients = ['z', 'Y', 'x'].map((local) => ({
            ...certified,
            recipient: `${local}@b.example`,
          }));
          const given = await changesOver(store, identificativo);
          await store.write('commitSubmission', {
            ...given,
            outgoing: outgoing(id, { identificativo, recipients }),
          });
        }
        const seen: string[] = [];
        const now = NOW + 12 * HOUR;
        for (let page = await store.read('dueNotices', { now, limit: 2 }); page.length > 0; ) {
          for (const { tracking } of page) seen.push(`${tracking.identificativo} ${tracking.recipient}`);
          const last = page.at(-1);
          assert.ok(last);
          const { identificativo, recipient: address } = last.tracking;
          const after = { dueAt: last.dueAt, identificativo, recipient: address };
          page = await store.read('dueNotices', { now, limit: 2, after });
        }
        const three = ['x@b.example', 'Y@b.example', 'z@b.example'];
        assert.deepEqual(seen, [
          ...three.map((address) => `a@x ${address}`),
          `${ID} Anna@pec.beta.example`,
          ...three.map((address) => `z@x ${address}`),
        ]);
      }));

    it('may skip the first after a long stop', () =>
      using(open, async ({ store }) => {
        await submit(store);
        await notice(store, '24h');
        assert.equal(await store.read('nextNoticeAt', {}), null);
      }));
  });
}
