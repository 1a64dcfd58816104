/**
 * A connection whose octets are compressed both ways (RFC 4978). Whoever writes finds each write flushed; what comes is inflated in small
 * pieces and only as it is read, so that octets which swell wait outside as any others do.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';
import { ConnectionLost } from './connection-lost.js';

type Callback = (error?: Error | null) => void;

export class Deflated extends Duplex {
  readonly #socket: Socket;
  readonly #deflate = createDeflateRaw();
  // A client may close without an end of its stream.
  readonly #inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
  /** We have closed our side: what still comes is not looked at. */
  #over = false;

  /** @param socket nobody else listens to its octets any more, and none of them was read */
  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    const inflate = this.#inflate;
    const deflate = this.#deflate;
    socket.on('data', (chunk: Buffer) => {
      if (!this.#over && !inflate.write(chunk)) socket.pause();
    });
    socket.on('end', () => (this.#over ? this.push(null) : inflate.end()));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    inflate.on('drain', () => socket.resume());
    inflate.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) inflate.pause();
    });
    inflate.on('end', () => this.push(null));
    inflate.on('error', (cause) => this.destroy(new ConnectionLost('no deflated octets', { cause })));
    deflate.on('data', (chunk: Buffer) => socket.write(chunk));
    deflate.on('error', (error) => this.destroy(error));
    inflate.pause();
    socket.resume();
  }

  override _read(): void {
    this.#inflate.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Callback): void {
    this.#deflate.write(chunk);
    this.#deflate.flush(constants.Z_SYNC_FLUSH, () => this.#drained(done));
  }

  /** Called when the peer can be given more. */
  #drained(done: Callback): void {
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', () => done());
    else done();
  }

  override _final(done: Callback): void {
    this.#over = true;
    this.#inflate.close();
    this.#socket.resume();
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: Callback): void {
    this.#inflate.close();
    this.#deflate.close();
    this.#socket.destroy();
    done(error);
  }
}
