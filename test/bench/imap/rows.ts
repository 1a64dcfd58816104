/** What is measured: each row does its work once over a session that is logged in, and says how much of it a second. */
import { newcomer, PASSWORD, USER } from './contender.js';
import { LARGE, LARGE_FOLDER, largeMessage, MESSAGES, WORDS } from './mailbox.js';
import { RawClient } from './raw-client.js';

/** One server's side of a row. */
export interface Place {
  readonly port: number;
  /** Logged in. */
  readonly client: RawClient;
}

export interface Row {
  readonly name: string;
  /** What is counted. */
  readonly unit: string;
  /** The folder that is open while it runs. */
  readonly folder: string;
  /** @returns so many units in how many milliseconds */
  run(place: Place): Promise<{ readonly count: number; readonly milliseconds: number }>;
  /** Both have to answer this the same. */
  readonly same?: string;
}

async function timed(count: number, work: () => Promise<unknown>) {
  const start = performance.now();
  await work();
  return { count, milliseconds: performance.now() - start };
}

const LOGINS = 10;
const SELECTS = 20;
const APPENDS = 100;
const CONNECTIONS = 8;

export async function loggedIn(port: number, user = USER): Promise<RawClient> {
  const client = await RawClient.open(port);
  await client.command(`LOGIN ${user} ${PASSWORD}`);
  return client;
}

const fetching = (name: string, items: string, count = MESSAGES, folder = 'INBOX'): Row => ({
  name,
  unit: 'messages',
  folder,
  run: ({ client }) =>
    timed(count, async () => {
      const octets = await client.command(`FETCH 1:* (${items})`);
      if (octets < count * 20) throw new Error(`FETCH (${items}) gave ${octets} octets`);
    }),
});

const searching = (name: string, keys: string, times = 1): Row => ({
  name,
  unit: 'searches',
  folder: 'INBOX',
  same: `SEARCH ${keys}`,
  run: ({ client }) =>
    timed(times, async () => {
      for (let at = 0; at < times; at += 1) await client.command(`SEARCH ${keys}`);
    }),
});

const storing = (name: string, item: string): Row => ({
  name,
  unit: 'messages',
  folder: 'INBOX',
  run: ({ client }) =>
    timed(2 * MESSAGES, async () => {
      await client.command(`STORE 1:* +${item} (\\Flagged)`);
      await client.command(`STORE 1:* -${item} (\\Flagged)`);
    }),
});

const once = (name: string, unit: string, command: string, same?: string): Row => ({
  name,
  unit,
  folder: 'INBOX',
  ...(same === undefined ? {} : { same }),
  run: ({ client }) => timed(1, () => client.command(command)),
});

async function appendSome(client: RawClient, folder: string): Promise<void> {
  for (let at = 0; at < APPENDS; at += 1) {
    const content = largeMessage(at);
    await client.command(Buffer.from(`APPEND ${folder} {${content.length}+}\r\n${content}`));
  }
}

/** What Thunderbird asks of a folder it has not seen. */
const THUNDERBIRD =
  'UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)]';

/** The next newcomer of each server, by its port. */
const newcomers = new Map<number, number>();

function nextNewcomer(port: number): string {
  const number = newcomers.get(port) ?? 0;
  newcomers.set(port, number + 1);
  return newcomer(number);
}

const sessions: readonly Row[] = [
  {
    name: 'connect, first LOGIN (argon2id), LOGOUT',
    unit: 'sessions',
    folder: 'INBOX',
    run: ({ port }) =>
      timed(LOGINS, async () => {
        for (let at = 0; at < LOGINS; at += 1) await (await loggedIn(port, nextNewcomer(port))).logout();
      }),
  },
  {
    name: 'connect, LOGIN again, SELECT, LOGOUT',
    unit: 'sessions',
    folder: 'INBOX',
    run: ({ port }) =>
      timed(LOGINS, async () => {
        for (let at = 0; at < LOGINS; at += 1) {
          const client = await loggedIn(port);
          await client.command('SELECT INBOX');
          await client.logout();
        }
      }),
  },
  {
    name: 'SELECT',
    unit: 'commands',
    folder: 'INBOX',
    run: ({ client }) =>
      timed(SELECTS, async () => {
        for (let at = 0; at < SELECTS; at += 1) await client.command('SELECT INBOX');
      }),
  },
];

/** What a client asks of the folders it has not open. */
const statuses: Row = {
  name: 'STATUS (MESSAGES UNSEEN UIDNEXT) of another folder',
  unit: 'commands',
  folder: LARGE_FOLDER,
  run: ({ client }) =>
    timed(SELECTS, async () => {
      for (let at = 0; at < SELECTS; at += 1) await client.command('STATUS INBOX (MESSAGES UNSEEN UIDNEXT)');
    }),
};

const appends: readonly Row[] = [
  {
    name: 'APPEND 10 KB, durable, one connection',
    unit: 'messages',
    folder: 'INBOX',
    run: ({ client }) => timed(APPENDS, () => appendSome(client, 'Arrivi')),
  },
  {
    name: `APPEND 10 KB, durable, ${CONNECTIONS} connections`,
    unit: 'messages',
    folder: 'INBOX',
    async run({ port }) {
      const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => loggedIn(port)));
      const result = await timed(CONNECTIONS * APPENDS, () =>
        Promise.all(clients.map((client, at) => appendSome(client, `Arrivi${at}`))),
      );
      await Promise.all(clients.map((client) => client.logout()));
      return result;
    },
  },
];

/** Folders that the appending rows fill. */
export const APPEND_FOLDERS: readonly string[] = [
  'Arrivi',
  ...Array.from({ length: CONNECTIONS }, (_, at) => `Arrivi${at}`),
];

export const rows: readonly Row[] = [
  ...sessions,
  statuses,
  fetching('FETCH (UID FLAGS)', 'UID FLAGS'),
  fetching('FETCH (UID FLAGS RFC822.SIZE ENVELOPE)', 'UID FLAGS RFC822.SIZE ENVELOPE'),
  fetching("FETCH, Thunderbird's set of header fields", THUNDERBIRD),
  fetching('FETCH (BODYSTRUCTURE)', 'BODYSTRUCTURE'),
  fetching('FETCH (BODY.PEEK[]), 10 KB each', 'BODY.PEEK[]', LARGE, LARGE_FOLDER),
  fetching('FETCH (BODY.PEEK[])', 'BODY.PEEK[]'),
  ...appends,
  searching('SEARCH by flag', 'UNFLAGGED UNDELETED', 5),
  searching('SEARCH SUBJECT, one in a hundred', 'SUBJECT "n. 77"', 5),
  searching('SEARCH HEADER, one in two', 'HEADER X-Ricevuta accettazione', 5),
  searching('SEARCH BODY, one in a hundred', `BODY "${WORDS.rare}"`),
  searching('SEARCH TEXT, in none', `TEXT "${WORDS.absent}"`),
  searching('SEARCH BODY, in every one', `BODY "${WORDS.common}"`),
  storing('STORE FLAGS over all', 'FLAGS'),
  storing('STORE FLAGS.SILENT over all', 'FLAGS.SILENT'),
  once('SORT (REVERSE DATE)', 'commands', 'SORT (REVERSE DATE) UTF-8 ALL', 'SORT (REVERSE DATE) UTF-8 ALL'),
  once('SORT (SUBJECT)', 'commands', 'SORT (SUBJECT) UTF-8 ALL', 'SORT (SUBJECT) UTF-8 ALL'),
  once('THREAD REFERENCES', 'commands', 'THREAD REFERENCES UTF-8 ALL'),
];
