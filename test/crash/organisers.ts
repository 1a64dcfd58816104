/** Users who put their mail in order: IMAP clients that append, mark, move and delete, each in a mailbox of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answered, ImapClient } from '../support/imap-client.js';
import { Disconnected } from '../support/mail-clients.js';
import type { Random } from '../support/random.js';
import type { FolderLedger, Kept, Listing } from './folder-ledger.js';
import type { Organiser, World } from './world.js';

const FOLDERS = ['INBOX', 'Archivio'] as const;
const FLAGS = ['\\Answered', '\\Flagged', '\\Seen', '$Label1'] as const;
/** Messages a mailbox has before they are rather deleted than appended. */
const ENOUGH = 30;
/** Commands of a session. */
const COMMANDS = [2, 15] as const;
/** Milliseconds between two sessions. */
const PAUSES = [50, 500] as const;

/** Works in one mailbox until `stopped`; what was answered is in its ledger. */
export async function organise(world: World, organiser: Organiser, stopped: () => boolean): Promise<void> {
  const random = world.random.fork(`organiser ${organiser.address}`);
  for (let session = 0; !stopped(); session += 1) {
    await put(world, organiser, random.fork(`session ${session}`), stopped);
    await sleep(random.between(...PAUSES) * world.leisure);
  }
}

/** Everything that is there, once more. */
export async function lookThrough(world: World, organiser: Organiser): Promise<void> {
  const client = await logIn(world, organiser);
  try {
    ledgerOf(world, organiser).compare(await look(client));
  } finally {
    client.close();
  }
}

function ledgerOf({ folders }: World, { address }: Organiser): FolderLedger {
  const ledger = folders.get(address);
  if (ledger === undefined) throw new Error(`no mailbox ${address}`);
  return ledger;
}

async function logIn({ pair }: World, { house, local }: Organiser): Promise<ImapClient> {
  return ImapClient.open(pair[house].server(993), pair[house].account(local));
}

/** One session. A server that is going ends it; the command under way is noted as unanswered. */
async function put(
  world: World,
  organiser: Organiser,
  random: Random,
  stopped: () => boolean,
): Promise<void> {
  const ledger = ledgerOf(world, organiser);
  let client: ImapClient | undefined;
  try {
    client = await logIn(world, organiser);
    ledger.compare(await look(client));
    for (let left = random.between(...COMMANDS); left > 0 && !stopped(); left -= 1) {
      await act(world, organiser, { client, ledger, random });
    }
  } catch (error) {
    if (!(error instanceof Disconnected)) throw error;
    world.journal.tell(`${organiser.address}: ${error.message}`);
  } finally {
    client?.close();
  }
}

/** Both folders as they are; the second is made where it is missing. */
async function look(client: ImapClient): Promise<Listing[]> {
  const listings: Listing[] = [];
  for (const folder of FOLDERS) {
    let selected = await client.try(`SELECT ${folder}`);
    if (selected.status.includes('[TRYCREATE]') || selected.status.includes('[NONEXISTENT]')) {
      await client.ask(`CREATE ${folder}`);
      selected = await client.try(`SELECT ${folder}`);
    }
    const told = selected.untagged.join('\n');
    const uidValidity = /\[UIDVALIDITY (\d+)\]/.exec(told)?.[1];
    if (uidValidity === undefined) throw new Error(`SELECT ${folder}: ${selected.status}`);
    const empty = /^\* 0 EXISTS/m.test(told);
    const rows = empty
      ? []
      : await client.ask('UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])');
    listings.push({
      folder,
      uidValidity,
      messages: rows.filter((row) => row.includes(' FETCH ')).map(messageOf),
    });
  }
  return listings;
}

function messageOf(row: string): Listing['messages'][number] {
  const uid = /UID (\d+)/.exec(row)?.[1];
  const flags = /FLAGS \(([^)]*)\)/.exec(row)?.[1];
  const marker = /Subject: (\S+)/.exec(row)?.[1];
  if (uid === undefined || flags === undefined || marker === undefined)
    throw new Error(`not understood: ${row}`);
  return { marker, uid: Number(uid), flags: sorted(flags.split(' ')) };
}

const sorted = (flags: readonly string[]): string =>
  [...new Set(flags)]
    .filter((flag) => flag !== '' && flag !== '\\Recent')
    .sort()
    .join(' ');

interface Session {
  readonly client: ImapClient;
  readonly ledger: FolderLedger;
  readonly random: Random;
}

async function act(world: World, organiser: Organiser, session: Session): Promise<void> {
  const { random, ledger } = session;
  const present = ledger.present();
  if (present.length === 0 || random.chance(present.length > ENOUGH ? 0.1 : 0.4)) {
    return append(world, organiser, session);
  }
  const { marker, kept } = random.pick(present);
  await session.client.ask(`SELECT ${kept.folder}`);
  const change = random.next();
  if (change < 0.5) return mark(world, organiser, session, marker, kept);
  if (change < 0.75) return move(world, organiser, session, marker, kept);
  return remove(world, organiser, session, marker, kept);
}

/** Sends a change and notes what came of it. @param outcome the message's state when it is answered OK */
async function promise(
  { journal, faults }: World,
  { house, address }: Organiser,
  { ledger }: Session,
  marker: string,
  command: () => Promise<Answered>,
  outcome: (answered?: Answered) => Kept | undefined,
): Promise<void> {
  journal.happened('imap command', house);
  try {
    const answered = await command();
    journal.happened('imap answer', house);
    if (answered.status.startsWith('OK')) ledger.done(marker, outcome(answered));
    else faults.push(`${address}: "${marker}": ${answered.status}`);
  } catch (error) {
    ledger.unanswered(marker, outcome());
    throw error;
  }
}

async function append(world: World, organiser: Organiser, session: Session): Promise<void> {
  const { random, client } = session;
  const marker = `imap-${organiser.local}-${world.journal.now().toFixed(3)}-${random.between(0, 1e6)}`;
  const folder = random.pick(FOLDERS);
  const flags = sorted(FLAGS.filter(() => random.chance(0.3)));
  // Some are past 64 KiB: those are files.
  const body = `${'x'.repeat(70)}\r\n`.repeat(random.chance(0.2) ? 2000 : 3);
  const message = Buffer.from(`From: a@b.example\r\nSubject: ${marker}\r\n\r\n${body}`);
  await promise(
    world,
    organiser,
    session,
    marker,
    () => client.send(`APPEND ${folder} (${flags})`, message),
    (answered) => ({ folder, uid: uidIn(answered, /\[APPENDUID \d+ (\d+)\]/), flags }),
  );
}

async function mark(
  world: World,
  organiser: Organiser,
  session: Session,
  marker: string,
  kept: Kept & { readonly uid: number },
): Promise<void> {
  const flag = session.random.pick(FLAGS);
  const has = kept.flags.split(' ').includes(flag);
  const flags = sorted(
    has ? kept.flags.split(' ').filter((one) => one !== flag) : [...kept.flags.split(' '), flag],
  );
  await promise(
    world,
    organiser,
    session,
    marker,
    () => session.client.try(`UID STORE ${kept.uid} ${has ? '-' : '+'}FLAGS.SILENT (${flag})`),
    () => ({ ...kept, flags }),
  );
}

async function move(
  world: World,
  organiser: Organiser,
  session: Session,
  marker: string,
  kept: Kept & { readonly uid: number },
): Promise<void> {
  const folder = FOLDERS.find((one) => one !== kept.folder) ?? 'INBOX';
  await promise(
    world,
    organiser,
    session,
    marker,
    () => session.client.try(`UID MOVE ${kept.uid} ${folder}`),
    (answered) => ({ folder, uid: uidIn(answered, /\[COPYUID \d+ \d+ (\d+)\]/), flags: kept.flags }),
  );
}

async function remove(
  world: World,
  organiser: Organiser,
  session: Session,
  marker: string,
  kept: Kept & { readonly uid: number },
): Promise<void> {
  const { client } = session;
  const flags = sorted([...kept.flags.split(' '), '\\Deleted']);
  await promise(
    world,
    organiser,
    session,
    marker,
    () => client.try(`UID STORE ${kept.uid} +FLAGS.SILENT (\\Deleted)`),
    () => ({ ...kept, flags }),
  );
  await promise(
    world,
    organiser,
    session,
    marker,
    () => client.try(`UID EXPUNGE ${kept.uid}`),
    () => undefined,
  );
}

/** What APPENDUID or COPYUID says; MOVE says it in an untagged OK (RFC 6851 4.3). */
function uidIn(answered: Answered | undefined, form: RegExp): number | undefined {
  if (answered === undefined) return undefined;
  const uid = form.exec([answered.status, ...answered.untagged].join('\n'))?.[1];
  if (uid === undefined) throw new Error(`no UID in ${answered.status}`);
  return Number(uid);
}
