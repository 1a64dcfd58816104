/** What users were told against what is there, when a fault is over: nothing lost, nothing promised twice (decisions 2). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { identificativoIn, letter } from '../e2e/letters.js';
import { postacertOf, said } from '../e2e/reading.js';
import { type Pair, settled } from '../support/gestore.js';
import { field, type Held } from '../support/inbox.js';
import { Disconnected, type Reply } from '../support/mail-clients.js';
import { PATIENCE } from './watching.js';

/** What is sent; two thousand octets by alfa's user if nothing else is said. */
export interface Sending {
  readonly from?: keyof Pair;
  /** Of a body that nobody else has. */
  readonly octets?: number;
  readonly body?: string;
  /** Of MAIL FROM, with a leading space. */
  readonly parameters?: string;
}

/** Lines of a body of about so many octets that nobody else has. */
const bodyOf = (octets: number): string =>
  `${(
    randomBytes(Math.ceil(octets / 2))
      .toString('hex')
      .match(/.{1,76}/g) ?? []
  ).join('\r\n')}\r\n`;

const users = { alfa: 'anna', beta: 'bruno' } as const;

/** What one house's user sends to the other's. */
class Direction {
  /** Identificativo -> subject. */
  readonly accepted = new Map<string, string>();
  /** Broken connections: nobody knows yet what became of those. */
  open = 0;
  sent = 0;

  constructor(
    private readonly from: keyof Pair,
    private readonly to: keyof Pair,
  ) {}

  async send(pair: Pair, { octets = 2000, body, parameters }: Sending): Promise<Reply | undefined> {
    this.sent += 1;
    const subject = `Lettera ${this.sent} da ${this.from}`;
    const account = pair[this.from].account(users[this.from]);
    const to = [pair[this.to].address(users[this.to])];
    const content = letter({ from: account.address, to, subject, body: body ?? bodyOf(octets) });
    try {
      const mail = { to, content, ...(parameters === undefined ? {} : { parameters }) };
      const reply = await pair[this.from].submit(account, mail);
      if (reply.code === 250) this.accepted.set(identificativoIn(reply), subject);
      return reply;
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
      this.open += 1;
      return undefined;
    }
  }

  async kept(pair: Pair): Promise<void> {
    if (this.sent === 0) return;
    const held = await pair[this.from].inbox(users[this.from]).messages();
    const accettazioni = count(held, 'accettazione');
    const consegne = count(held, 'avvenuta-consegna');
    const copies = count(await pair[this.to].inbox(users[this.to]).messages(), 'posta-certificata');
    for (const [id, subject] of this.accepted) {
      assert.equal(accettazioni.get(id), 1, `accettazioni of ${subject} ${id}`);
    }
    assert.deepEqual([...copies].sort(), [...accettazioni].sort(), 'each accepted message has one copy');
    assert.deepEqual([...consegne].sort(), [...accettazioni].sort(), 'and one consegna');
    const unpromised = accettazioni.size - this.accepted.size;
    assert.ok(unpromised <= this.open, `${unpromised} accepted that were refused`);
    const came = count(held, 'posta-certificata').size;
    assert.equal(held.length, accettazioni.size + consegne.size + came, 'and the sender has nothing else');
  }
}

/** Everything that anna of alfa and bruno of beta send each other. */
export class Promises {
  readonly #directions = { alfa: new Direction('alfa', 'beta'), beta: new Direction('beta', 'alfa') };

  constructor(private readonly pair: Pair) {}

  get accepted(): number {
    return this.#directions.alfa.accepted.size + this.#directions.beta.accepted.size;
  }

  /** Sends one message. @returns the reply; undefined where there was none */
  send(sending: Sending = {}): Promise<Reply | undefined> {
    return this.#directions[sending.from ?? 'alfa'].send(this.pair, sending);
  }

  /** Sends one that must be accepted. @returns its identificativo */
  async sent(sending?: Sending): Promise<string> {
    const reply = await this.send(sending);
    assert.ok(reply);
    return identificativoIn(reply);
  }

  /** Tries until one is accepted: the fault is gone, nobody lent a hand. */
  async recovered(sending?: Sending): Promise<void> {
    for (const deadline = Date.now() + PATIENCE; ; await sleep(200)) {
      const reply = await this.send(sending);
      if (reply?.code === 250) return;
      assert.ok(
        Date.now() < deadline,
        `does not recover: ${reply?.line}\n${this.pair.alfa.log.slice(-3000)}`,
      );
    }
  }

  /** The comparison, when everything has come to rest. */
  async kept(): Promise<void> {
    await settled(this.pair);
    for (const direction of Object.values(this.#directions)) await direction.kept(this.pair);
    for (const gestore of Object.values(this.pair))
      assert.match(await gestore.run(['registro', 'verify']), /^untouched: /);
  }
}

function count(messages: readonly Held[], kind: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const message of messages) {
    if ((field(message, 'X-Ricevuta') ?? field(message, 'X-Trasporto')) !== kind) continue;
    const { identificativo } = said(message);
    counts.set(identificativo, (counts.get(identificativo) ?? 0) + 1);
    if (kind === 'posta-certificata') assert.ok(postacertOf(message), 'a copy is whole');
  }
  return counts;
}
