import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Pair, settled, step, type TestGestore, twoGestori } from '../support/gestore.js';
import { type Account, field, type Held } from '../support/inbox.js';
import { Disconnected } from '../support/mail-clients.js';
import { identificativoIn, letter } from './letters.js';
import { said } from './reading.js';

const MESSAGES = 40;
/** Users that send at the same time. */
const SENDERS = 4;

/** Milliseconds at most from the chosen moment to the fall. */
const JITTER = 40;

type Fall = readonly [gestore: keyof Pair, signal: 'SIGTERM' | 'SIGKILL'];
const falls: readonly Fall[] = [
  ['beta', 'SIGKILL'],
  ['alfa', 'SIGKILL'],
  ['beta', 'SIGTERM'],
  ['alfa', 'SIGTERM'],
  ['alfa', 'SIGKILL'],
  ['beta', 'SIGKILL'],
];

/** How many messages may be under way before each fall is over: so that every one of them strikes some. */
const share = (turn: number): number => Math.round(((turn + 1) * MESSAGES) / falls.length);

/** What the senders know. */
class Traffic {
  /** Of the submissions that were answered 250. */
  readonly acknowledged: string[] = [];
  /** Submissions that got no answer, or a temporary one: accepted or not, nobody has been told. */
  failed = 0;
  over = false;
  readonly #news = new EventEmitter();
  #begun = 0;
  #allowed = 0;

  took(identificativo: string): void {
    this.acknowledged.push(identificativo);
    this.#news.emit('news');
  }

  /** From now on as many messages may be begun. */
  allow(count: number): void {
    this.#allowed = count;
    this.#news.emit('news');
  }

  /** Nothing more is sent: all has been, or something went wrong. */
  end(): void {
    this.over = true;
    this.#news.emit('news');
  }

  /** Waits for the turn to send a message. */
  async begin(): Promise<void> {
    this.#begun += 1;
    const place = this.#begun;
    while (place > this.#allowed && !this.over) await once(this.#news, 'news');
  }

  async until(count: number): Promise<void> {
    while (this.acknowledged.length < count) await once(this.#news, 'news');
  }
}

test('servers that are ended and started again while mail flows', async (t) => {
  const pair = await twoGestori(t);
  await step(t, pair, 'SIGTERM and SIGKILL at random moments', async (context) => {
    const traffic = new Traffic();
    try {
      const [fallen] = await Promise.all([
        fallAll(pair, traffic),
        ...Array.from({ length: SENDERS }, (_, sender) => sendAll(pair, sender, traffic)),
      ]);
      context.diagnostic(`${traffic.failed} submissions failed and were repeated; ${fallen.join(', ')}`);
    } finally {
      traffic.end();
    }
    assert.equal(traffic.acknowledged.length, MESSAGES);
    await settled(pair);
    await examine(pair, traffic);
  });
});

/** Each fall comes when a further share of the messages has been acknowledged, and a little later. */
async function fallAll(pair: Pair, traffic: Traffic): Promise<string[]> {
  const told: string[] = [];
  for (const [turn, [name, signal]] of falls.entries()) {
    const jitter = Math.round(Math.random() * JITTER);
    traffic.allow(share(turn));
    const count = share(turn) - Math.floor(MESSAGES / falls.length / 2);
    await traffic.until(count);
    await sleep(jitter);
    const code = await pair[name].stop(signal);
    if (signal === 'SIGTERM') assert.equal(code, 0, `${name} ends well on SIGTERM`);
    told.push(`${name} ${signal} ${jitter} ms after message ${count}`);
    await pair[name].start();
  }
  return told;
}

/** One user's share of the messages, each sent again under a new subject until it is acknowledged. */
async function sendAll({ alfa, beta }: Pair, sender: number, traffic: Traffic): Promise<void> {
  const account = alfa.account(sender % 2 === 0 ? 'anna' : 'aldo');
  for (let number = 0; number < MESSAGES / SENDERS; number += 1) {
    const to = [beta.address('bruno'), ...(number % 3 === 0 ? [beta.address('berta')] : [])];
    await traffic.begin();
    for (let attempt = 0; !traffic.over; attempt += 1) {
      const id = await submitted(alfa, account, to, `Messaggio ${sender}.${number}.${attempt}`);
      if (id !== undefined) {
        traffic.took(id);
        break;
      }
      traffic.failed += 1;
      await sleep(50);
    }
  }
}

/** The identificativo of what was answered 250; undefined when the server is going, or gone. */
async function submitted(
  alfa: TestGestore,
  account: Account,
  to: readonly string[],
  subject: string,
): Promise<string | undefined> {
  try {
    const reply = await alfa.submit(account, { to, content: letter({ from: account.address, to, subject }) });
    return reply.code === 421 || reply.code === 451 ? undefined : identificativoIn(reply);
  } catch (error) {
    if (error instanceof Disconnected) return undefined;
    throw error;
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
