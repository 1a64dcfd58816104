/** Many clients, divided among a few processes, so that none needs a descriptor for each of them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Server } from '../support/mail-clients.js';
import type { Held, IdleSession, Order } from './flock-child.js';

const program = fileURLToPath(new URL('./flock-child.js', import.meta.url));

export class Flock {
  readonly #children: readonly ChildProcess[];

  constructor(processes: number) {
    this.#children = Array.from({ length: processes }, () => fork(program, { stdio: 'inherit' }));
  }

  /** Opens sessions that log in, select INBOX and wait in IDLE. */
  idle(server: Server, sessions: readonly IdleSession[]): Promise<Held> {
    return this.#all((share) => ({ kind: 'idle', server, sessions: sessions.filter(share) }));
  }

  /** Opens a connection from each of the addresses; it says nothing, or the handshake and nothing more. */
  silent(server: Server, secure: boolean, from: readonly string[]): Promise<Held> {
    return this.#all((share) => ({ kind: 'silent', server, secure, from: from.filter(share) }));
  }

  count(): Promise<Held> {
    return this.#all(() => ({ kind: 'count' }));
  }

  leave(): Promise<Held> {
    return this.#all(() => ({ kind: 'leave' }));
  }

  /** Ends the processes. */
  async end(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.disconnect();
        await ended;
      }),
    );
  }

  /** @param orderFor given what says whether the item at a place is one of this process's */
  async #all(orderFor: (share: (item: unknown, at: number) => boolean) => Order): Promise<Held> {
    const count = this.#children.length;
    const answers = await Promise.all(
      this.#children.map((child, mine) =>
        ask(
          child,
          orderFor((_, at) => at % count === mine),
        ),
      ),
    );
    const told: Record<string, number> = {};
    for (const held of answers) {
      for (const [address, times] of Object.entries(held.told)) told[address] = (told[address] ?? 0) + times;
    }
    return {
      open: answers.reduce((sum, { open }) => sum + open, 0),
      told,
      failures: answers.flatMap(({ failures }) => failures),
    };
  }
}

/** @throws Error when the process ends instead of answering */
function ask(child: ChildProcess, order: Order): Promise<Held> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`a process of clients ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (held: Held) => {
      child.off('exit', onExit);
      resolve(held);
    });
    child.send(order);
  });
}
