import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** A raw SMTP dialogue: what is said octet by octet, what comes back line by line. */
export class Dialogue {
  #socket: Socket;
  #text = '';
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  static async open(port: number, tls = false): Promise<Dialogue> {
    const socket = tls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : connect({ port, host: '127.0.0.1' });
    const dialogue = new Dialogue(socket);
    await new Promise((resolve, reject) => {
      socket.once(tls ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    return dialogue;
  }

  say(text: string | Buffer): void {
    this.#socket.write(text);
  }

  /** Writes and waits until the socket takes more. */
  async pour(bytes: Buffer): Promise<void> {
    if (!this.#socket.write(bytes)) await new Promise((resolve) => this.#socket.once('drain', resolve));
  }

  /** The next whole reply, its lines joined by LF; 'closed' when there is none to come. */
  async hear(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/.exec(this.#text);
      if (match !== null) {
        this.#text = this.#text.slice(match[0].length);
        return match[0].replace(/\r/g, '').trimEnd();
      }
      if (this.#ended) return 'closed';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async ask(line: string): Promise<string> {
    this.say(`${line}\r\n`);
    return this.hear();
  }

  /** Alternating `C: line` and `S: expected` lines; an expectation is a prefix. Answers what differed, or undefined. */
  async play(script: string): Promise<string | undefined> {
    for (const line of script
      .trim()
      .split('\n')
      .map((text) => text.trim())) {
      if (line.startsWith('C: ')) this.say(`${line.slice(3)}\r\n`);
      if (!line.startsWith('S: ')) continue;
      const heard = await this.hear();
      if (!heard.startsWith(line.slice(3))) return `expected "${line.slice(3)}", heard "${heard}"`;
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

  close(): void {
    this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      this.#wake?.();
    });
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('end', end).on('close', end).on('error', end);
  }
}
