/** Users who send: real SMTP clients under way until they are told to stop. */
import { setTimeout as sleep } from 'node:timers/promises';
import { identificativoIn, letter } from '../e2e/letters.js';
import { EICAR } from '../support/eicar.js';
import { Disconnected, SmtpClient } from '../support/mail-clients.js';
import { bodyHash } from '../support/notes.js';
import type { Random } from '../support/random.js';
import type { Submission } from './ledger.js';
import { crowded, type House, outside, type Person, people, unknown, type World } from './world.js';

/** Octets of a body, at least and at most: in memory and in spool files. */
const SIZES = [1024, 300_000] as const;
/** Milliseconds between two connections. */
const THINKS = [20, 400] as const;

interface Draft {
  readonly submission: Submission;
  readonly content: Buffer;
}

/** Sends until `stopped`; every attempt is in the world's submissions. */
export async function send(world: World, sender: Person, stopped: () => boolean): Promise<void> {
  const random = world.random.fork(`sender ${sender.address}`);
  for (let number = 1; !stopped(); ) {
    const client = await logIn(world, sender);
    for (let left = random.between(1, 3); client !== undefined && left > 0 && !stopped(); left -= 1) {
      const draft = compose(world, sender, number, random);
      number += 1;
      world.submissions.push(draft.submission);
      if (!(await submit(world, sender.house, client, draft, random))) break;
    }
    client?.close();
    await sleep(random.between(...THINKS) * world.leisure);
  }
}

/** Undefined while the server is away. */
async function logIn({ pair }: World, { house, local }: Person): Promise<SmtpClient | undefined> {
  const gestore = pair[house];
  const { address, password } = gestore.account(local);
  let client: SmtpClient | undefined;
  try {
    client = await SmtpClient.open(gestore.server(465), 'implicit');
    if ((await client.login(address, password)).code === 235) return client;
  } catch (error) {
    if (!(error instanceof Disconnected)) throw error;
  }
  client?.close();
  return undefined;
}

function compose(world: World, sender: Person, number: number, random: Random): Draft {
  const marker = `giro ${sender.local}.${number}`;
  const others = people.filter(({ address }) => address !== sender.address).map(({ address }) => address);
  const pool = [...others, ...others, crowded.address, ...unknown, ...outside];
  const to = [...new Set(random.several(pool, random.between(1, 4)))];
  const copies = random.chance(0.3) ? to.splice(1) : [];
  const fault = random.chance(0.04) ? 'bcc' : random.chance(0.03) ? 'virus' : 'none';
  const [least, most] = SIZES;
  // As many small ones as large ones.
  const octets = Math.round(least * (most / least) ** random.next());
  const content = letter({
    from: sender.address,
    to,
    ...(copies.length > 0 ? { cc: copies } : {}),
    subject: marker,
    messageId: random.chance(0.1) ? null : `${marker.replace(' ', '-')}@client.example`,
    fields: [
      ...(fault === 'bcc' ? [`Bcc: ${sender.address}`] : []),
      ...(random.chance(0.2) ? [`X-TipoRicevuta: ${random.pick(['breve', 'sintetica'])}`] : []),
    ],
    body: fault === 'virus' ? `${EICAR}\r\n` : random.fork(marker).lines(octets),
  });
  const submission: Submission = {
    marker,
    sender: sender.address,
    to: [...to, ...copies],
    fault,
    body: bodyHash(content),
    octets: content.length,
    at: world.journal.now(),
    answer: 'unsent',
  };
  return { submission, content };
}

/** One transaction. @returns whether the connection is still good */
async function submit(
  { journal }: World,
  house: House,
  client: SmtpClient,
  { submission, content }: Draft,
  random: Random,
): Promise<boolean> {
  const { sender, to } = submission;
  const told = (answer: Submission['answer'], words = ''): void => {
    submission.answer = answer;
    submission.words = words;
    const size = `${Math.ceil(submission.octets / 1024)} KB`;
    journal.tell(`${sender} "${submission.marker}" (${size}, to ${to.join(' ')}): ${answer} ${words}`);
  };
  try {
    for (const line of [`MAIL FROM:<${sender}>`, ...to.map((address) => `RCPT TO:<${address}>`)]) {
      const reply = await client.ask(line);
      if (reply.code !== 250) {
        told('refused', reply.line);
        return false;
      }
    }
    submission.answer = 'lost';
    journal.happened('final dot', house);
    const reply = await client.data(content);
    journal.happened('reply to it', house);
    if (reply.code === 250) {
      submission.identificativo = identificativoIn(reply);
      told('accepted', submission.identificativo);
      return random.chance(0.9);
    }
    told('refused', reply.line);
    return false;
  } catch (error) {
    if (!(error instanceof Disconnected)) throw error;
    told(submission.answer, error.message);
    return false;
  }
}
