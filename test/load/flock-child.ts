/** A process full of clients: it does what its flock tells it, and says what came of it. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { ImapClient } from '../support/imap-client.js';
import type { Account } from '../support/inbox.js';
import { Disconnected, type Server } from '../support/mail-clients.js';

/** Opens sessions that log in and wait in IDLE; opens connections that say nothing; counts; lets all go. */
export type Order =
  | { readonly kind: 'idle'; readonly server: Server; readonly sessions: readonly IdleSession[] }
  | {
      readonly kind: 'silent';
      readonly server: Server;
      /** With the handshake, and nothing after it. */
      readonly secure: boolean;
      /** The address of loopback each comes from. */
      readonly from: readonly string[];
    }
  | { readonly kind: 'count' }
  /** Idle sessions one in two with LOGOUT; the others just go. */
  | { readonly kind: 'leave' };

export interface IdleSession {
  readonly account: Account;
  readonly from: string;
}

/** The state after an order. */
export interface Held {
  /** Connections that are open. */
  readonly open: number;
  /** Idle sessions that were told of a new message, by account. */
  readonly told: Readonly<Record<string, number>>;
  /** What went wrong, at most a few of them. */
  readonly failures: readonly string[];
}

/** Sessions that are being opened at once. */
const AT_ONCE = 8;
const FAILURES = 5;

const idlers = new Set<{ readonly client: ImapClient; ended: Promise<void> }>();
const silent = new Set<Socket>();
const told = new Map<string, number>();
const failures: string[] = [];

async function obey(order: Order): Promise<void> {
  if (order.kind === 'idle') {
    return each(order.sessions, (session) => idle(order.server, session));
  }
  if (order.kind === 'silent') return openSilent(order);
  if (order.kind === 'leave') return leave();
}

/** A few at once; whatever fails is told, and the others go on. */
async function each<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await run(item).catch((error: unknown) => fail(error));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function fail(error: unknown): void {
  if (failures.length < FAILURES) failures.push(error instanceof Error ? error.message : String(error));
}

async function idle(server: Server, { account, from }: IdleSession): Promise<void> {
  const client = await ImapClient.open({ ...server, from }, account);
  await client.ask('SELECT INBOX');
  await client.idle();
  const idler = { client, ended: Promise.resolve() };
  idler.ended = listen(client, account.address).finally(() => idlers.delete(idler));
  idlers.add(idler);
}

/** Until the end of the connection. */
async function listen(client: ImapClient, address: string): Promise<void> {
  try {
    for (;;) {
      const line = await client.hear(Number.POSITIVE_INFINITY);
      if (/^\* \d+ EXISTS$/.test(line)) told.set(address, (told.get(address) ?? 0) + 1);
    }
  } catch (error) {
    if (!(error instanceof Disconnected)) fail(error);
  }
}

async function openSilent({ server, secure, from }: Extract<Order, { kind: 'silent' }>): Promise<void> {
  const secureContext = createSecureContext({ ca: server.ca });
  await each(from, async (localAddress) => {
    const target = { host: '127.0.0.1', port: server.port, localAddress };
    const socket = secure ? connectTls({ ...target, secureContext }) : connect(target);
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    // Whatever the other end does with it from now on.
    socket.on('error', () => undefined);
    socket.on('close', () => silent.delete(socket));
    socket.resume();
    silent.add(socket);
  });
}

async function leave(): Promise<void> {
  let polite = false;
  const gone: Promise<unknown>[] = [];
  for (const { client, ended } of idlers) {
    polite = !polite;
    gone.push(ended);
    if (polite) await client.say('DONE\r\nx LOGOUT\r\n').catch(() => client.close());
    else client.close();
  }
  for (const socket of silent) {
    gone.push(new Promise((resolve) => socket.once('close', resolve)));
    socket.destroy();
  }
  await Promise.all(gone);
  told.clear();
}

process.on('message', (order: Order) => {
  void obey(order)
    .catch(fail)
    .then(() => {
      const held: Held = {
        open: idlers.size + silent.size,
        told: Object.fromEntries(told),
        failures: failures.splice(0),
      };
      process.send?.(held);
    });
});
// Its parent is gone.
process.on('disconnect', () => process.exit(0));
