import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EICAR } from './eicar.js';
import type { Scope } from './gestore.js';

/** Directives of clamd.conf beside those that every clamd of the tests has. */
export type ClamdLimits = Readonly<Record<string, string>>;

const ROOMY: ClamdLimits = { StreamMaxLength: '128M', MaxFileSize: '128M', MaxScanSize: '400M' };
/** Milliseconds: generous, since the machine may be busy. */
const START = 60_000;

/** How one differs from the others. */
export interface ClamdRequest {
  /** A port of loopback; a socket of the file system where not given. */
  readonly port?: number;
  /** Its signatures know nothing of the EICAR test file. */
  readonly blind?: boolean;
}

/** The real clamd, with a signature file that knows the EICAR test file wherever it stands. */
export class TestClamd {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ceralacca-clamd-'));
  #child: ChildProcess | undefined;

  constructor(private readonly request: ClamdRequest = {}) {}

  /** For `antivirus.clamd`. */
  get address(): string {
    const { port } = this.request;
    return port === undefined ? `unix:${this.#socket}` : `tcp://127.0.0.1:${port}`;
  }

  get #socket(): string {
    return join(this.#folder, 'clamd.ctl');
  }

  /** Starts it and waits until it answers. */
  async start(limits: ClamdLimits = {}): Promise<void> {
    assert.equal(this.#child, undefined, 'clamd runs already');
    const database = join(this.#folder, 'db');
    mkdirSync(database, { recursive: true });
    // Name:target type (0: any):offset (*: any):signature in hex.
    const known = this.request.blind === true ? 'no virus has these words' : EICAR;
    const signature = Buffer.from(known, 'latin1').toString('hex');
    writeFileSync(join(database, 'test.ndb'), `Test.EICAR:0:*:${signature}\n`);
    const { port } = this.request;
    const directives = {
      DatabaseDirectory: database,
      TemporaryDirectory: this.#folder,
      ...(port === undefined
        ? { LocalSocket: this.#socket }
        : { TCPSocket: String(port), TCPAddr: '127.0.0.1' }),
      Foreground: 'yes',
      ScanMail: 'yes',
      ...ROOMY,
      ...limits,
    };
    const file = join(this.#folder, 'clamd.conf');
    const lines = Object.entries(directives).map(([name, value]) => `${name} ${value}\n`);
    writeFileSync(file, lines.join(''));
    chmodSync(this.#folder, 0o755);
    const child = spawn('clamd', ['-c', file], { stdio: 'ignore' });
    this.#child = child;
    for (const deadline = Date.now() + START; !(await this.#answers()); await sleep(50)) {
      assert.equal(child.exitCode, null, 'clamd ended at its start');
      assert.ok(Date.now() < deadline, 'clamd does not come up');
    }
  }

  /** Ends it as an operator does, or as the kernel does. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT');
    await ended;
  }

  /** Its kernel goes on taking connections, and nobody answers. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const { port } = this.request;
      const socket = connect(port === undefined ? { path: this.#socket } : { port, host: '127.0.0.1' });
      socket.on('error', () => resolve(false));
      socket.on('data', (answer) => resolve(answer.toString().startsWith('PONG')));
      socket.on('close', () => resolve(false));
      socket.write('zPING\0');
    });
  }
}

/** One that runs, and ends with the scope. */
export async function runningClamd(
  scope: Scope,
  limits: ClamdLimits = {},
  request: ClamdRequest = {},
): Promise<TestClamd> {
  const clamd = new TestClamd(request);
  scope.after(() => clamd.remove());
  await clamd.start(limits);
  return clamd;
}
