/** What users were told against what is there, when a fault is over: nothing lost, nothing promised twice (decisions 2). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { identificativoIn, letter } from '../e2e/letters.js';
import { postacertOf, said } from '../e2e/reading.js';
import { type Pair, settled, type TestGestore } from '../support/gestore.js';
import { field, type Held } from '../support/inbox.js';
import { Disconnected, type Reply } from '../support/mail-clients.js';

/** Milliseconds: generous; reached only when something is broken. */
const PATIENCE = 90_000;

/** Lines of a body of about so many octets that nobody else has. */
const bodyOf = (octets: number): string =>
  `${(
    randomBytes(Math.ceil(octets / 2))
      .toString('hex')
      .match(/.{1,76}/g) ?? []
  ).join('\r\n')}\r\n`;

/** Everything anna of alfa sends to bruno of beta. */
export class Promises {
  readonly #accepted = new Map<string, string>();
  /** Broken connections: nobody knows yet what became of those. */
  readonly #open = new Set<string>();
  #sent = 0;

  constructor(private readonly pair: Pair) {}

  get accepted(): number {
    return this.#accepted.size;
  }

  /** Sends one message. @returns the reply; undefined where there was none */
  async send(octets = 2000, parameters?: string): Promise<Reply | undefined> {
    const { alfa, beta } = this.pair;
    this.#sent += 1;
    const subject = `Lettera ${this.#sent}`;
    const account = alfa.account('anna');
    const to = [beta.address('bruno')];
    const content = letter({ from: account.address, to, subject, body: bodyOf(octets) });
    try {
      const reply = await alfa.submit(account, { to, content, ...(parameters ? { parameters } : {}) });
      if (reply.code === 250) this.#accepted.set(identificativoIn(reply), subject);
      return reply;
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
      this.#open.add(subject);
      return undefined;
    }
  }

  /** Sends one that must be accepted. @returns its identificativo */
  async sent(octets?: number): Promise<string> {
    const reply = await this.send(octets);
    assert.ok(reply);
    return identificativoIn(reply);
  }

  /** Tries until one is accepted: the fault is gone, nobody lent a hand. */
  async recovered(octets?: number): Promise<void> {
    for (const deadline = Date.now() + PATIENCE; ; await sleep(200)) {
      const reply = await this.send(octets);
      if (reply?.code === 250) return;
      assert.ok(
        Date.now() < deadline,
        `does not recover: ${reply?.line}\n${this.pair.alfa.log.slice(-3000)}`,
      );
    }
  }

  /** The comparison, when everything has come to rest. */
  async kept(): Promise<void> {
    const { alfa, beta } = this.pair;
    await settled(this.pair);
    const held = await alfa.inbox('anna').messages();
    const accettazioni = count(held, 'accettazione');
    const consegne = count(held, 'avvenuta-consegna');
    const copies = count(await beta.inbox('bruno').messages(), 'posta-certificata');
    for (const [id, subject] of this.#accepted) {
      assert.equal(accettazioni.get(id), 1, `accettazioni of ${subject} ${id}`);
    }
    assert.deepEqual([...copies].sort(), [...accettazioni].sort(), 'each accepted message has one copy');
    assert.deepEqual([...consegne].sort(), [...accettazioni].sort(), 'and one consegna');
    const unpromised = accettazioni.size - this.#accepted.size;
    assert.ok(unpromised <= this.#open.size, `${unpromised} accepted that were refused`);
    assert.equal(held.length, accettazioni.size + consegne.size, 'and anna has nothing else');
    for (const gestore of [alfa, beta])
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

/** An answer of the HTTPS port. */
export function ask(gestore: TestGestore, path: string): Promise<{ code: number; body: string }> {
  const { ca, port } = gestore.server(443);
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, ca, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body }));
    }).on('error', reject);
  });
}

/** Waits until /readyz answers so; gives what it says of each part. */
export async function readiness(gestore: TestGestore, code: 200 | 503): Promise<Record<string, boolean>> {
  for (const deadline = Date.now() + PATIENCE; ; await sleep(100)) {
    const answer = await ask(gestore, '/readyz');
    if (answer.code === code) return (JSON.parse(answer.body) as { checks: Record<string, boolean> }).checks;
    assert.ok(
      Date.now() < deadline,
      `/readyz stays ${answer.code} ${answer.body}\n${gestore.log.slice(-3000)}`,
    );
  }
}

export async function until(reached: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE; !(await reached()); await sleep(100)) {
    assert.ok(Date.now() < deadline, 'it does not come to that');
  }
}

/** Waits for a line of the log that fits. */
export async function logged(gestore: TestGestore, pattern: RegExp): Promise<string> {
  for (const deadline = Date.now() + PATIENCE; ; await sleep(50)) {
    const line = gestore.log.split('\n').find((one) => pattern.test(one));
    if (line !== undefined) return line;
    assert.ok(Date.now() < deadline, `no line ${pattern}\n${gestore.log.slice(-3000)}`);
  }
}

/** A counter of /metrics; 0 when it is not there. */
export async function metric(gestore: TestGestore, name: string, labels = ''): Promise<number> {
  const { body } = await ask(gestore, '/metrics');
  const line = body.split('\n').find((one) => one.startsWith(`ceralacca_${name}${labels} `));
  return Number(line?.split(' ')[1] ?? 0);
}

/** The alarm is in the log and in the metrics. */
export async function alarmed(gestore: TestGestore, name: string): Promise<string> {
  const line = await logged(gestore, new RegExp(`"event":"alarm","name":"${name}"`));
  assert.ok((await metric(gestore, 'alarms_total', `{name="${name}"}`)) >= 1);
  return line;
}
