/** Mail programs that stay: they look at an INBOX, wait there for what comes, read a little of it, and log out or just go. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Person, World } from '../crash/world.js';
import { ImapClient } from '../support/imap-client.js';
import { Disconnected } from '../support/mail-clients.js';
import type { Random } from '../support/random.js';

/** Milliseconds of an IDLE. */
const WAITS = [100, 8000] as const;
/** Milliseconds between two sessions. */
const PAUSES = [100, 1500] as const;

/** Watches one mailbox, which others change, until `stopped`. */
export async function watch(world: World, person: Person, stopped: () => boolean): Promise<void> {
  const random = world.random.fork(`watcher ${person.address}`);
  const gestore = world.pair[person.house];
  while (!stopped()) {
    let client: ImapClient | undefined;
    try {
      client = await ImapClient.open(gestore.server(993), gestore.account(person.local));
      await client.ask('EXAMINE INBOX');
      for (let turns = random.between(1, 4); turns > 0 && !stopped(); turns -= 1) await turn(client, random);
      if (random.chance(0.5)) await client.ask('LOGOUT');
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
    } finally {
      client?.close();
    }
    await sleep(random.between(...PAUSES) * world.leisure);
  }
}

async function turn(client: ImapClient, random: Random): Promise<void> {
  await client.idle();
  const done = sleep(random.between(...WAITS)).then(() => client.say('DONE\r\n'));
  await Promise.all([client.answer(), done]);
  const [status = ''] = await client.ask('STATUS INBOX (MESSAGES UNSEEN)');
  if (/MESSAGES 0\b/.test(status)) return;
  // It may be gone meanwhile.
  await client.try('FETCH * (UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[])');
  if (random.chance(0.2)) await client.ask('UID SEARCH RETURN (COUNT) TEXT "giro anna"');
}
