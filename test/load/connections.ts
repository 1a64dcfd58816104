/** One gestore and very many connections: what they cost, whether the right ones are told, whether mail goes on, what remains. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { letter } from '../e2e/letters.js';
import { type Pair, type Scope, type TestGestore, twoGestori } from '../support/gestore.js';
import { ImapClient } from '../support/imap-client.js';
import { field } from '../support/inbox.js';
import { Disconnected, type Server, Wire } from '../support/mail-clients.js';
import { webAnswer } from '../support/web-client.js';
import { Flock } from './flock.js';
import type { Held } from './flock-child.js';
import { descriptorsOf, mebibytes, type Reading, read } from './gauge.js';
import { makeWeighable, type Weight, weigh } from './weigh.js';

export interface ConnectionsRequest {
  readonly count: number;
  /** Mailboxes the sessions are divided among. */
  readonly accounts: number;
  /** Connections of one remote address. */
  readonly perAddress: number;
  /** Processes of clients. */
  readonly processes: number;
  /** Of a process that only holds TLS connections, to compare with; 0 to leave it out. */
  readonly bare: number;
  /** Called with each line of the report. */
  told(line: string): void;
}

const PORTS = [25, 465, 587, 995, 993, 443] as const;
/** Of POP3 and of submission: TLS is spoken, the greeting said, and the client does not log in. */
const GREETED = [995, 465] as const;
/** Milliseconds: generous; reached only when something is broken. */
const PATIENCE = 300_000;
/** Descriptors that may be open when all have gone, beside those before. */
const SPARE_DESCRIPTORS = 8;
/** Connections of a protocol, beside those of the flock. */
const OTHERS = 50;

interface Stage extends Weight {
  readonly reading: Reading;
}

/** @throws AssertionError for what a gestore may not do */
export async function manyConnections(scope: Scope, request: ConnectionsRequest): Promise<void> {
  const pair = await open(scope, request);
  const { alfa } = pair;
  const flock = new Flock(request.processes);
  scope.after(() => flock.end());
  if (request.bare > 0) await weighBare(alfa, flock, request);
  const ready = await stage(request, alfa, 'before the first client');
  await holdIdle(pair, flock, request, ready);
  for (const port of GREETED) await holdGreeted(alfa, flock, request, port);
  await startAfresh(alfa);
  for (const port of PORTS) await holdSilent(pair, flock, request, port);
  await stage(request, alfa, 'at the end');
}

async function open(scope: Scope, { count, accounts, perAddress }: ConnectionsRequest): Promise<Pair> {
  const config = {
    testing: 'false',
    'limits.connections_total': String(2 * count + OTHERS),
    'limits.connections': String(count + OTHERS),
    'limits.connections_per_address': String(perAddress),
    'limits.incoming_per_minute': String(Math.max(300, perAddress)),
  };
  return twoGestori(scope, {
    alfa: { config, mailboxes: ['anna', ...Array.from({ length: accounts }, (_, at) => nameOf(at))] },
    beta: { mailboxes: ['bruno'] },
    prepare: async ({ alfa }) => makeWeighable(alfa),
  });
}

const nameOf = (at: number): string => `casella-${at}`;

/** As many addresses of loopback as there are connections, each so often as one address may come. */
function addressesFor({ count, perAddress }: ConnectionsRequest): string[] {
  return Array.from({ length: count }, (_, at) => {
    const number = Math.floor(at / perAddress);
    return `127.1.${Math.floor(number / 250)}.${(number % 250) + 1}`;
  });
}

// --- idle sessions -------------------------------------------------------------------------------------------------

async function holdIdle(pair: Pair, flock: Flock, request: ConnectionsRequest, ready: Stage): Promise<void> {
  const { alfa } = pair;
  const { count, accounts, told } = request;
  const addresses = addressesFor(request);
  const sessions = addresses.map((from, at) => ({ from, account: alfa.account(nameOf(at % accounts)) }));
  const start = performance.now();
  const held = await flock.idle(alfa.server(993), sessions);
  const seconds = (performance.now() - start) / 1000;
  assert.deepEqual(held.failures, []);
  assert.equal(held.open, count);
  told(
    `${count} IMAP sessions of ${accounts} mailboxes opened, logged in and idle in ${seconds.toFixed(1)} s: ` +
      `${((seconds * 1000) / count).toFixed(1)} ms each`,
  );
  const full = await stage(request, alfa, `${count} in IDLE`);
  assert.equal(full.reading.sessions, count);
  told(`each: ${shareOf(ready, full, count)}`);
  await tellTheRight(pair, flock, request);
  await oneMore(alfa, 993, addresses[0] ?? '', told);
  await allGone(flock, alfa, ready.reading);
  await stage(request, alfa, 'when they have gone');
}

/** One message for one mailbox: its sessions hear of it, once each, and no other does. */
async function tellTheRight(
  pair: Pair,
  flock: Flock,
  { count, accounts, told }: ConnectionsRequest,
): Promise<void> {
  const { alfa } = pair;
  const to = alfa.address(nameOf(0));
  const expected = { [to]: Math.ceil(count / accounts) };
  const start = performance.now();
  const reply = await alfa.submit(alfa.account('anna'), {
    to: [to],
    content: message(alfa, to, 'per una casella'),
  });
  assert.equal(reply.code, 250);
  let held: Held;
  do {
    await sleep(50);
    held = await flock.count();
    assert.ok(performance.now() - start < PATIENCE, `told ${JSON.stringify(held.told)}`);
  } while ((held.told[to] ?? 0) < (expected[to] ?? 0));
  const seconds = ((performance.now() - start) / 1000).toFixed(2);
  // Whoever is told without reason is told by then: the same commit woke them.
  held = await flock.count();
  assert.deepEqual(held.told, expected);
  told(
    `one message: ${expected[to]} sessions of its mailbox were told, no other, ${seconds} s after its submission began`,
  );
}

// --- connections that are greeted and wait ---------------------------------------------------------------------------

async function holdGreeted(
  gestore: TestGestore,
  flock: Flock,
  request: ConnectionsRequest,
  port: (typeof GREETED)[number],
): Promise<void> {
  const { count, told } = request;
  await startAfresh(gestore);
  const ready = await stage(request, gestore, `port ${port}, before the first client`);
  const held = await flock.silent(gestore.server(port), true, addressesFor(request));
  assert.deepEqual(held, { open: count, told: {}, failures: [] });
  const full = await stage(request, gestore, `port ${port}, ${count} greeted`);
  assert.equal(full.reading.sessions, count);
  told(`each: ${shareOf(ready, full, count)}`);
  await allGone(flock, gestore, ready.reading);
}

/** The allocator gives little back: what connections of one kind cost shows only in a process that has held no others. */
async function startAfresh(gestore: TestGestore): Promise<void> {
  assert.equal(await gestore.stop(), 0);
  await gestore.start();
}

// --- connections that say nothing ----------------------------------------------------------------------------------

async function holdSilent(
  pair: Pair,
  flock: Flock,
  request: ConnectionsRequest,
  port: (typeof PORTS)[number],
): Promise<void> {
  const { alfa } = pair;
  const addresses = addressesFor(request);
  const before = await read(alfa);
  // Those under TLS say nothing of a handshake either, and are not waited for: half a minute each.
  const held = await flock.silent(alfa.server(port), false, addresses);
  assert.deepEqual(held.failures, []);
  const { resident, sessions } = await read(alfa);
  const start = performance.now();
  await mailGoesOn(pair, `porta ${port}`);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  request.told(
    `port ${port}: ${held.open} connections that say nothing (${sessions} counted when all had come), ` +
      `${mebibytes(resident - before.resident)} MiB more; meanwhile two messages went their way in ${seconds} s`,
  );
  if (port === 25 || port === 587) await oneMore(alfa, port, addresses[0] ?? '', request.told);
  await allGone(flock, alfa, before);
}

/** A message out and one in, read by POP3; IMAP and HTTPS answer. */
async function mailGoesOn({ alfa, beta }: Pair, subject: string): Promise<void> {
  const [anna, bruno] = [alfa.address('anna'), beta.address('bruno')];
  const out = await alfa.submit(alfa.account('anna'), {
    to: [bruno],
    content: message(alfa, bruno, subject),
  });
  assert.equal(out.code, 250);
  const back = await beta.submit(beta.account('bruno'), {
    to: [anna],
    content: message(beta, anna, subject),
  });
  assert.equal(back.code, 250);
  for (const inbox of [alfa.inbox('anna'), beta.inbox('bruno')])
    await inbox.waitFor((held) => field(held, 'Subject') === `POSTA CERTIFICATA: ${subject}`);
  const client = await ImapClient.open(alfa.server(993), alfa.account('anna'));
  await client.ask('SELECT INBOX');
  client.close();
  assert.equal((await webAnswer(alfa, '/healthz')).code, 200);
}

function message(from: TestGestore, to: string, subject: string): Buffer {
  const sender = [...from.accounts.values()][0]?.address ?? '';
  return letter({ from: sender, to: [to], subject });
}

// --- the rest ------------------------------------------------------------------------------------------------------

/** An address that has as many as it may is told so, or the door is shut. */
async function oneMore(
  gestore: TestGestore,
  port: 25 | 587 | 993,
  from: string,
  told: ConnectionsRequest['told'],
): Promise<void> {
  const answer = await greeting({ ...gestore.server(port), from }, port === 993);
  assert.match(answer, /^(421 |\* BYE |closed)/);
  told(`one more to port ${port} from an address that has its share: ${answer}`);
}

async function greeting(server: Server, secure: boolean): Promise<string> {
  try {
    const wire = await Wire.open(server, secure);
    const line = await wire.line();
    wire.close();
    return line;
  } catch (error) {
    if (error instanceof Disconnected) return 'closed';
    throw error;
  }
}

async function allGone(flock: Flock, gestore: TestGestore, before: Reading): Promise<void> {
  const left = await flock.leave();
  assert.deepEqual(left, { open: 0, told: {}, failures: [] });
  for (const deadline = performance.now() + PATIENCE; ; await sleep(100)) {
    const { sessions, descriptors } = await read(gestore);
    if (sessions === 0 && descriptors <= before.descriptors + SPARE_DESCRIPTORS) return;
    assert.ok(
      performance.now() < deadline,
      `${sessions} connections counted with nobody there, ${descriptors} descriptors, ${before.descriptors} before: ${descriptorsOf(gestore)}`,
    );
  }
}

/** What one of `count` connections costs. */
function shareOf(before: Weight, after: Weight, count: number): string {
  const each = (what: keyof Weight): string => ((after[what] - before[what]) / count / 1024).toFixed(1);
  return `resident ${each('resident')} KiB, heap ${each('heap')} KiB, external ${each('external')} KiB`;
}

async function stage({ told }: ConnectionsRequest, gestore: TestGestore, name: string): Promise<Stage> {
  const reading = await read(gestore);
  const weight = await weigh(gestore);
  const { resident, heap, external } = weight;
  told(
    `${name}: resident ${mebibytes(reading.resident)} MiB, heap ${mebibytes(reading.heap)}; collected: ` +
      `resident ${mebibytes(resident)}, heap ${mebibytes(heap)}, external ${mebibytes(external)}; ` +
      `${reading.descriptors} descriptors, ${reading.threads} threads`,
  );
  return { reading, ...weight };
}

async function weighBare(gestore: TestGestore, flock: Flock, request: ConnectionsRequest): Promise<void> {
  const { bare, told } = request;
  const program = fileURLToPath(new URL('./bare-tls.js', import.meta.url));
  const certs = join(gestore.dir, 'certs');
  const files = [join(certs, 'tls.pem'), join(certs, 'tls.key')];
  const child = fork(program, files, { execArgv: ['--expose-gc'] });
  try {
    const [port] = (await once(child, 'message')) as [number];
    const ask = async (): Promise<Weight> => {
      child.send('weigh');
      return ((await once(child, 'message')) as [Weight])[0];
    };
    const before = await ask();
    const held = await flock.silent(
      { ...gestore.server(993), port },
      true,
      addressesFor({ ...request, count: bare }),
    );
    assert.deepEqual([held.open, held.failures], [bare, []]);
    const after = await ask();
    told(`a TLS connection of Node.js alone, of ${bare}: ${shareOf(before, after, bare)}`);
    await flock.leave();
  } finally {
    child.disconnect();
  }
}
