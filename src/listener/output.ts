import type { Writable } from 'node:stream';
import { ConnectionLost } from './connection-lost.js';

/** Octets gathered before they are written: small answers to pipelined commands leave together. */
const GATHER = 64 * 1024;
/** Octets the socket may hold before the session waits for the peer. */
const UNSENT = 256 * 1024;

/** The way out: gathers small pieces, and waits for a peer that reads slowly, but not for ever. */
export class Output {
  readonly #socket: Writable;
  readonly #timeout: number;
  #pieces: Buffer[] = [];
  /** Words after the last piece: many short ones become octets at once. */
  #words = '';
  #gathered = 0;

  /** @param timeout milliseconds in which the peer has to take what waits */
  constructor(socket: Writable, timeout: number) {
    this.#socket = socket;
    this.#timeout = timeout;
  }

  /** True when nothing waits to be written. */
  get empty(): boolean {
    return this.#gathered === 0;
  }

  /** True when `flush` is due. */
  get full(): boolean {
    return this.#gathered >= GATHER;
  }

  /** A string is Latin-1. */
  add(bytes: Buffer | string): void {
    if (bytes.length === 0) return;
    this.#gathered += bytes.length;
    if (typeof bytes === 'string') {
      this.#words += bytes;
      return;
    }
    this.#endWords();
    this.#pieces.push(bytes);
  }

  #endWords(): void {
    if (this.#words === '') return;
    this.#pieces.push(Buffer.from(this.#words, 'latin1'));
    this.#words = '';
  }

  /** Writes what was gathered; resolves when there is room for more. @throws ConnectionLost */
  async flush(): Promise<void> {
    if (this.#gathered > 0) {
      this.#endWords();
      const [first] = this.#pieces;
      const bytes = this.#pieces.length === 1 && first ? first : Buffer.concat(this.#pieces, this.#gathered);
      this.#pieces = [];
      this.#gathered = 0;
      if (!this.#socket.writable) throw new ConnectionLost('connection closed by the peer');
      this.#socket.write(bytes);
    }
    if (this.#socket.writableLength > UNSENT) await this.#drained();
  }

  #drained(): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer);
        socket.off('drain', onDrain);
        socket.off('close', onClose);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onDrain = () => settle();
      const onClose = () => settle(new ConnectionLost('connection closed by the peer'));
      const timer = setTimeout(
        () => settle(new ConnectionLost(`the peer did not read for ${this.#timeout} ms`)),
        this.#timeout,
      );
      socket.on('drain', onDrain);
      socket.on('close', onClose);
      if (socket.destroyed) onClose();
    });
  }
}
