import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

/** A raw POP3 dialogue: what is said octet by octet, what comes back line by line. */
export class Dialogue {
  #socket: Socket;
  #bytes = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  static async open(port: number, how: { readonly tls?: boolean } = {}): Promise<Dialogue> {
    const tls = how.tls ?? true;
    // A client that closes its side may still read (half-closed).
    const plain = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const socket = tls ? connectTls({ socket: plain, rejectUnauthorized: false }) : plain;
    await new Promise((resolve, reject) => {
      socket.once(tls ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    return new Dialogue(socket);
  }

  get tlsSocket(): TLSSocket {
    return this.#socket as TLSSocket;
  }

  say(text: string | Buffer): void {
    this.#socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** The next line without its CRLF; 'closed' when there is none to come. */
  async hear(): Promise<string> {
    const end = await this.#until('\r\n');
    return end === undefined
      ? 'closed'
      : this.#take(end + 2)
          .subarray(0, end)
          .toString('latin1');
  }

  /** The lines up to the final dot, as they came: stuffed, with the CRLF of the last. */
  async hearBody(): Promise<Buffer> {
    if ((await this.#until('\r\n')) === 1 && this.#bytes[0] === 0x2e) {
      this.#take(3);
      return Buffer.alloc(0);
    }
    const end = await this.#until('\r\n.\r\n');
    if (end === undefined) throw new Error('closed inside an answer');
    return this.#take(end + 5).subarray(0, end + 2);
  }

  async ask(line: string): Promise<string> {
    this.say(`${line}\r\n`);
    return this.hear();
  }

  /** An answer of several lines, the stuffing taken away again. */
  async askBody(line: string): Promise<string> {
    const status = await this.ask(line);
    if (!status.startsWith('+OK')) throw new Error(`${line}: ${status}`);
    return unstuffed(await this.hearBody());
  }

  /**
   * `C: line` and `S: expected` lines. An expectation that ends with `...` is a prefix; `S: (closed)` is the end.
   * Answers what differed, or undefined.
   */
  async play(script: string): Promise<string | undefined> {
    const lines = script
      .trim()
      .split('\n')
      .map((text) => text.trim());
    for (const line of lines) {
      if (line.startsWith('C:')) this.say(`${line.slice(3)}\r\n`);
      if (!line.startsWith('S:')) continue;
      const expected = line.slice(3);
      const heard = await this.hear();
      const fits =
        expected === '(closed)'
          ? heard === 'closed'
          : expected.endsWith('...')
            ? heard.startsWith(expected.slice(0, -3))
            : heard.trimEnd() === expected;
      if (!fits) return `expected "${expected}", heard "${heard}"`;
    }
    return undefined;
  }

  async startTls(): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners('data');
    const socket = connectTls({ socket: plain, rejectUnauthorized: false });
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    this.#socket = socket;
    this.#listen(socket);
  }

  /** Nothing more is taken from the network until `readOn`. */
  stopReading(): void {
    this.#socket.pause();
  }

  readOn(): void {
    this.#socket.resume();
  }

  /** Closes our side only. */
  finish(): void {
    this.#socket.end();
  }

  /** Resolves when the connection is gone. */
  async gone(): Promise<void> {
    while (!this.#ended) await this.#news();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  async #until(mark: string): Promise<number | undefined> {
    let from = 0;
    for (;;) {
      const at = this.#bytes.indexOf(mark, from, 'latin1');
      if (at !== -1) return at;
      if (this.#ended) return undefined;
      from = Math.max(0, this.#bytes.length - mark.length);
      await this.#news();
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #listen(socket: Socket): void {
    let chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      // Joined a turn later: a large message comes in hundreds of pieces.
      if (chunks.length > 1) return;
      setImmediate(() => {
        this.#bytes = Buffer.concat([this.#bytes, ...chunks]);
        chunks = [];
        this.#wake?.();
      });
    });
    const end = () =>
      setImmediate(() => {
        this.#ended = true;
        this.#wake?.();
      });
    socket.on('end', end).on('close', end).on('error', end);
  }
}

/** What a client makes of stuffed lines. */
export const unstuffed = (bytes: Buffer): string => bytes.toString('latin1').replace(/^\./gm, '');
