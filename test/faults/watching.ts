/** What a running gestore tells about the state of what stands around it, and what its users were promised meanwhile. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { identificativoIn, letter } from '../e2e/letters.js';
import { said } from '../e2e/reading.js';
import { type Pair, settled, type TestGestore } from '../support/gestore.js';
import { field } from '../support/inbox.js';

/** Milliseconds: generous, since the machine may be busy; reached only when something is broken. */
const PATIENCE = 120_000;

/** Waits until something holds; what it was is told when it never does. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = Date.now() + PATIENCE; !(await holds()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`it never came to this: ${what}`);
  }
}

interface LogLine {
  readonly event: string;
  readonly name?: string;
  readonly about?: string;
  readonly reason?: string;
}

/** Every alarm of a name, and every end of one, in order. */
export function alarmsOf({ log }: TestGestore, name: string): LogLine[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine)
    .filter((line) => ['alarm', 'alarm.cleared'].includes(line.event) && line.name === name);
}

/** `raised` and `cleared`, in order. */
export const courseOf = (gestore: TestGestore, name: string): string[] =>
  alarmsOf(gestore, name).map(({ event }) => (event === 'alarm' ? 'raised' : 'cleared'));

export function untilRaised(gestore: TestGestore, name: string, times = 1): Promise<void> {
  return eventually(`${gestore.name} raises ${name}`, () => {
    return courseOf(gestore, name).filter((what) => what === 'raised').length >= times;
  });
}

export function untilCleared(gestore: TestGestore, name: string, times = 1): Promise<void> {
  return eventually(`${gestore.name} clears ${name}`, () => {
    return courseOf(gestore, name).filter((what) => what === 'cleared').length >= times;
  });
}

/** Code and body of an answer of the HTTPS port. */
export async function webAnswer(gestore: TestGestore, path: string): Promise<{ code: number; body: string }> {
  const { ca, port } = gestore.server(443);
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, ca, agent: false }, (response) => {
      let body = '';
      response.on('data', (piece: Buffer) => {
        body += piece.toString();
      });
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

interface Readiness {
  readonly code: number;
  readonly checks: Readonly<Record<string, boolean>>;
  readonly alarms: readonly string[];
}

export async function readiness(gestore: TestGestore): Promise<Readiness> {
  const { code, body } = await webAnswer(gestore, '/readyz');
  return { code, ...(JSON.parse(body) as Omit<Readiness, 'code'>) };
}

/** The gauge of a standing alarm. */
export async function standing(gestore: TestGestore, name: string): Promise<number> {
  const { body } = await webAnswer(gestore, '/metrics');
  const value = new RegExp(`^ceralacca_alarms_standing\\{name="${name}"\\} (\\d+)$`, 'm').exec(body)?.[1];
  return Number(value ?? 0);
}

/** What users of alfa and beta sent, what they were told, and whether it came true. */
export class Promises {
  readonly #accepted: {
    readonly id: string;
    readonly from: TestGestore;
    readonly sender: string;
    readonly to: TestGestore;
    readonly recipient: string;
  }[] = [];
  #refused = 0;
  #subjects = 0;

  constructor(private readonly pair: Pair) {}

  /** Sends one letter from a house's first user to the other's. @returns the reply */
  async send(from: keyof Pair, body?: string): Promise<string> {
    const [house, sender] = from === 'alfa' ? (['alfa', 'anna'] as const) : (['beta', 'bruno'] as const);
    const [other, recipient] = from === 'alfa' ? (['beta', 'bruno'] as const) : (['alfa', 'anna'] as const);
    const gestore = this.pair[house];
    const to = [this.pair[other].address(recipient)];
    this.#subjects += 1;
    const made = { from: gestore.address(sender), to, subject: `prova ${this.#subjects}` };
    const content = letter(body === undefined ? made : { ...made, body });
    const reply = await gestore.submit(gestore.account(sender), { to, content });
    if (reply.code === 250) {
      const id = identificativoIn(reply);
      this.#accepted.push({ id, from: gestore, sender, to: this.pair[other], recipient });
    } else this.#refused += 1;
    return reply.line;
  }

  /** Of every letter that was accepted: one accettazione, one delivery, one consegna; of every other: nothing. */
  async kept(): Promise<void> {
    await settled(this.pair);
    for (const { id, from, sender, to, recipient } of this.#accepted) {
      const told = await kindsAbout(from, sender, id);
      assert.deepEqual(
        told.sort(),
        ['accettazione', 'avvenuta-consegna'],
        `what ${sender} was told of ${id}`,
      );
      assert.deepEqual(
        await kindsAbout(to, recipient, id),
        ['posta-certificata'],
        `what ${recipient} has of ${id}`,
      );
    }
    const { alfa, beta } = this.pair;
    const all = [...(await alfa.inbox('anna').messages()), ...(await beta.inbox('bruno').messages())];
    const promised = all.filter((message) => field(message, 'X-Ricevuta') === 'accettazione');
    assert.equal(promised.length, this.#accepted.length, `${this.#refused} were refused and have nothing`);
    for (const gestore of [alfa, beta]) await gestore.run(['registro', 'verify']);
  }
}

/** The kinds of what a mailbox has about a message. */
export async function kindsAbout(gestore: TestGestore, local: string, id: string): Promise<string[]> {
  const messages = await gestore.inbox(local).messages();
  return messages
    .filter((message) => field(message, 'X-Trasporto') !== 'errore')
    .map((message) => said(message))
    .filter(({ identificativo }) => identificativo === id)
    .map(({ tipo }) => tipo);
}
