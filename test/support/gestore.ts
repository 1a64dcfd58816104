import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { main } from '../../src/cli/index.js';
import { reservePorts } from './free-ports.js';
import { type Account, Inbox } from './inbox.js';
import { type Mail, type Protection, type Reply, type Server, SmtpClient } from './mail-clients.js';

/** Where the harness hangs up what must be ended: a test's context, or the hooks of a suite. */
export interface Scope {
  after(release: () => Promise<void> | void): void;
}

/** What a command answered. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command of the CLI inside this process: what an operator types, without the time a process takes. */
export async function ceralacca(args: readonly string[], stdin = ''): Promise<CommandResult> {
  let out = '';
  let err = '';
  const code = await main(args, {
    env: {},
    stdin: Readable.from([stdin]),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

/** Milliseconds: generous, since the machine may be busy; reached only when something is broken. */
const START = 60_000;
const STOP = 30_000;
const SETTLE = 60_000;

const program = fileURLToPath(new URL('./ceralacca.js', import.meta.url));

export interface GestoreRequest {
  /** Keys with dots -> YAML, beside `testing: true`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Names before the `@`; each gets a mailbox. */
  readonly mailboxes?: readonly string[];
}

/** A gestore of the tests: made by `init`, run as a process of its own. */
export class TestGestore {
  readonly configFile: string;
  readonly accounts = new Map<string, Account>();
  /** Set false by a test that leaves something damaged: otherwise the doctor finds nothing at the end of each. */
  sound = true;
  /** Run when the gestore has ended for good, before its folder goes. */
  readonly releases: (() => Promise<void> | void)[] = [];
  /** Of the server's process, beside `--enable-source-maps`. */
  readonly nodeOptions: string[] = [];
  readonly #inboxes = new Map<string, Inbox>();
  #process: ChildProcess | undefined;
  #log = '';

  constructor(
    readonly name: string,
    readonly domain: string,
    readonly dir: string,
    private readonly base: number,
  ) {
    this.configFile = join(dir, 'config', 'gestore.yaml');
  }

  get caFile(): string {
    return join(this.dir, 'certs', 'ca.pem');
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The port of a service, by its number in the standard layout. */
  port(standard: 465 | 587 | 25 | 995 | 993 | 443): number {
    return this.base + standard;
  }

  server(standard: 465 | 587 | 25 | 995 | 993 | 443): Server {
    return { port: this.port(standard), ca: readFileSync(this.caFile, 'utf8') };
  }

  /** What the server wrote so far, all its lives joined. */
  get log(): string {
    return this.#log;
  }

  /** A command on this gestore that must succeed; gives what it printed. */
  async run(args: readonly string[], stdin?: string): Promise<string> {
    const { code, out, err } = await this.try(args, stdin);
    assert.equal(code, 0, `ceralacca ${args.join(' ')}: ${err || out}`);
    return out;
  }

  /** A command on this gestore, whatever comes of it. */
  try(args: readonly string[], stdin?: string): Promise<CommandResult> {
    return ceralacca([...args, '-c', this.configFile], stdin);
  }

  /** The account of a mailbox made at the start, by the name before its `@`. */
  account(local: string): Account {
    const account = this.accounts.get(local);
    if (account === undefined) throw new Error(`${this.name} has no mailbox ${local}`);
    return account;
  }

  address(local: string): string {
    return `${local}@${this.domain}`;
  }

  /** Makes the folders. */
  async init(): Promise<void> {
    const args = ['--dir', this.dir, '--name', this.name, '--domain', this.domain];
    const { code, err } = await ceralacca(['init', ...args, '--ports', String(this.base)]);
    assert.equal(code, 0, err);
  }

  async addMailbox(local: string, ...options: readonly string[]): Promise<Account> {
    const account = { address: this.address(local), password: `parola-${local}` };
    await this.run(
      ['mailbox', 'add', account.address, '--password-stdin', ...options],
      `${account.password}\n`,
    );
    this.accounts.set(local, account);
    return account;
  }

  /** Starts the server and waits until /readyz says so. */
  async start(): Promise<void> {
    assert.equal(this.#process, undefined, `${this.name} runs already`);
    const options = ['--enable-source-maps', ...this.nodeOptions];
    const child = spawn(process.execPath, [...options, program, 'serve', '-c', this.configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    const file = createWriteStream(join(this.dir, 'server.log'), { flags: 'a' });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#log += chunk.toString();
        file.write(chunk);
      });
    }
    child.once('close', () => file.end());
    await this.#untilReady(child);
  }

  /** Sends a signal and waits for the end; gives the exit code, or the signal that ended it without one. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | string | null> {
    const child = this.#process;
    if (child === undefined) return null;
    this.#process = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const late = await Promise.race([ended, sleep(STOP, 'late', { ref: false })]);
    if (late === 'late') {
      child.kill('SIGKILL');
      await ended;
      throw new Error(`${this.name} did not stop within ${STOP / 1000} seconds of ${signal}`);
    }
    return child.exitCode ?? child.signalCode;
  }

  /** Ends it for good. @throws what the doctor finds, unless the test said that it damaged something */
  async end(): Promise<void> {
    try {
      await this.stop('SIGTERM');
      if (this.sound) await this.#examine();
    } finally {
      await this.stop('SIGKILL');
      for (const release of this.releases.splice(0).reverse()) await release();
    }
  }

  async #examine(): Promise<void> {
    const { code, out, err } = await this.try(['doctor', '--deep', '--json']);
    const findings = JSON.parse(out === '' ? '[]' : out) as Finding[];
    // The test's own clamd may have ended before: the doctor is asked about what is kept.
    const kept = findings.filter(({ check }) => check !== 'antivirus');
    const ill = kept.filter(
      ({ check, result }) => result === 'failed' || (result === 'warning' && !USUAL.includes(check)),
    );
    if (kept.length > 0 && ill.length === 0) return;
    const notes = ill.map(({ check, note }) => `${check}: ${note}`).join('\n  ');
    throw new Error(`${this.name}: doctor --deep ends with ${code}\n  ${notes}${err}`);
  }

  /** One submission by a user of this gestore, logged in; the reply to it, or the refusal on the way. */
  async submit(
    account: Account,
    mail: Omit<Mail, 'from'> & { readonly from?: string },
    protection: Exclude<Protection, 'none'> = 'implicit',
  ): Promise<Reply> {
    const client = await SmtpClient.open(this.server(protection === 'implicit' ? 465 : 587), protection);
    try {
      const login = await client.login(account.address, account.password);
      if (login.code !== 235) return login;
      return await client.send({ from: account.address, ...mail });
    } finally {
      client.close();
    }
  }

  /** One message to port 25, as another gestore or the Internet would bring it. */
  async receive(mail: Mail, protection: 'starttls' | 'none' = 'starttls'): Promise<Reply> {
    const client = await SmtpClient.open(this.server(25), protection);
    try {
      return await client.send(mail);
    } finally {
      client.close();
    }
  }

  /** The mailbox of that account: always the same one, so that nothing is fetched twice. */
  inbox(local: string): Inbox {
    const inbox = this.#inboxes.get(local) ?? new Inbox(this.server(995), this.account(local));
    this.#inboxes.set(local, inbox);
    return inbox;
  }

  async queue(): Promise<readonly QueueEntry[]> {
    const out = await this.run(['queue', 'list', '--json']);
    return JSON.parse(out) as QueueEntry[];
  }

  async events(...search: readonly string[]): Promise<readonly RegisterEntry[]> {
    return JSON.parse(await this.run(['registro', 'search', '--json', ...search])) as RegisterEntry[];
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    const { ca, port } = this.server(443);
    for (const deadline = Date.now() + START; ; await sleep(50)) {
      if (child.exitCode !== null || child.signalCode !== null) {
        this.#process = undefined;
        throw new Error(`${this.name} ended at its start:\n${lastLines(this.#log)}`);
      }
      if ((await answerCode(port, ca)) === 200) return;
      if (Date.now() > deadline) throw new Error(`${this.name} is not ready:\n${lastLines(this.#log)}`);
    }
  }
}

/** The fields of `doctor --json`. */
interface Finding {
  readonly check: string;
  readonly result: string;
  readonly note: string;
}

/** What a gestore of the tests has for its own: a small disk, rows that wait or are held, a clock nobody measures. */
const USUAL = ['disk', 'queue', 'clock'];

/** The fields of `queue list --json` the tests look at. */
export interface QueueEntry {
  readonly recipient: string;
  readonly state: string;
  readonly identificativo: string;
  readonly attempts: number;
  readonly lastError: string | null;
}

/** The fields of `registro search --json` the tests look at. */
export interface RegisterEntry {
  readonly event: string;
  readonly identificativo: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly subject: string;
  readonly related: readonly string[];
  readonly gestore: string;
  readonly detail: Readonly<Record<string, string>>;
}

const lastLines = (log: string): string => log.split('\n').slice(-60).join('\n');

function answerCode(port: number, ca: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/readyz', ca, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', () => resolve(undefined));
  });
}

/** Alfa and beta know each other, trust each other's CA and route to each other. */
export interface Pair {
  readonly alfa: TestGestore;
  readonly beta: TestGestore;
}

export interface PairRequest {
  readonly alfa?: GestoreRequest;
  readonly beta?: GestoreRequest;
  /** Called before the servers start, when both have been made. */
  readonly prepare?: (pair: Pair) => Promise<void>;
}

/** Two gestori on loopback, running. Everything they are ends with the scope, the last made first. */
export async function twoGestori(scope: Scope, request: PairRequest = {}): Promise<Pair> {
  const releases: (() => Promise<void> | void)[] = [];
  scope.after(async () => {
    const failures: unknown[] = [];
    for (const release of releases.reverse()) {
      try {
        await release();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  });
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-e2e-'));
  releases.push(() => rmSync(folder, { recursive: true, force: true }));
  const make = async (which: keyof Pair, name: string, domain: string, mailboxes: readonly string[]) => {
    const { base, release } = await reservePorts();
    releases.push(release);
    const gestore = new TestGestore(name, domain, join(folder, which), base);
    releases.push(() => gestore.end());
    await prepare(gestore, { mailboxes, ...request[which] });
    return gestore;
  };
  const [alfa, beta] = await Promise.all([
    make('alfa', 'Alfa PEC S.p.A.', 'pec.alfa.example', ['anna', 'aldo']),
    make('beta', 'Beta PEC S.r.l.', 'pec.beta.example', ['bruno', 'berta']),
  ]);
  await Promise.all([introduce(alfa, beta), introduce(beta, alfa)]);
  await request.prepare?.({ alfa, beta });
  await Promise.all([alfa.start(), beta.start()]);
  return { alfa, beta };
}

async function prepare(
  gestore: TestGestore,
  { mailboxes, config = {} }: Required<Pick<GestoreRequest, 'mailboxes'>> & GestoreRequest,
): Promise<void> {
  await gestore.init();
  for (const [key, value] of Object.entries({ testing: 'true', ...config })) {
    await gestore.run(['config', 'set', key, value]);
  }
  for (const local of mailboxes) await gestore.addMailbox(local);
  const service = { address: gestore.address('ricevute'), password: 'parola-ricevute' };
  await gestore.run(['mailbox', 'passwd', service.address, '--password-stdin'], `${service.password}\n`);
  gestore.accounts.set('ricevute', service);
}

/** A step of a test on a running pair: when it fails, it says what the servers said meanwhile. */
export async function step(
  t: TestContext,
  { alfa, beta }: Pair,
  name: string,
  run: (t: TestContext) => Promise<void>,
  options: { readonly skip?: string | false } = {},
): Promise<void> {
  await t.test(name, options, async (context) => {
    const before = [alfa, beta].map(({ log }) => log.length);
    try {
      await run(context);
    } catch (error) {
      for (const [index, gestore] of [alfa, beta].entries()) {
        context.diagnostic(`${gestore.name}:\n${lastLines(gestore.log.slice(before[index]))}`);
      }
      throw error;
    }
  });
}

/** What `to` must know of `from` to exchange certified mail with it. */
async function introduce(from: TestGestore, to: TestGestore): Promise<void> {
  const record = join(from.dir, 'provider.ldif.p7m');
  await from.run(['directory', 'export', '--out', record]);
  await to.run(['directory', 'import', record, '--trust', from.caFile]);
  await addRoute(to, from.domain, from.port(25), from.caFile);
}

/** Sends a domain's mail to a port of loopback, believing a CA there. */
export async function addRoute(
  gestore: TestGestore,
  domain: string,
  port: number,
  caFile?: string,
): Promise<void> {
  const routes = await readKey(gestore, 'relay.routes');
  const route = { ...(routes as object), [domain]: `127.0.0.1:${port}` };
  await gestore.run(['config', 'set', 'relay.routes', JSON.stringify(route)]);
  if (caFile === undefined) return;
  const anchors = (await readKey(gestore, 'relay.tls_ca')) as string[];
  await gestore.run(['config', 'set', 'relay.tls_ca', JSON.stringify([...anchors, caFile])]);
}

async function readKey(gestore: TestGestore, key: string): Promise<unknown> {
  return JSON.parse(await gestore.run(['config', 'get', key, '--json']));
}

/** Waits until nothing waits to be sent in either; then whatever was to come has come. */
export async function settled({ alfa, beta }: Pair): Promise<void> {
  for (const deadline = Date.now() + SETTLE; ; await sleep(100)) {
    // What alfa takes from beta may call for answers: hence alfa twice.
    let waiting = 0;
    for (const gestore of [alfa, beta, alfa]) waiting += (await gestore.queue()).length;
    if (waiting === 0) return;
    if (Date.now() > deadline) {
      const rows = JSON.stringify([await alfa.queue(), await beta.queue()], null, 1);
      throw new Error(`the queues do not empty:\n${rows}`);
    }
  }
}
