import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SmtpError } from '../../src/smtp/index.js';
import { said } from '../e2e/reading.js';
import { aboutId, label, labels } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { anna, berta, bruno, fromAlfa } from './arrivals.js';

const nobody = 'nessuno@pec.beta.example';
const full = 'piena@pec.beta.example';
const suspended = 'sospesa@pec.beta.example';
const alias = 'bruno.alias@pec.beta.example';
const everyone = [bruno, berta, nobody, full, suspended, alias] as const;
const delivered = new Set<string>([bruno, berta, alias]);
/** Where the copy of a recipient goes. */
const boxOf = (recipient: string): string => (recipient === alias ? bruno : recipient);

async function prepare({ beta }: Pair): Promise<void> {
  if ((await beta.accounts.find(full)) !== undefined) return;
  await beta.addMailbox(full, { quota: 1 });
  await beta.addMailbox(suspended, { state: 'suspended' });
  await beta.accounts.addAlias(alias, bruno);
}

const someone = fc.subarray([...everyone], { minLength: 1 });
const spelling = fc.boolean();

describe('any mix of transactions, repeats and reorders', () => {
  const here = sharedPair();

  it('decisions 2, 6, 7: one outcome and one copy for each certified recipient, an anomaly for each other', async () => {
    const pair = here();
    const { beta } = pair;
    await prepare(pair);
    const transaction = fc.record({ recipients: someone, shout: spelling, together: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        someone,
        fc.array(transaction, { minLength: 1, maxLength: 5 }),
        async (certified, transactions) => {
          const boxes = [bruno, berta];
          const before = new Map(
            await Promise.all(boxes.map(async (box) => [box, (await beta.inbox(box)).length] as const)),
          );
          const { id, bytes } = await fromAlfa(pair, { recipients: certified });
          let running: Promise<unknown>[] = [];
          for (const { recipients, shout, together } of transactions) {
            const written = recipients.map((recipient) => (shout ? recipient.toUpperCase() : recipient));
            running.push(
              beta
                .receive({ mailFrom: anna, recipients: written, message: bytes })
                .catch((error: unknown) => {
                  // Nobody of the transaction is both certified and there to be given an anomaly.
                  assert.ok(error instanceof SmtpError && error.code >= 550, String(error));
                  assert.ok(!recipients.some((recipient) => certified.includes(recipient)));
                }),
            );
            if (together) continue;
            await Promise.all(running);
            running = [];
          }
          await Promise.all(running);

          const touched = new Set(transactions.flatMap(({ recipients }) => recipients));
          const expected = certified.filter((recipient) => touched.has(recipient));
          const receipts = await beta.store.read('findReceipts', { identificativo: id });
          const outcomes = receipts.filter(({ kind }) => kind !== 'presa-in-carico');
          assert.deepEqual(
            outcomes.map(({ kind, recipient }) => `${kind} ${recipient.toLowerCase()}`).sort(),
            expected
              .map((recipient) => `${delivered.has(recipient) ? 'avvenuta' : 'errore'}-consegna ${recipient}`)
              .sort(),
          );
          // Each recipient stands in exactly one presa in carico, whatever the number of transactions.
          const taken: string[] = [];
          for (const { kind, contentId } of receipts) {
            if (kind !== 'presa-in-carico') continue;
            taken.push(...said(beta.asStored(await (await beta.store.open(contentId)).bytes())).ricezione);
          }
          assert.deepEqual(taken.map((address) => address.toLowerCase()).sort(), [...expected].sort());
          // Whatever was queued, it is the same bytes for the same recipient.
          const rows = (await beta.queue()).filter((row) => row.identificativo === id);
          assert.equal(new Set(rows.map(({ contentId }) => contentId)).size, receipts.length);
          for (const box of boxes) {
            const came = (await beta.inbox(box)).slice(before.get(box));
            const copies = came.filter((message) => label(message) === 'posta-certificata');
            assert.equal(copies.length, expected.filter((recipient) => boxOf(recipient) === box).length);
            const strays = [...touched].filter(
              (recipient) => !certified.includes(recipient) && boxOf(recipient) === box,
            );
            const anomalies = came.length - copies.length;
            assert.ok(strays.length === 0 ? anomalies === 0 : anomalies >= 1);
          }
          for (const { id: row } of rows) await beta.store.write('queueDrop', { id: row });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('decisions 2: end to end, with answers lost and hops that fail: the sender has one outcome for each recipient', async () => {
    const pair = here();
    const { alfa, beta, network, clock } = pair;
    await prepare(pair);
    const fate = fc.constantFrom('passes', 'passes', 'lost before', 'lost after', 'twice');
    await fc.assert(
      fc.asyncProperty(someone, fc.array(fate, { maxLength: 12 }), async (recipients, fates) => {
        const left = [...fates];
        network.onHop = async (_hop, deliver) => {
          const now = left.shift() ?? 'passes';
          if (now === 'lost before') throw new Error('no connection');
          await deliver();
          if (now === 'twice') await deliver();
          if (now === 'lost after') throw new Error('connection lost');
        };
        const id = await alfa.submit({ from: anna, to: recipients });
        for (let round = 0; round < 14; round++) {
          if ((await network.pump()) === 0 && (await alfa.queue()).length + (await beta.queue()).length === 0)
            break;
          clock.advance(30 * 60_000);
        }
        network.onHop = undefined;
        assert.deepEqual([await alfa.queue(), await beta.queue()], [[], []]);
        const outcome = (recipient: string): string => {
          if (delivered.has(recipient)) return `avvenuta-consegna ${recipient}`;
          return `errore-consegna/${recipient === nobody ? 'no-dest' : 'altro'} ${recipient}`;
        };
        assert.deepEqual(
          labels(aboutId(await alfa.inbox(anna), id)).sort(),
          ['accettazione', ...recipients.map(outcome)].sort(),
        );
        const outgoing = await alfa.store.read('findOutgoing', { identificativo: id });
        assert.ok(outgoing?.tracking.every((row) => row.takenAt !== null && row.outcome !== null));
        for (const box of [bruno, berta]) {
          const copies = aboutId(await beta.inbox(box), id);
          assert.equal(copies.length, recipients.filter((recipient) => boxOf(recipient) === box).length);
        }
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });
});
