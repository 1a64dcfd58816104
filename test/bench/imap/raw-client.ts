/**
 * A client that costs next to nothing: it counts octets into one buffer it uses again, and looks only for the last line.
 * Whoever measures a server with it does not measure the client.
 */
import { connect, type Socket } from 'node:net';

const BUFFER = 256 * 1024;
/** Octets of a last line. */
const TAIL = 512;
/** Milliseconds: reached only when a server hangs. */
const PATIENCE = 300_000;

interface Awaited {
  readonly tag: string;
  resolve(): void;
  reject(error: Error): void;
}

export class RawClient {
  readonly #socket: Socket;
  #tail = Buffer.alloc(0);
  #octets = 0;
  #kept: Buffer[] | undefined;
  #awaited: Awaited | undefined;
  #number = 0;

  private constructor(port: number) {
    const buffer = Buffer.allocUnsafe(BUFFER);
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer,
        callback: (length) => {
          this.#take(buffer.subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => this.#awaited?.reject(error));
    this.#socket.on('close', () => this.#awaited?.reject(new Error('the server closed the connection')));
  }

  /** Connected and greeted. */
  static async open(port: number): Promise<RawClient> {
    const client = new RawClient(port);
    await client.#until('*');
    return client;
  }

  /** One command, answered OK. @returns octets of the answer */
  async command(text: string | Buffer): Promise<number> {
    this.#number += 1;
    const tag = `bench${this.#number}`;
    this.#octets = 0;
    const done = this.#until(tag);
    if (typeof text === 'string') this.#socket.write(`${tag} ${text}\r\n`, 'latin1');
    else this.#socket.write(Buffer.concat([Buffer.from(`${tag} `), text, Buffer.from('\r\n')]));
    await done;
    return this.#octets;
  }

  /** The same. @returns the answer, Latin-1 */
  async ask(text: string): Promise<string> {
    this.#kept = [];
    await this.command(text);
    const answer = Buffer.concat(this.#kept).toString('latin1');
    this.#kept = undefined;
    return answer;
  }

  async logout(): Promise<void> {
    await this.command('LOGOUT');
    this.#socket.destroy();
  }

  #until(tag: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new Error(`no answer to ${tag}`)), PATIENCE);
      const settle = (error?: Error) => {
        clearTimeout(timer);
        this.#awaited = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#awaited = { tag, resolve: () => settle(), reject: settle };
    });
  }

  #take(bytes: Buffer): void {
    this.#octets += bytes.length;
    this.#kept?.push(Buffer.from(bytes));
    const tail = bytes.length >= TAIL ? bytes : Buffer.concat([this.#tail, bytes]);
    this.#tail = Buffer.from(tail.subarray(-TAIL));
    const awaited = this.#awaited;
    if (awaited === undefined || this.#tail.at(-1) !== 0x0a) return;
    const line = this.#tail.subarray(this.#tail.lastIndexOf(0x0a, -2) + 1).toString('latin1');
    if (!line.startsWith(`${awaited.tag} `)) return;
    if (line.startsWith(`${awaited.tag} OK`)) awaited.resolve();
    else awaited.reject(new Error(line.trim()));
  }
}
