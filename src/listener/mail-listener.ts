import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Connections } from '../limits/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { KeyPair } from '../tls/index.js';
import { ConnectionLost } from './connection-lost.js';
import { Handshakes } from './handshakes.js';

/** Who is at the other end. */
export interface Peer {
  /** IP address. */
  readonly address: string;
  /** Id of the connection, for the log. */
  readonly session: string;
}

/** A connection that may be spoken on. */
export interface Accepted {
  readonly peer: Peer;
  readonly socket: Socket;
  /** Whether it is under TLS already. */
  readonly secure: boolean;
  /** TLS over a connection that speaks plain; rejects when the handshake fails. */
  secureSocket(plain: Socket): Promise<Socket>;
}

/** Why a client is greeted with a refusal. */
export type TurnedAway = 'too-many' | 'closing';

/** The dialogue of one connection. */
export interface MailSession {
  /** Greets, or turns the client away. */
  start(turnedAway?: TurnedAway): void;
  /** The listener closes: ends after the command that runs, at once when none does. */
  leave(): void;
  /** Ends without a word; what is being committed is committed. */
  abort(): void;
}

export interface MailListenerOptions {
  readonly protocol: 'imap' | 'pop3';
  /** implicit: TLS from the first octet. starttls: in clear until the client asks for TLS. */
  readonly mode: 'implicit' | 'starttls';
  readonly tls: KeyPair;
  readonly telemetry: Pick<Telemetry, 'event'>;
  /** The door that all listeners share. */
  readonly connections: Pick<Connections, 'enter'>;
  /** Milliseconds: of the TLS handshake, and for running commands when the listener closes. */
  readonly timeouts: { readonly handshake: number; readonly close: number };
  /** A session for a connection; `start` is called next. */
  readonly open: (accepted: Accepted) => MailSession;
}

/** Milliseconds of silence before TCP asks whether the peer is still there. */
const KEEP_ALIVE = 60_000;

/** The port of a mailbox protocol. Nothing is bound before `listen`. */
export class MailListener {
  readonly #options: MailListenerOptions;
  readonly #server: Server;
  readonly #handshakes: Handshakes;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<MailSession>();
  #closing = false;

  constructor(options: MailListenerOptions) {
    const { telemetry, protocol, tls, timeouts } = options;
    this.#options = options;
    this.#handshakes = new Handshakes(tls, timeouts.handshake);
    // A client that has closed its side still gets the answers it asked for.
    this.#server = createServer({ allowHalfOpen: true });
    this.#server.on('connection', (socket) => this.#accept(socket));
    // Errors of accept (no file descriptors left): the listener stands.
    this.#server.on('error', (error) =>
      telemetry.event('session.failed', { protocol, peer: '', error: error.message }),
    );
  }

  get connections(): number {
    return this.#sockets.size;
  }

  listen(port: number, address: string): Promise<AddressInfo> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host: address }, () => {
        server.off('error', reject);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  /** New certificate for the handshakes to come. */
  reload(tls: KeyPair): void {
    this.#handshakes.reload(tls);
  }

  /** Stops listening, lets running commands end, sends the others away. */
  async close(): Promise<void> {
    this.#closing = true;
    const gone = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await Promise.all([this.#sendAway(), ...gone]);
  }

  #sendAway(): Promise<void> {
    return new Promise((resolve) => {
      const grace = setTimeout(() => this.#abort(), this.#options.timeouts.close);
      this.#server.close(() => {
        clearTimeout(grace);
        resolve();
      });
      for (const session of this.#sessions) session.leave();
      // Nobody has been greeted there yet.
      this.#handshakes.abandon(new ConnectionLost('closing'));
    });
  }

  #abort(): void {
    for (const session of this.#sessions) session.abort();
  }

  #accept(socket: Socket): void {
    const { telemetry, mode, protocol, connections } = this.#options;
    const peer: Peer = {
      address: plainAddress(socket.remoteAddress),
      session: randomBytes(6).toString('hex'),
    };
    const facts = { protocol, peer: peer.address, session: peer.session } as const;
    // Under TLS the session listens to the TLS socket; this one's errors show there too.
    socket.on('error', () => undefined);
    const entry = connections.enter(facts);
    if (entry.kind === 'dropped') {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    // A peer that vanished must not hold its mailbox for the whole idle time.
    socket.setKeepAlive(true, KEEP_ALIVE);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      entry.leave();
    });
    const full = entry.kind === 'turned-away';
    if (mode === 'starttls') {
      this.#greet(socket, { peer, socket, secure: false, full });
      return;
    }
    this.#handshakes.secure(socket).then(
      (secured) => this.#greet(socket, { peer, socket: secured, secure: true, full }),
      (error: Error) => telemetry.event('session.failed', { ...facts, error: error.message }),
    );
  }

  #greet(
    plain: Socket,
    { full, ...accepted }: Omit<Accepted, 'secureSocket'> & { readonly full: boolean },
  ): void {
    if (plain.destroyed) return;
    const session = this.#options.open({
      ...accepted,
      secureSocket: (socket) => this.#handshakes.secure(socket),
    });
    this.#sessions.add(session);
    plain.once('close', () => this.#sessions.delete(session));
    if (this.#closing) session.start('closing');
    else if (full) session.start('too-many');
    else session.start();
  }
}

/** An IPv4 address as such, also where it came to an IPv6 socket. */
const plainAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=[0-9.]+$)/i, '');
