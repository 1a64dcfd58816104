import type { Socket } from 'node:net';
import type { SMTPServer } from 'smtp-server';
import type { Connections, Protocol } from '../limits/index.js';

export interface DoorOptions {
  readonly connections: Pick<Connections, 'enter'>;
  readonly protocol: Protocol;
}

/** A connection on its way from accept to its session. */
interface Caller {
  readonly turnedAway: boolean;
  readonly leave: () => void;
}

/** What a session must know of how it came in. */
export interface Passed {
  readonly turnedAway: boolean;
  /** To be called when the session is over; once is enough. */
  leave(): void;
}

/**
 * Stands between accept and smtp-server: who comes is counted before any handshake.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #callers = new Map<string, Caller>();

  constructor(server: SMTPServer, options: DoorOptions) {
    this.#options = options;
    const listeners = server.server.listeners('connection');
    server.server.removeAllListeners('connection');
    server.server.on('connection', (socket) => {
      if (this.#enter(socket)) for (const accept of listeners) accept.call(server.server, socket);
    });
  }

  /** The connection has reached its session; the TLS socket names the same peer as the one below it. */
  pass(socket: Socket): Passed {
    const key = keyOf(socket);
    const caller = this.#callers.get(key);
    this.#callers.delete(key);
    return { turnedAway: caller?.turnedAway ?? false, leave: caller?.leave ?? (() => undefined) };
  }

  #enter(socket: Socket): boolean {
    const { connections, protocol } = this.#options;
    const entry = connections.enter({ protocol, peer: plainAddress(socket.remoteAddress) });
    if (entry.kind === 'dropped') {
      socket.on('error', () => undefined);
      socket.destroy();
      return false;
    }
    const key = keyOf(socket);
    const caller: Caller = {
      turnedAway: entry.kind === 'turned-away',
      leave: () => entry.leave(),
    };
    this.#callers.set(key, caller);
    // STARTTLS takes every listener off this socket; then the session tells when it is over.
    socket.once('close', () => {
      if (this.#callers.get(key) === caller) this.#callers.delete(key);
      entry.leave();
    });
    return true;
  }
}

const keyOf = (socket: Socket): string => `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;

const plainAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=[0-9.]+$)/i, '');
