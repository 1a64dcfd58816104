import type { Socket } from 'node:net';
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { type KeyPair, serverTls } from '../tls/index.js';
import { ConnectionLost } from './connection-lost.js';

interface Waiting {
  readonly resolve: (socket: TLSSocket) => void;
  readonly reject: (error: Error) => void;
}

/** TLS over connections that are open already: the same for ports under TLS and for those that change over. */
export class Handshakes {
  /** Never listens: connections are put into it. */
  readonly #server: TlsServer;
  readonly #waiting = new Map<string, Waiting>();
  readonly #timeout: number;

  /** @param timeout milliseconds for a handshake from its first octet to its last */
  constructor(tls: KeyPair, timeout: number) {
    this.#timeout = timeout;
    this.#server = createServer(serverTls(tls));
    this.#server.on('secureConnection', (socket) => this.#waiting.get(keyOf(socket))?.resolve(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      this.#waiting.get(keyOf(socket))?.reject(error);
      socket.destroy();
    });
  }

  /** New certificate for the handshakes to come. */
  reload(tls: KeyPair): void {
    this.#server.setSecureContext(serverTls(tls));
  }

  /** Ends those that are under way. */
  abandon(reason: Error): void {
    for (const { reject } of [...this.#waiting.values()]) reject(reason);
  }

  /** Both ends of the connection name it until the TLS socket is there. @throws Error, the connection is closed then */
  secure(plain: Socket): Promise<TLSSocket> {
    const key = keyOf(plain);
    // Of the whole handshake: Node's own handshakeTimeout is one of silence.
    let late: NodeJS.Timeout | undefined;
    return new Promise<TLSSocket>((resolve, reject) => {
      late = setTimeout(
        () => reject(new ConnectionLost('the TLS handshake did not end in time')),
        this.#timeout,
      );
      if (plain.destroyed) throw new ConnectionLost('connection closed by the peer');
      plain.once('close', () => reject(new ConnectionLost('connection closed during the TLS handshake')));
      this.#waiting.set(key, { resolve, reject });
      this.#server.emit('connection', plain);
    })
      .catch((error: unknown) => {
        plain.destroy();
        throw error;
      })
      .finally(() => {
        clearTimeout(late);
        this.#waiting.delete(key);
      });
  }
}

const keyOf = (socket: Socket): string => `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
