/**
 * Whoever else knocks at a gestore's ports all day: ordinary mail, guessed passwords, clients that go in the middle of a word.
 * They come from many addresses, so that whatever is counted by address fills up.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../crash/world.js';
import { people } from '../crash/world.js';
import { letter } from '../e2e/letters.js';
import type { TestGestore } from '../support/gestore.js';
import { ImapClient } from '../support/imap-client.js';
import { Disconnected, Pop3Client, type Server, SmtpClient } from '../support/mail-clients.js';
import type { Random } from '../support/random.js';

/** Milliseconds between two of them. */
const PAUSES = [20, 300] as const;
const PORTS = [25, 465, 587, 995, 993, 443] as const;
const TLS_PORTS = [465, 995, 993] as const;

interface Visit {
  readonly world: World;
  readonly gestore: TestGestore;
  readonly random: Random;
  /** The address of loopback they come from. */
  readonly from: string;
}

/** Strangers, one after the other, until `stopped`; what they must not get is a fault of the world. */
export async function visit(world: World, name: string, stopped: () => boolean): Promise<void> {
  const random = world.random.fork(`stranger ${name}`);
  while (!stopped()) {
    const gestore = world.pair[random.pick(['alfa', 'beta'] as const)];
    // 127.0.0.0/24 is for those who belong here.
    const from = `127.${random.between(1, 250)}.${random.between(1, 250)}.${random.between(1, 250)}`;
    const act = random.pick([bringOrdinaryMail, guessPassword, guessPassword, hangUp, hangUp, talkHalf]);
    try {
      await act({ world, gestore, random, from });
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
    }
    await sleep(random.between(...PAUSES) * world.leisure);
  }
}

const serverFor = ({ gestore, from }: Visit, port: (typeof PORTS)[number]): Server => ({
  ...gestore.server(port),
  from,
});

/** No mailbox takes any by itself (interfaces: policy.ordinary_mail). */
async function bringOrdinaryMail(visit: Visit): Promise<void> {
  const { random, world } = visit;
  const client = await SmtpClient.open(serverFor(visit, 25), random.pick(['starttls', 'none']));
  try {
    const to = [random.pick(people).address];
    const body = random.fork('body').lines(random.pick([500, 200_000]));
    const content = letter({ from: 'qualcuno@posta.example', to, subject: 'pubblicità', body });
    const reply = await client.send({ from: 'qualcuno@posta.example', to, content });
    if (reply.code < 400) world.faults.push(`ordinary mail for ${to} was answered ${reply.line}`);
  } finally {
    client.close();
  }
}

async function guessPassword(visit: Visit): Promise<void> {
  const { random, world, gestore } = visit;
  const address = random.pick([...gestore.accounts.values()].map((account) => account.address));
  const name = random.pick([address, `ignoto-${random.between(1, 1e6)}@${gestore.domain}`]);
  const password = `indovino-${random.between(1, 1e6)}`;
  const port = random.pick(TLS_PORTS);
  if (await guess(serverFor(visit, port), port, name, password))
    world.faults.push(`${name} logged in with a wrong password at ${port}`);
}

/** @returns whether it was the right one */
async function guess(
  server: Server,
  port: (typeof TLS_PORTS)[number],
  name: string,
  password: string,
): Promise<boolean> {
  if (port === 993) {
    const client = await ImapClient.connect(server);
    const { status } = await client.try(`LOGIN ${name} "${password}"`);
    client.close();
    return status.startsWith('OK');
  }
  if (port === 465) {
    const client = await SmtpClient.open(server, 'implicit');
    const { code } = await client.login(name, password);
    client.close();
    return code === 235;
  }
  const client = await Pop3Client.open(server);
  const good = await client.login(name, password).then(
    () => true,
    (error: Error) => {
      if (error.message.startsWith('-ERR')) return false;
      throw error;
    },
  );
  client.close();
  return good;
}

/** Connects, says nothing or rubbish where TLS is spoken, and goes. */
async function hangUp({ gestore, random, from }: Visit): Promise<void> {
  const port = gestore.port(random.pick(PORTS));
  const socket = connect({ host: '127.0.0.1', port, localAddress: from });
  const closed = once(socket, 'close');
  // The other end may be the first to go.
  socket.on('error', () => undefined);
  socket.once('connect', () => {
    if (random.chance(0.5)) socket.write(random.octets(random.between(1, 400)));
    setTimeout(() => socket.destroy(), random.between(0, 300));
  });
  await closed;
}

/** A dialogue that ends in the middle of what it says. */
async function talkHalf(visit: Visit): Promise<void> {
  const { random, gestore } = visit;
  if (random.chance(0.5)) {
    const client = await ImapClient.connect(serverFor(visit, 993));
    await client.say(random.pick(['a1 LOGIN {5}', 'a1 LOGIN {900+}\r\nx', 'a1 ID ("name"', '\r\n\r\n']));
    client.close();
    return;
  }
  const client = await SmtpClient.open(serverFor(visit, 25), 'starttls');
  await client.ask('MAIL FROM:<qualcuno@posta.example>');
  await client.ask(`RCPT TO:<${gestore.address('ricevute')}>`);
  // The content never ends: what of it is spooled goes.
  const left = client.data(Buffer.from(`Subject: x\r\n\r\n${'y'.repeat(random.between(1, 200_000))}`));
  left.catch(() => undefined);
  await sleep(random.between(0, 200));
  client.close();
}
