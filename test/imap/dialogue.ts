import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw } from 'node:zlib';
import { PASSWORD } from './support/imap-server.js';

/** A line end inside a response: within a literal, or before one. */
const BREAK = '¬';

/**
 * A raw IMAP dialogue: what is said octet by octet, what comes back response by response. A response is one string: the line
 * ends in it, those of literals, are shown as `¬`.
 */
export class Dialogue {
  #socket: Socket;
  #bytes = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;
  #tags = 0;
  #deflate: DeflateRaw | undefined;
  /** Octets that came since COMPRESS, as they went over the wire. */
  octetsHeard = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  static async open(
    port: number,
    how: { readonly tls?: boolean; readonly tlsVersion?: 'TLSv1.2' | undefined } = {},
  ): Promise<Dialogue> {
    const tls = how.tls ?? false;
    // A client that closes its side may still read (half-closed).
    const plain = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const socket = tls
      ? connectTls({ socket: plain, rejectUnauthorized: false, maxVersion: how.tlsVersion })
      : plain;
    await new Promise((resolve, reject) => {
      socket.once(tls ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    return new Dialogue(socket);
  }

  /** Greeted and logged in. */
  static async loggedIn(port: number, user: string): Promise<Dialogue> {
    const client = await Dialogue.open(port);
    await client.hear();
    await client.expect(`LOGIN ${user} ${PASSWORD}`);
    return client;
  }

  /** Logged in, with a folder open. */
  static async inFolder(port: number, user: string, folder = 'INBOX'): Promise<Dialogue> {
    const client = await Dialogue.loggedIn(port, user);
    await client.expect(`SELECT ${folder}`);
    return client;
  }

  get tlsSocket(): TLSSocket {
    return this.#socket as TLSSocket;
  }

  /** A string is Latin-1; no line end is added. */
  say(text: string | Buffer): void {
    const octets = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    if (this.#deflate === undefined) this.#socket.write(octets);
    else {
      this.#deflate.write(octets);
      this.#deflate.flush(constants.Z_SYNC_FLUSH);
    }
  }

  /** Octets as they go over the wire, compressed or not. */
  sayRaw(octets: Buffer): void {
    this.#socket.write(octets);
  }

  /** After the OK to COMPRESS. */
  startDeflate(): void {
    const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH });
    this.#socket.removeAllListeners('data').removeAllListeners('end');
    this.#socket.on('data', (chunk: Buffer) => {
      this.octetsHeard += chunk.length;
      inflate.write(chunk);
    });
    this.#socket.on('end', () => inflate.end());
    this.#listen(inflate);
    this.#deflate = createDeflateRaw();
    this.#deflate.on('data', (chunk: Buffer) => this.#socket.write(chunk));
  }

  /** The next response, its literals in it; 'closed' when there is none to come. */
  async hear(): Promise<string> {
    let response = '';
    for (;;) {
      const end = await this.#until('\r\n');
      if (end === undefined) return 'closed';
      const line = this.#take(end + 2).toString('latin1', 0, end);
      response += line;
      const literal = /\{([0-9]+)\}$/.exec(line);
      if (literal === null) return response;
      const size = Number(literal[1]);
      while (this.#bytes.length < size) {
        if (this.#ended) throw new Error('closed inside a literal');
        await this.#news();
      }
      response += BREAK + this.#take(size).toString('latin1').replace(/\r\n/g, BREAK);
    }
  }

  /** Responses up to the tagged one, which stands last without its tag. Literals are sent at once (LITERAL+). */
  async ask(command: string): Promise<string[]> {
    this.#tags += 1;
    const tag = `t${this.#tags}`;
    this.say(`${tag} ${command}\r\n`);
    return this.until(tag);
  }

  /** Responses up to the one with this tag. */
  async until(tag: string): Promise<string[]> {
    const responses: string[] = [];
    for (;;) {
      const heard = await this.hear();
      if (heard === 'closed') return [...responses, heard];
      if (heard.startsWith(`${tag} `)) return [...responses, heard.slice(tag.length + 1)];
      responses.push(heard);
    }
  }

  /** The untagged responses. @throws when the command is not answered OK */
  async expect(command: string): Promise<string[]> {
    const responses = await this.ask(command);
    if (!responses.at(-1)?.startsWith('OK')) throw new Error(`${command.slice(0, 80)}: ${responses.at(-1)}`);
    return responses.slice(0, -1);
  }

  /** The tagged response alone. */
  async answer(command: string): Promise<string> {
    return (await this.ask(command)).at(-1) ?? '';
  }

  async append(folder: string, message: string, flags = ''): Promise<string> {
    const octets = Buffer.from(message, 'latin1').length;
    return this.answer(`APPEND ${folder} ${flags}{${octets}+}\r\n${message}`);
  }

  /**
   * `C: line` and `S: expected` lines. An expectation that ends with `...` is a prefix; `S: (closed)` is the end. `¬` is a line
   * end on both sides. Answers what differed, or undefined.
   */
  async play(script: string): Promise<string | undefined> {
    const lines = script
      .trim()
      .split('\n')
      .map((text) => text.trim());
    for (const line of lines) {
      if (line.startsWith('C:')) this.say(`${line.slice(3).replaceAll(BREAK, '\r\n')}\r\n`);
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
      socket.once('close', () => reject(new Error('closed during the handshake')));
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

  #listen(socket: Readable): void {
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
