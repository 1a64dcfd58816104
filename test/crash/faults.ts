/** What befalls the gestori: one fault a round, chosen by the seed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestGestore } from '../support/gestore.js';
import type { Random } from '../support/random.js';
import type { Moment } from './journal.js';
import type { House, World } from './world.js';

/** A round's fault. */
export interface Fault {
  readonly victims: readonly House[];
  readonly signal: 'SIGKILL' | 'SIGTERM';
  /** Milliseconds of undisturbed traffic. */
  readonly calm: number;
  /** What the fault waits for then, and how many milliseconds more. */
  readonly moment: Moment;
  readonly delay: number;
  /** Milliseconds the victims stay away: mostly none. */
  readonly absence: number;
  /** Milliseconds into its new start at which it falls again; null when it may live. */
  readonly fallsAgain: number | null;
  /** Shares of connections and messages that the wires between the gestori cut. */
  readonly cuts: Readonly<Record<'before the greeting' | 'in the content' | 'before the reply', number>>;
}

const MOMENTS: readonly Moment[] = [
  'final dot',
  'reply to it',
  'relayed content',
  'relayed reply',
  'quit',
  'reply to a quit',
  'imap command',
  'imap answer',
];
/** Milliseconds a fault waits for its moment. */
const PATIENCE = 2000;

export function faultOf(random: Random): Fault {
  const cutting = random.chance(0.7);
  const share = (most: number): number => (cutting ? random.next() * most : 0);
  return {
    victims: random.pick<readonly House[]>([['alfa'], ['alfa'], ['beta'], ['beta'], ['alfa', 'beta']]),
    signal: random.chance(0.2) ? 'SIGTERM' : 'SIGKILL',
    calm: random.between(100, 1500),
    moment: random.pick(MOMENTS),
    // Close behind it most of the time: commits take milliseconds.
    delay: random.chance(0.4) ? 0 : Math.round(80 * random.next() ** 2),
    absence: random.chance(0.2) ? random.between(200, 1500) : 0,
    fallsAgain: random.chance(0.15) ? random.between(0, 1500) : null,
    cuts: { 'before the greeting': share(0.3), 'in the content': share(0.3), 'before the reply': share(0.5) },
  };
}

/** One round; it ends when the victims serve again. */
export async function strike(world: World, number: number): Promise<void> {
  const { journal, proxies, pair } = world;
  const fault = faultOf(world.random.fork(`round ${number}`));
  for (const proxy of Object.values(proxies)) proxy.rate = fault.cuts;
  await sleep(fault.calm);
  const [first = 'alfa'] = fault.victims;
  await journal.next(fault.moment, first, PATIENCE);
  // At once means before the next turn of the loop.
  if (fault.delay > 0) await sleep(fault.delay);
  await Promise.all(fault.victims.map((house) => fall(world, pair[house], house, fault, number)));
}

async function fall(
  world: World,
  gestore: TestGestore,
  house: House,
  fault: Fault,
  round: number,
): Promise<void> {
  const { journal } = world;
  journal.tell(`round ${round}: ${house} ${fault.signal}, ${fault.delay} ms after a ${fault.moment}`);
  const code = await gestore.stop(fault.signal);
  const expected = fault.signal === 'SIGTERM' ? 0 : 'SIGKILL';
  if (code !== expected) world.faults.push(`round ${round}: ${house} ended with ${code}, not ${expected}`);
  await sleep(fault.absence);
  if (fault.fallsAgain !== null) {
    const starting = gestore.start().then(
      () => journal.tell(`round ${round}: ${house} was ready before it fell again`),
      () => undefined,
    );
    await sleep(fault.fallsAgain);
    journal.tell(`round ${round}: ${house} SIGKILL ${fault.fallsAgain} ms into its start`);
    await gestore.stop('SIGKILL');
    await starting;
  }
  await gestore.start();
  journal.tell(`round ${round}: ${house} serves again`);
}
