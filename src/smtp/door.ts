import type { Socket } from 'node:net';
import type { SMTPServer } from 'smtp-server';
import type { Connections, Protocol } from '../limits/index.js';

export interface DoorOptions {
  readonly connections: Pick<Connections, 'enter'>;
  readonly protocol: Protocol;
  /** Milliseconds a TLS handshake before the first octet of SMTP may last; undefined where there is none. */
  readonly handshake: number | undefined;
}

/** A connection on its way from accept to its session. */
interface Caller {
  readonly turnedAway: boolean;
  readonly leave: () => void;
  readonly handshake: NodeJS.Timeout | undefined;
}

/** What a session must know of how it came in. */
export interface Passed {
  readonly turnedAway: boolean;
  /** To be called when the session is over; once is enough. */
  leave(): void;
}

/**
 * Stands between accept and smtp-server: who comes is counted before any handshake, and a handshake that does not end is
 * ended, however busily octets drip in. It leans on the library's `_pendingSockets`: its version is pinned.
 */
export class Door {
  readonly #server: SMTPServer;
  readonly #options: DoorOptions;
  readonly #callers = new Map<string, Caller>();

  constructor(server: SMTPServer, options: DoorOptions) {
    this.#server = server;
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
    clearTimeout(caller?.handshake);
    return { turnedAway: caller?.turnedAway ?? false, leave: caller?.leave ?? (() => undefined) };
  }

  #enter(socket: Socket): boolean {
    const { connections, protocol, handshake } = this.#options;
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
      handshake: handshake === undefined ? undefined : setTimeout(() => this.#cut(socket), handshake),
    };
    this.#callers.set(key, caller);
    // STARTTLS takes every listener off this socket; then the session tells when it is over.
    socket.once('close', () => {
      clearTimeout(caller.handshake);
      if (this.#callers.get(key) === caller) this.#callers.delete(key);
      entry.leave();
    });
    return true;
  }

  /** The topmost socket first: a TLS layer in the middle of a handshake must not lose what it stands on. */
  #cut(socket: Socket): void {
    (this.#server._pendingSockets.get(socket) ?? socket).destroy();
  }
}

const keyOf = (socket: Socket): string => `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;

const plainAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=[0-9.]+$)/i, '');
