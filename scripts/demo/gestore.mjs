// One gestore of the demo: its folder, its commands, its server. Everything goes through bin/ceralacca.
import { spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../bin/ceralacca', import.meta.url));

/** What `init --ports BASE` adds to its base. */
export const offsets = { smtps: 465, submission: 587, mx: 25, pop3s: 995, imaps: 993, https: 443 };

const START_MS = 30_000;
const GRACE_MS = 10_000;

/** Runs bin/ceralacca to its end. */
export function ceralacca(args, stdin = '') {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end(stdin);
  });
}

/** The first base from `wanted` on whose six ports are free. */
export async function freeBase(wanted) {
  for (let base = wanted; base < 60_000; base += 1000) {
    const free = await Promise.all(Object.values(offsets).map((offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports / nessuna porta libera');
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}

export class Gestore {
  #child;

  constructor({ dir, name, domain, base }) {
    Object.assign(this, { dir, name, domain, base });
    this.configFile = join(dir, 'config', 'gestore.yaml');
    this.caFile = join(dir, 'certs', 'ca.pem');
    this.logFile = join(dir, 'server.log');
  }

  port(service) {
    return this.base + offsets[service];
  }

  get ca() {
    return readFileSync(this.caFile, 'utf8');
  }

  /** A command that must succeed; gives what it printed. */
  async run(args, stdin) {
    const { code, out, err } = await ceralacca([...args, '-c', this.configFile], stdin);
    if (code !== 0) throw new Error(`ceralacca ${args.join(' ')}: ${err.trim() || out.trim()}`);
    return out;
  }

  async init() {
    const args = ['--dir', this.dir, '--name', this.name, '--domain', this.domain];
    const { code, err } = await ceralacca(['init', ...args, '--ports', String(this.base)]);
    if (code !== 0) throw new Error(err.trim());
    await this.run(['config', 'set', 'testing', 'true']);
  }

  async addMailbox({ address, password }) {
    await this.run(['mailbox', 'add', address, '--password-stdin'], `${password}\n`);
  }

  /** Takes up another gestore: its directory record and CA, and where its port 25 is. */
  async know(other, record) {
    await this.run(['directory', 'import', record, '--trust', other.caFile]);
    const routes = JSON.stringify({ [other.domain]: `127.0.0.1:${other.port('mx')}` });
    await this.run(['config', 'set', 'relay.routes', routes]);
    await this.run(['config', 'set', 'relay.tls_ca', JSON.stringify([other.caFile])]);
  }

  /** Resolves when the server takes mail. */
  async start() {
    const child = spawn(process.execPath, [program, 'serve', '-c', this.configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const log = createWriteStream(this.logFile, { flags: 'a', mode: 0o600 });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    for (const deadline = Date.now() + START_MS; ; await sleep(50)) {
      if (child.exitCode !== null) throw new Error(`${this.name} ended:\n${this.lastWords()}`);
      if ((await this.#statusOf('/readyz')) === 200) return;
      if (Date.now() > deadline) throw new Error(`${this.name} is not ready:\n${this.lastWords()}`);
    }
  }

  /** Whether the server ended by itself. */
  get ended() {
    return this.#child !== undefined && this.#child.exitCode !== null;
  }

  lastWords() {
    return readFileSync(this.logFile, 'utf8').split('\n').slice(-20).join('\n');
  }

  /** Ends the server. `asked`: it has had its signal already, as after Ctrl-C at a terminal. */
  async stop({ asked = false } = {}) {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (asked) await Promise.race([ended, sleep(GRACE_MS / 4, undefined, { ref: false })]);
    child.kill('SIGTERM');
    const late = await Promise.race([ended.then(() => false), sleep(GRACE_MS, true, { ref: false })]);
    if (late) child.kill('SIGKILL');
    await ended;
  }

  #statusOf(path) {
    return new Promise((resolve) => {
      const request = get(
        { host: '127.0.0.1', port: this.port('https'), path, ca: this.ca, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      request.on('error', () => resolve(undefined));
    });
  }
}
