import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { Connections } from '../limits/index.js';
import { type KeyPair, serverTls } from '../tls/index.js';
import { ConnectionLost } from './errors.js';
import { locksOf } from './locks.js';
import { defaultLimits, defaultTimeouts, type Pop3ServerOptions } from './options.js';
import { refusals } from './refusals.js';
import { type Peer, type Services, Session } from './session.js';

export interface Pop3Server {
  listen(port: number, address: string): Promise<AddressInfo>;
  /** New certificate for the handshakes to come. */
  reload(tls: KeyPair): void;
  /** Stops listening, lets running commands and deletions end, sends the others away with -ERR [SYS/TEMP]. */
  close(): Promise<void>;
  readonly connections: number;
}

/** A listener for POP3. Nothing is bound before `listen`. */
export function createPop3Server(options: Pop3ServerOptions): Pop3Server {
  return new Listener(options);
}

/** Milliseconds of silence before TCP asks whether the peer is still there. */
const KEEP_ALIVE = 60_000;

interface Handshake {
  readonly resolve: (socket: TLSSocket) => void;
  readonly reject: (error: Error) => void;
}

class Listener implements Pop3Server {
  readonly #services: Services;
  readonly #server: Server;
  /** Never listens: connections are put into it for their handshake, in both modes. */
  readonly #tls: TlsServer;
  readonly #handshakes = new Map<string, Handshake>();
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<Session>();
  readonly #connections: Pick<Connections, 'enter'>;
  #closing = false;

  constructor(options: Pop3ServerOptions) {
    const { accounts, mailstore, telemetry, hostname, mode } = options;
    const limits = { ...defaultLimits, ...options.limits };
    const timeouts = { ...defaultTimeouts, ...options.timeouts };
    this.#services = {
      accounts,
      mailstore,
      telemetry,
      hostname,
      mode,
      limits,
      timeouts,
      testing: options.testing ?? false,
      locks: options.locks ?? locksOf(mailstore),
      updates: new Set(),
      secure: (plain) => this.#handshake(plain),
    };
    this.#connections = options.connections ?? new Connections(undefined, telemetry);
    this.#tls = createTlsServer(serverTls(options.tls));
    this.#tls.on('secureConnection', (socket) => this.#handshakes.get(keyOf(socket))?.resolve(socket));
    this.#tls.on('tlsClientError', (error, socket) => {
      this.#handshakes.get(keyOf(socket))?.reject(error);
      socket.destroy();
    });
    // A client that has closed its side still gets the answers it asked for.
    this.#server = createServer({ allowHalfOpen: true });
    this.#server.on('connection', (socket) => this.#accept(socket));
    // Errors of accept (no file descriptors left): the listener stands.
    this.#server.on('error', (error) =>
      telemetry.event('session.failed', { protocol: 'pop3', peer: '', error: error.message }),
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

  reload(tls: KeyPair): void {
    this.#tls.setSecureContext(serverTls(tls));
  }

  async close(): Promise<void> {
    this.#closing = true;
    const gone = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await Promise.all([this.#sendAway(), ...gone]);
    await Promise.all(this.#services.updates);
  }

  #sendAway(): Promise<void> {
    return new Promise((resolve) => {
      const grace = setTimeout(() => this.#abort(), this.#services.timeouts.close);
      this.#server.close(() => {
        clearTimeout(grace);
        resolve();
      });
      for (const session of this.#sessions) session.leave();
      // Nobody has been greeted there yet.
      for (const { reject } of [...this.#handshakes.values()]) reject(new ConnectionLost('closing'));
    });
  }

  #abort(): void {
    for (const session of this.#sessions) session.abort();
  }

  #accept(socket: Socket): void {
    const { telemetry, mode } = this.#services;
    const peer: Peer = {
      address: plainAddress(socket.remoteAddress),
      session: randomBytes(6).toString('hex'),
    };
    const facts = { protocol: 'pop3', peer: peer.address, session: peer.session } as const;
    // Under TLS the session listens to the TLS socket; this one's errors show there too.
    socket.on('error', () => undefined);
    const entry = this.#connections.enter(facts);
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
    const greet = (ready: Socket, secure: boolean) => {
      if (socket.destroyed) return;
      const session = new Session(this.#services, peer, ready, secure);
      this.#sessions.add(session);
      socket.once('close', () => this.#sessions.delete(session));
      if (this.#closing) session.start(refusals.shuttingDown());
      else session.start(entry.kind === 'turned-away' ? refusals.tooManyConnections() : undefined);
    };
    if (mode === 'starttls') {
      greet(socket, false);
      return;
    }
    this.#handshake(socket).then(
      (secured) => greet(secured, true),
      (error: Error) => telemetry.event('session.failed', { ...facts, error: error.message }),
    );
  }

  /** Both ends of the connection name it until the TLS socket is there. */
  #handshake(plain: Socket): Promise<TLSSocket> {
    const key = keyOf(plain);
    // Of the whole handshake: Node's own handshakeTimeout is one of silence.
    let late: NodeJS.Timeout | undefined;
    return new Promise<TLSSocket>((resolve, reject) => {
      late = setTimeout(
        () => reject(new ConnectionLost('the TLS handshake did not end in time')),
        this.#services.timeouts.handshake,
      );
      if (plain.destroyed) throw new ConnectionLost('connection closed by the peer');
      plain.once('close', () => reject(new ConnectionLost('connection closed during the TLS handshake')));
      this.#handshakes.set(key, { resolve, reject });
      this.#tls.emit('connection', plain);
    })
      .catch((error: unknown) => {
        plain.destroy();
        throw error;
      })
      .finally(() => {
        clearTimeout(late);
        this.#handshakes.delete(key);
      });
  }
}

const keyOf = (socket: Socket): string => `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;

/** An IPv4 address as such, also where it came to an IPv6 socket. */
const plainAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=[0-9.]+$)/i, '');
