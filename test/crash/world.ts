/** Two gestori as processes of their own, the wires between them that break, and a server of ordinary mail outside. */
import { renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { FakePeer } from '../smtp/fake-peer.js';
import { addRoute, type Pair, type Scope, twoGestori } from '../support/gestore.js';
import { markerIn } from '../support/notes.js';
import { Random } from '../support/random.js';
import { CuttingProxy } from './cutting-proxy.js';
import { FolderLedger } from './folder-ledger.js';
import { Journal } from './journal.js';
import { MailboxLedger, type Submission } from './ledger.js';

export type House = keyof Pair;

/** What a user's POP3 client does with what it has read. */
export type Habit = 'keeps' | 'deletes some' | 'deletes all';

export interface Person {
  readonly house: House;
  readonly local: string;
  readonly address: string;
  readonly habit: Habit;
}

const domains: Readonly<Record<House, string>> = { alfa: 'pec.alfa.example', beta: 'pec.beta.example' };
const person = (house: House, local: string, habit: Habit): Person => ({
  house,
  local,
  address: `${local}@${domains[house]}`,
  habit,
});

/** Whoever sends and receives. */
export const people: readonly Person[] = [
  person('alfa', 'anna', 'keeps'),
  person('alfa', 'aldo', 'deletes some'),
  person('alfa', 'ada', 'deletes all'),
  person('beta', 'bruno', 'keeps'),
  person('beta', 'berta', 'deletes some'),
  person('beta', 'bice', 'deletes all'),
];

/** A mailbox that is full most of the time: what does not fit is an errore-consegna. */
export const crowded = person('beta', 'stretta', 'deletes some');
const CROWDED_QUOTA = '600KB';

/** Who uses IMAP, in a mailbox that nobody writes to. */
export type Organiser = Omit<Person, 'habit'>;
export const organisers: readonly Organiser[] = [
  person('alfa', 'olga', 'keeps'),
  person('beta', 'oreste', 'keeps'),
];

export const readers: readonly Person[] = [...people, crowded];

const EXTERNAL = 'posta.example';

/** Addresses at which nobody is; those of the gestori, and one the outside server refuses. */
export const unknown: readonly string[] = [`nessuno@${domains.alfa}`, `nessuno@${domains.beta}`];
export const refusedOutside = `nessuno@${EXTERNAL}`;
export const outside: readonly string[] = [`mario@${EXTERNAL}`, `maria@${EXTERNAL}`, refusedOutside];

export const houseOf = (address: string): House => (address.endsWith(domains.alfa) ? 'alfa' : 'beta');

export interface World {
  readonly pair: Pair;
  readonly folder: string;
  readonly journal: Journal;
  readonly random: Random;
  /** Clients wait so many times as long as usual between two sessions. */
  readonly leisure: number;
  readonly proxies: Readonly<Record<'to alfa' | 'to beta', CuttingProxy>>;
  readonly submissions: Submission[];
  readonly mailboxes: ReadonlyMap<string, MailboxLedger>;
  /** Of the organisers. */
  readonly folders: ReadonlyMap<string, FolderLedger>;
  /** What the outside server took: `marker recipient`, as often as it came. */
  readonly delivered: string[];
  /** What no server may do, seen on the way. */
  readonly faults: string[];
}

export interface WorldRequest {
  readonly seed: string;
  /** Called before the gestori start, when all the rest has been made. */
  readonly prepare?: (pair: Pair) => Promise<void>;
  /** How much longer than usual clients wait between two sessions. */
  readonly leisure?: number;
}

/** Opens everything; it ends with the scope. */
export async function openWorld(scope: Scope, { seed, prepare, leisure = 1 }: WorldRequest): Promise<World> {
  const journal = new Journal();
  const random = new Random(seed);
  const delivered: string[] = [];
  const sink = await openSink(scope, random.fork('outside'), delivered);
  const proxies = {
    'to alfa': new CuttingProxy(['beta', 'alfa'], random.fork('to alfa'), journal),
    'to beta': new CuttingProxy(['alfa', 'beta'], random.fork('to beta'), journal),
  };
  scope.after(async () => {
    for (const proxy of Object.values(proxies)) await proxy.close();
  });
  const namesOf = (house: House): string[] =>
    [...readers, ...organisers].filter((each) => each.house === house).map(({ local }) => local);
  const config = { 'relay.first_retry': '200ms', 'relay.max_retry': '1s', 'log.level': 'info' };
  const pair = await twoGestori(scope, {
    alfa: { mailboxes: namesOf('alfa'), config },
    beta: { mailboxes: namesOf('beta'), config },
    prepare: async ({ alfa, beta }) => {
      await beta.run(['mailbox', 'quota', crowded.address, CROWDED_QUOTA]);
      await addRoute(alfa, beta.domain, await proxies['to beta'].listen(beta.port(25)));
      await addRoute(beta, alfa.domain, await proxies['to alfa'].listen(alfa.port(25)));
      for (const gestore of [alfa, beta]) await addRoute(gestore, EXTERNAL, sink);
      await prepare?.({ alfa, beta });
    },
  });
  const services = [pair.alfa.address('ricevute'), pair.beta.address('ricevute')];
  const addresses = [...readers.map(({ address }) => address), ...services];
  return {
    pair,
    folder: dirname(pair.alfa.dir),
    journal,
    random,
    leisure,
    proxies,
    submissions: [],
    mailboxes: new Map(addresses.map((address) => [address, new MailboxLedger(address)])),
    folders: new Map(organisers.map(({ address }) => [address, new FolderLedger(address)])),
    delivered,
    faults: [],
  };
}

/** Puts the gestori's folders where they outlive the run; both are stopped. */
export function keepFolder({ folder, pair }: World): string {
  // The doctor would look for it where it was.
  for (const gestore of Object.values(pair)) gestore.sound = false;
  const kept = `${folder}-kept`;
  renameSync(folder, kept);
  return kept;
}

/** The Internet: it takes ordinary mail, now and then without saying so. */
async function openSink(scope: Scope, random: Random, delivered: string[]): Promise<number> {
  const sink = new FakePeer();
  scope.after(() => sink.close());
  sink.behave({
    rcpt: (line) => (line.includes(`<${refusedOutside}>`) ? '550 5.1.1 no such user' : '250 2.1.5 ok'),
    final: (count) => {
      const message = sink.messages[count - 1];
      if (message !== undefined) {
        const marker = markerIn(message.bytes.toString('latin1'));
        for (const recipient of message.recipients) delivered.push(`${marker} ${recipient}`);
        sink.messages[count - 1] = { ...message, bytes: Buffer.alloc(0) };
      }
      return random.chance(0.1) ? 'drop' : '250 2.0.0 taken';
    },
  });
  return sink.listen();
}
