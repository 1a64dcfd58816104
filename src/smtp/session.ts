/**
 * smtp-server's connection with Ceralacca's manners: no delay before the greeting, every reply worded and coded by us,
 * addresses kept as written, AUTH not offered where a password would travel in clear. It leans on members that the library
 * declares but does not document (`init`, `send`, `_onCommand`, `_armTimeout`, `_dataStream`...): its version is pinned.
 */
import type { Socket } from 'node:net';
import { finished, type Writable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { SMTPServer, SMTPServerSession } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection';
import type { Passed } from './door.js';
import { replyFor } from './errors.js';
import { parsePathCommand } from './path.js';
import { refusals } from './refusals.js';
import { reword } from './wording.js';

/** What a session must know of its listener. Times are milliseconds. */
export interface SessionRules {
  /** How long a whole DATA may last. */
  readonly dataTimeout: number;
  /** How long a whole command may take to come, octet by octet or not at all (RFC 5321 4.5.3.2.7). */
  readonly commandTimeout: number;
  /** Of a TLS handshake after STARTTLS. */
  readonly handshakeTimeout: number;
  /** How long a client may stay without handing in a message. */
  readonly sessionTimeout: number;
  /** So many octets of a message must come in so many milliseconds. */
  readonly pace: Pace;
  /** 5xx replies a client may collect before it is sent away. */
  readonly maxErrors: number;
  /** Logins that fail or have to wait before it is sent away. */
  readonly maxLogins: number;
  /** Commands that bring no message further, between two messages. */
  readonly maxIdleCommands: number;
  /** RCPT commands a message may have, told to the client (RFC 9422). */
  readonly recipients: number;
  readonly insecureAuth: boolean;
  /** Before 354. @throws SmtpError to refuse instead */
  begin(session: SMTPServerSession): void;
}

/** The slowest a message may come. */
export interface Pace {
  readonly octets: number;
  readonly milliseconds: number;
}

/** They bring no message further. */
const IDLE_COMMANDS = new Set(['NOOP', 'RSET', 'HELO', 'EHLO', 'VRFY', 'EXPN', 'HELP']);

type AddressCommand = ReturnType<SMTPConnection['_parseAddressCommand']>;

export class Session extends SMTPConnection {
  readonly #rules: SessionRules;
  readonly #passed: Passed;
  #errors = 0;
  #logins = 0;
  #idleCommands = 0;
  #deadline: NodeJS.Timeout | undefined;
  /** Of the monotonic clock: the last message, or the beginning. */
  #lastMessage = performance.now();

  constructor(
    server: SMTPServer,
    socket: Socket | TLSSocket,
    options: object | undefined,
    rules: SessionRules,
    passed: Passed,
  ) {
    super(server, socket, options);
    this.#rules = rules;
    this.#passed = passed;
  }

  // The library waits 100 ms here to catch those who talk before the greeting; it costs every new connection of an honest
  // gestore, and who talks too soon is caught all the same.
  override init(): void {
    this._setListeners(() => {
      if (this.#passed.turnedAway) {
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
    if (code >= 400 && code !== 421) this.#errors += 1;
    if (code === 535 || code === 454) this.#logins += 1;
    const { maxErrors, maxLogins } = this.#rules;
    if (code >= 400 && code !== 421 && (this.#errors >= maxErrors || this.#logins >= maxLogins)) {
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
    this.#passed.leave();
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

  override _onCommand(command: Buffer, callback?: () => void): void {
    const verb = command.toString('latin1', 0, 5).trim().split(' ')[0]?.toUpperCase() ?? '';
    if (!this._nextHandler && IDLE_COMMANDS.has(verb)) this.#idleCommands += 1;
    if (this.#idleCommands > this.#rules.maxIdleCommands)
      this.send(421, 'Error: too many unrecognized commands');
    else super._onCommand(command, callback);
  }

  override handler_DATA(command: Buffer, callback: () => void): void {
    if (this.session.envelope.rcptTo.length > 0 && this._parser) {
      try {
        this.#rules.begin(this.session);
      } catch (error) {
        const reply = replyFor(error);
        this.send(reply.code, reply.text, false);
        callback();
        return;
      }
    }
    super.handler_DATA(command, callback);
    this.#idleCommands = 0;
    const stream = this._dataStream;
    if (!stream) return;
    const deadline = setTimeout(() => this.send(421, 'Timeout'), this.#rules.dataTimeout);
    const pace = this.#keepPace(stream);
    finished(stream, () => {
      clearTimeout(deadline);
      clearInterval(pace);
      this.#lastMessage = performance.now();
    });
  }

  /** Ends a message that hardly comes. Where it is we who are slow to take it, nobody is blamed. */
  #keepPace(stream: Writable): NodeJS.Timeout {
    const { octets, milliseconds } = this.#rules.pace;
    const parser = this._parser;
    let before = 0;
    return setInterval(() => {
      const now = parser === false ? 0 : parser.dataBytes;
      if (!stream.writableEnded && !stream.writableNeedDrain && now - before < octets)
        this.send(421, 'Timeout');
      before = now;
    }, milliseconds);
  }

  /** Inside STARTTLS the library arms the TLS socket, which nobody else can reach. */
  override _armTimeout(socket = this._socket): void {
    super._armTimeout(socket);
    if (socket === this._socket) return;
    const deadline = setTimeout(() => socket.destroy(), this.#rules.handshakeTimeout);
    socket.once('secure', () => clearTimeout(deadline));
    socket.once('close', () => clearTimeout(deadline));
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
