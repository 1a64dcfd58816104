/**
 * smtp-server's connection with Ceralacca's manners: no delay before the greeting, every reply worded and coded by us,
 * addresses kept as written, AUTH not offered where a password would travel in clear. It leans on members that the library
 * declares but does not document (`init`, `send`, `_parseAddressCommand`, `_dataStream`): its version is pinned.
 */
import type { Socket } from 'node:net';
import { finished } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection';
import { replyFor } from './errors.js';
import { parsePathCommand } from './path.js';
import { refusals } from './refusals.js';
import { reword } from './wording.js';

/** What a session must know of its listener. */
export interface SessionRules {
  /** How long a whole DATA may last, milliseconds. */
  readonly dataTimeout: number;
  /** How long a whole command may take to come, octet by octet or not at all, milliseconds (RFC 5321 4.5.3.2.7). */
  readonly commandTimeout: number;
  /** How long a client may stay without handing in a message, milliseconds. */
  readonly sessionTimeout: number;
  /** 5xx replies a client may collect before it is sent away. */
  readonly maxErrors: number;
  /** RCPT commands a message may have, told to the client (RFC 9422). */
  readonly recipients: number;
  readonly insecureAuth: boolean;
}

/** Wrong passwords a connection may try: each weighs as many errors as that takes. */
const MAX_LOGINS = 5;

type AddressCommand = ReturnType<SMTPConnection['_parseAddressCommand']>;

export class Session extends SMTPConnection {
  readonly #rules: SessionRules;
  #errors = 0;
  #deadline: NodeJS.Timeout | undefined;
  /** Of the monotonic clock: the last message, or the beginning. */
  #lastMessage = performance.now();

  constructor(
    server: SMTPServer,
    socket: Socket | TLSSocket,
    options: object | undefined,
    rules: SessionRules,
  ) {
    super(server, socket, options);
    this.#rules = rules;
  }

  // The library waits 100 ms here to catch those who talk before the greeting; it costs every new connection of an honest
  // gestore, and who talks too soon is caught all the same.
  override init(): void {
    this._setListeners(() => {
      const { maxClients } = this._server.options;
      if (maxClients !== undefined && this._server.connections.size > maxClients) {
        const reply = replyFor(refusals.tooManyConnections());
        this.send(reply.code, reply.text, false);
        return;
      }
      this.connectionReady();
    });
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    this.#gather(code);
    if (Array.isArray(data)) super.send(code, this.#capabilities(code, data), context);
    else {
      const reply = reword(code, data ?? '', context);
      if (reply === undefined) super.send(code, data, context);
      else super.send(reply.code, reply.text, false);
    }
    if (code >= 500) this.#errors += code === 535 ? this.#rules.maxErrors / MAX_LOGINS : 1;
    if (code >= 500 && this.#errors >= this.#rules.maxErrors) {
      super.send(421, '4.7.0 Troppi errori / Too many errors', false);
    } else if (code !== 421 && code !== 354 && this.closing && !this.busy) {
      super.send(421, '4.3.2 Servizio in arresto / Service shutting down', false);
    } else if (code !== 421 && code !== 354 && !this._dataStream && this.#overstays()) {
      super.send(421, '4.4.2 Sessione troppo lunga / Session takes too long', false);
    }
    this.#awaitCommand();
  }

  /** The library's own timeout begins anew with every octet: one in a while would hold the connection for ever. */
  #awaitCommand(): void {
    clearTimeout(this.#deadline);
    if (this._closing) return;
    this.#deadline = setTimeout(() => {
      if (!this.busy) this.send(421, 'Timeout');
    }, this.#rules.commandTimeout);
    this.#deadline.unref();
  }

  #overstays(): boolean {
    return performance.now() - this.#lastMessage > this.#rules.sessionTimeout;
  }

  override _onClose(): void {
    clearTimeout(this.#deadline);
    super._onClose();
  }

  /**
   * The replies to commands that came in one segment leave in one segment (RFC 2920 3.2): each write of its own is a TLS
   * record and a system call. What ends or changes the connection leaves at once.
   */
  #gather(code: number): void {
    const socket = this._socket;
    if (code === 220 || code === 221 || code === 421) {
      while (socket.writableCorked > 0) socket.uncork();
    } else if (socket.writableCorked === 0) {
      socket.cork();
      setImmediate(() => socket.uncork());
    }
  }

  /** True while the client waits for us, or we for its message: the moment not to be cut short. */
  get busy(): boolean {
    return Boolean(this._dataStream) || this._handlerPending;
  }

  /** True once the listener is closing: the next reply is the last. */
  get closing(): boolean {
    return this._server._closeTimeout !== false;
  }

  override handler_DATA(command: Buffer, callback: () => void): void {
    super.handler_DATA(command, callback);
    const stream = this._dataStream;
    if (!stream) return;
    const deadline = setTimeout(() => this.send(421, 'Timeout'), this.#rules.dataTimeout);
    finished(stream, () => {
      clearTimeout(deadline);
      this.#lastMessage = performance.now();
    });
  }

  override _parseAddressCommand(name: string, command: Buffer | string): AddressCommand {
    const line = command.toString();
    const colon = line.indexOf(':');
    if (line.slice(0, colon).trim().toUpperCase().replace(/\s+/g, ' ') !== name.toUpperCase()) return false;
    const path = parsePathCommand(line.slice(colon + 1).trim());
    if (path === undefined) return false;
    const args = path.parameters.size === 0 ? false : Object.fromEntries(path.parameters);
    return {
      address: path.address,
      args,
      ...(path.duplicate === undefined ? {} : { duplicate: path.duplicate }),
    };
  }

  /** The EHLO answer: AUTH only where it may be used (RFC 4954 4), and how many recipients a message may have. */
  #capabilities(code: number, lines: string[]): string[] {
    if (code !== 250 || !lines.includes('PIPELINING')) return lines;
    const mayAuthenticate = this.secure || this.#rules.insecureAuth;
    const offered = lines.filter((line) => mayAuthenticate || !line.startsWith('AUTH '));
    return [...offered, `LIMITS RCPTMAX=${this.#rules.recipients}`];
  }
}
