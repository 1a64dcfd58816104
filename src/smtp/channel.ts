import { isIP, type Socket } from 'node:net';
import { connect as connectTls, rootCertificates, type TLSSocket } from 'node:tls';
import { CLIENT_TLS } from '../tls/index.js';
import { type Reply, ReplyError, ReplyParser } from './reply.js';

/** Where in the dialogue something went wrong. */
export type Phase =
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'starttls'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'content'
  | 'final';

/** The dialogue with a peer cannot go on: connection lost, time over, no SMTP, or a reply that ends it. */
export class SmtpClientError extends Error {
  override readonly name = 'SmtpClientError';

  constructor(
    readonly phase: Phase,
    message: string,
    /** The peer's words, where it said something. */
    readonly reply?: Reply | undefined,
    cause?: unknown,
  ) {
    super(`${phase}: ${message}`, { cause });
  }
}

export interface TlsCheck {
  /** Whether the peer must prove its name. */
  readonly verify: boolean;
  /** PEM certificates believed beside those of the system. */
  readonly ca: readonly string[];
  /** The name, or address, the certificate must be for. */
  readonly name: string;
}

/** Replies that may wait at once: a transaction has one for each recipient and a few more. */
const MOST_REPLIES = 1024;

/** One socket's replies as a queue, its writes with their backpressure. Every failure reaches whoever waits. */
export class Channel {
  #socket: Socket;
  #parser = new ReplyParser();
  readonly #replies: Reply[] = [];
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  /** True while nothing failed and the peer has said nothing that was not asked for. */
  get quiet(): boolean {
    return (
      this.#failure === undefined &&
      this.#replies.length === 0 &&
      !this.#parser.partial &&
      this.#socket.writable
    );
  }

  get replyWaiting(): boolean {
    return this.#replies.length > 0;
  }

  /** The next reply. @throws SmtpClientError after `timeout` milliseconds of silence, or when the connection is gone */
  async reply(phase: Phase, timeout: number): Promise<Reply> {
    await this.#until(() => this.#replies.length > 0, phase, timeout);
    const reply = this.#replies.shift();
    if (reply === undefined) throw new SmtpClientError(phase, 'connection closed');
    return reply;
  }

  /** Writes; resolves when the socket takes more, or when the peer speaks before its turn. */
  async write(bytes: Buffer | string, phase: Phase, timeout: number): Promise<void> {
    this.#throwIfFailed(phase);
    const flowing = typeof bytes === 'string' ? this.#socket.write(bytes, 'utf8') : this.#socket.write(bytes);
    if (flowing) return;
    this.#socket.once('drain', () => this.#wake?.());
    await this.#until(() => !this.#socket.writableNeedDrain || this.#replies.length > 0, phase, timeout);
  }

  /**
   * The same connection under TLS 1.2 or later.
   * @throws SmtpClientError when the handshake or the certificate fails, and when the peer sent anything in clear after its
   * 220: that would be read as if it had come under TLS (RFC 3207 4.2)
   */
  async secure(check: TlsCheck, timeout: number): Promise<void> {
    if (!this.quiet) throw new SmtpClientError('starttls', 'data in clear after the reply to STARTTLS');
    const plain = this.#socket;
    plain.removeAllListeners('data');
    let ready = false;
    const tls = connectTls({
      socket: plain,
      host: check.name,
      ...CLIENT_TLS,
      rejectUnauthorized: check.verify,
      ...(check.ca.length > 0 ? { ca: [...rootCertificates, ...check.ca] } : {}),
      ...(isIP(check.name) === 0 ? { servername: check.name } : {}),
    });
    tls.once('secureConnect', () => {
      ready = true;
      this.#wake?.();
    });
    this.#socket = tls;
    this.#parser = new ReplyParser();
    this.#listen(tls);
    await this.#until(() => ready, 'starttls', timeout);
  }

  /** Protocol and cipher, once secured. */
  get tls(): { readonly version: string; readonly cipher: string } | undefined {
    const socket = this.#socket as Partial<TLSSocket>;
    const version = socket.getProtocol?.();
    return version ? { version, cipher: socket.getCipher?.().standardName ?? '' } : undefined;
  }

  /** Ends the connection once what was written is out; the other side's answer does not matter. */
  end(bytes: string): void {
    this.#failure ??= new Error('connection closed by us');
    this.#socket.setTimeout(5_000, () => this.#socket.destroy());
    this.#socket.end(bytes);
  }

  destroy(reason = 'connection closed by us'): void {
    this.#fail(new Error(reason));
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error: Error) => this.#fail(error));
    socket.on('end', () => this.#fail(new Error('connection closed by the peer')));
    socket.on('close', () => this.#fail(new Error('connection closed')));
  }

  #receive(chunk: Buffer): void {
    try {
      this.#replies.push(...this.#parser.push(chunk));
      if (this.#replies.length > MOST_REPLIES) throw new ReplyError('replies nobody asked for');
    } catch (error) {
      this.#fail(error instanceof ReplyError ? error : new ReplyError('unreadable reply', { cause: error }));
      this.#socket.destroy();
    }
    this.#wake?.();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  #throwIfFailed(phase: Phase): void {
    if (this.#failure !== undefined)
      throw new SmtpClientError(phase, this.#failure.message, undefined, this.#failure);
  }

  /** Waits for a condition that a socket event can make true. A reply that came before the failure still counts. */
  async #until(done: () => boolean, phase: Phase, timeout: number): Promise<void> {
    if (done()) return;
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      this.#wake?.();
    }, timeout);
    try {
      while (!done()) {
        this.#throwIfFailed(phase);
        if (expired) throw new SmtpClientError(phase, `no answer within ${timeout} ms`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }
}
