/** Users who read: POP3 clients that fetch, delete, quit, and sometimes just go. */
import { setTimeout as sleep } from 'node:timers/promises';
import { headerOf } from '../support/inbox.js';
import { Disconnected, Pop3Client } from '../support/mail-clients.js';
import { noteOf } from '../support/notes.js';
import type { Random } from '../support/random.js';
import type { MailboxLedger } from './ledger.js';
import type { House, Person, World } from './world.js';

/** Messages a session fetches at most. */
const FETCHES = 25;
/** Milliseconds between two sessions. */
const PAUSES = [100, 900] as const;
/** What a server that is busy or going may say. */
const TEMPORARY = /^-ERR \[(IN-USE|SYS\/TEMP)\]/;

/** Reads one mailbox until `stopped`; what it saw and did is in the mailbox's ledger. */
export async function collect(world: World, reader: Person, stopped: () => boolean): Promise<void> {
  const random = world.random.fork(`reader ${reader.address}`);
  const ledger = ledgerOf(world, reader.address);
  while (!stopped()) {
    await session(world, reader, ledger, random);
    await sleep(random.between(...PAUSES) * world.leisure);
  }
}

export function ledgerOf({ mailboxes }: World, address: string): MailboxLedger {
  const ledger = mailboxes.get(address);
  if (ledger === undefined) throw new Error(`no mailbox ${address}`);
  return ledger;
}

/** Everything that is there, byte for byte, once more. */
export async function readAll(world: World, house: House, local: string): Promise<void> {
  const client = await logIn(world, house, local);
  try {
    const ledger = ledgerOf(world, world.pair[house].address(local));
    const listing = await client.uidl();
    ledger.listed(listing.map(({ uid }) => uid));
    for (const { number, uid } of listing) await fetch(client, ledger, number, uid);
    await client.quit();
  } finally {
    client.close();
  }
}

async function session(world: World, reader: Person, ledger: MailboxLedger, random: Random): Promise<void> {
  let client: Pop3Client | undefined;
  let quitting: ReadonlySet<string> | undefined;
  try {
    client = await logIn(world, reader.house, reader.local);
    const listing = await client.uidl();
    ledger.listed(listing.map(({ uid }) => uid));
    const fresh = listing.filter(({ uid }) => !ledger.seen.has(uid)).slice(0, FETCHES);
    for (const { number, uid } of fresh) await fetch(client, ledger, number, uid);
    const deleted = new Set<string>();
    for (const { number, uid } of listing) {
      if (!ledger.seen.has(uid) || !random.chance(DELETES[reader.habit])) continue;
      await client.ask(`DELE ${number}`);
      deleted.add(uid);
    }
    // Whoever goes without a QUIT deletes nothing (RFC 1939 6).
    if (random.chance(0.1)) return;
    quitting = deleted;
    world.journal.happened('quit', reader.house);
    await quit(client, random);
    world.journal.happened('reply to a quit', reader.house);
    for (const uid of deleted) ledger.gone.add(uid);
    world.journal.tell(`${reader.address} deleted ${deleted.size} of ${listing.length} messages`);
  } catch (error) {
    if (error instanceof Disconnected || error instanceof WentAway) {
      if (quitting === undefined || quitting.size === 0) return;
      ledger.perhapsGone.push(quitting);
      world.journal.tell(`${reader.address} heard nothing of ${quitting.size} deletions`);
    } else if (error instanceof Error && TEMPORARY.test(error.message)) {
      world.journal.tell(`${reader.address}: ${error.message}`);
    } else throw error;
  } finally {
    client?.close();
  }
}

const DELETES = { keeps: 0, 'deletes some': 0.3, 'deletes all': 1 } as const;

/** The client did not wait for the answer. */
class WentAway extends Error {}

async function quit(client: Pop3Client, random: Random): Promise<void> {
  if (!random.chance(0.1)) return client.quit();
  // The answer comes to nobody: a rejection of it does too.
  client.quit().catch(() => undefined);
  await sleep(random.between(0, 10));
  throw new WentAway();
}

async function fetch(client: Pop3Client, ledger: MailboxLedger, number: number, uid: string): Promise<void> {
  const bytes = await client.retrieve(number);
  ledger.read(noteOf({ uid, bytes, header: headerOf(bytes) }));
}

async function logIn({ pair }: World, house: House, local: string): Promise<Pop3Client> {
  const gestore = pair[house];
  const { address, password } = gestore.account(local);
  const client = await Pop3Client.open(gestore.server(995));
  try {
    await client.login(address, password);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}
