import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pair, settled, step, type TestGestore, twoGestori } from '../support/gestore.js';
import { type Account, field, type Held } from '../support/inbox.js';
import { Disconnected } from '../support/mail-clients.js';
import { identificativoIn, letter } from './letters.js';
import { said } from './reading.js';

const MESSAGES = 40;
/** Users that send at the same time. */
const SENDERS = 4;

/** What the senders know in the end. */
interface Traffic {
  /** Of the submissions that were answered 250. */
  readonly acknowledged: string[];
  /** Connections that broke before the answer: the message may have been accepted or not. */
  unanswered: number;
}

test('servers that are ended and started again while mail flows', async (t) => {
  const pair = await twoGestori(t, { alfa: { mailboxes: ['anna', 'aldo'] } });
  await step(t, pair, 'SIGTERM and SIGKILL at random moments', (context) => flowAndFall(context, pair));
  await step(t, pair, 'every message has exactly what it must have', () => settled(pair));
});

async function flowAndFall(t: TestContext, pair: Pair): Promise<void> {
  const { alfa, beta } = pair;
  const traffic: Traffic = { acknowledged: [], unanswered: 0 };
  let sending = true;
  const flow = Promise.all(
    Array.from({ length: SENDERS }, (_, index) => sendAll(pair, index, traffic)),
  ).finally(() => {
    sending = false;
  });
  const falls: string[] = [];
  const turns = [
    [beta, 'SIGKILL'],
    [alfa, 'SIGKILL'],
    [beta, 'SIGTERM'],
    [alfa, 'SIGTERM'],
  ] as const;
  for (let turn = 0; sending || turn < turns.length; turn += 1) {
    const [gestore, signal] = turns[turn % turns.length] ?? [alfa, 'SIGKILL'];
    const wait = Math.round(Math.random() * 1200);
    await sleep(wait);
    const code = await gestore.stop(signal);
    if (signal === 'SIGTERM') assert.equal(code, 0, `${gestore.name} ends well on SIGTERM`);
    falls.push(`${gestore.domain} ${signal} after ${wait} ms`);
    await gestore.start();
  }
  await flow;
  t.diagnostic(
    `${traffic.acknowledged.length} acknowledged, ${traffic.unanswered} unanswered: ${falls.join(', ')}`,
  );
  await settled(pair);
  await examine(pair, traffic);
}

/** One user's share of the messages, each sent again under a new subject until it is acknowledged. */
async function sendAll({ alfa, beta }: Pair, sender: number, traffic: Traffic): Promise<void> {
  const account = alfa.account(sender % 2 === 0 ? 'anna' : 'aldo');
  for (let number = 0; number < MESSAGES / SENDERS; number += 1) {
    const to = [beta.address('bruno'), ...(number % 3 === 0 ? [beta.address('berta')] : [])];
    for (let attempt = 0; ; attempt += 1) {
      const subject = `Messaggio ${sender}.${number}.${attempt}`;
      const id = await submitted(alfa, account, to, subject, traffic);
      if (id !== undefined) {
        traffic.acknowledged.push(id);
        break;
      }
      await sleep(100);
    }
  }
}

async function submitted(
  alfa: TestGestore,
  account: Account,
  to: readonly string[],
  subject: string,
  traffic: Traffic,
): Promise<string | undefined> {
  try {
    const reply = await alfa.submit(account, { to, content: letter({ from: account.address, to, subject }) });
    // A server that is stopping says so; anything else is a failure.
    if (reply.code === 421 || reply.code === 451) return undefined;
    return identificativoIn(reply);
  } catch (error) {
    if (!(error instanceof Disconnected)) throw error;
    traffic.unanswered += 1;
    return undefined;
  }
}

/**
 * The oracle: for every message that was acknowledged, and for any other that was accepted without the client's
 * knowing, exactly one accettazione, one presa in carico a transaction, one consegna a recipient, one copy a mailbox.
 */
async function examine(pair: Pair, { acknowledged }: Traffic): Promise<void> {
  const { alfa, beta } = pair;
  const sent = [...(await alfa.inbox('anna').messages()), ...(await alfa.inbox('aldo').messages())];
  const accepted = count(sent.filter(isOf('accettazione')), (message) => said(message).identificativo);
  for (const id of acknowledged) assert.equal(accepted.get(id), 1, `accettazioni of ${id}`);
  const expected = new Map<string, number>();
  for (const message of sent.filter(isOf('accettazione'))) {
    const { identificativo, destinatari } = said(message);
    for (const recipient of destinatari) expected.set(`${identificativo} ${recipient.split(' ')[1]}`, 1);
  }
  assert.deepEqual(new Set(accepted.values()), new Set([1]));

  const perRecipient = (message: Held): string => `${said(message).identificativo} ${said(message).consegna}`;
  assert.deepEqual(sorted(count(sent.filter(isOf('avvenuta-consegna')), perRecipient)), sorted(expected));

  const copies = new Map<string, number>();
  for (const local of ['bruno', 'berta']) {
    const held = (await beta.inbox(local).messages()).filter(isOf('posta-certificata'));
    for (const [id, times] of count(held, (message) => said(message).identificativo)) {
      copies.set(`${id} ${beta.address(local)}`, times);
    }
  }
  assert.deepEqual(sorted(copies), sorted(expected));

  const prese = (await alfa.inbox('ricevute').messages()).filter(isOf('presa-in-carico'));
  const taken = prese.flatMap((message) =>
    said(message).ricezione.map((recipient) => `${said(message).identificativo} ${recipient}`),
  );
  assert.deepEqual([...taken].sort(), [...expected.keys()].sort());
  for (const message of sent) {
    assert.ok(isOf('accettazione')(message) || isOf('avvenuta-consegna')(message), field(message, 'Subject'));
  }
  for (const gestore of [alfa, beta]) {
    assert.match(await gestore.run(['registro', 'verify']), /^untouched: /);
  }
}

const isOf =
  (kind: string) =>
  (message: Held): boolean =>
    (field(message, 'X-Ricevuta') ?? field(message, 'X-Trasporto')) === kind;

function count(messages: readonly Held[], key: (message: Held) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const message of messages) counts.set(key(message), (counts.get(key(message)) ?? 0) + 1);
  return counts;
}

const sorted = (counts: ReadonlyMap<string, number>): [string, number][] =>
  [...counts].sort(([one], [other]) => (one < other ? -1 : 1));
