import type { Account } from './inbox.js';
import { type Server, Wire } from './mail-clients.js';

/** What a command was answered: its status line without the tag, and the untagged lines, `* ` and literals included. */
export interface Answered {
  readonly status: string;
  readonly untagged: readonly string[];
}

/** An IMAP client that sends what it is told and divides answers into lines, a literal being part of its line. Latin-1. */
export class ImapClient {
  readonly #wire: Wire;
  #commands = 0;

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Greeted and logged in; what came with the answers is thrown away. */
  static async open(server: Server, { address, password }: Account, secure = true): Promise<ImapClient> {
    const client = await ImapClient.connect(server, secure);
    await client.ask(`LOGIN ${address} "${password}"`);
    return client;
  }

  static async connect(server: Server, secure = true): Promise<ImapClient> {
    const client = new ImapClient(await Wire.open(server, secure));
    await client.hear();
    return client;
  }

  /** One untagged, tagged or continuation line. @param patience milliseconds; Infinity for one that may never come */
  async hear(patience?: number): Promise<string> {
    let line = await this.#wire.line(patience);
    for (let size = literalAt(line); size !== undefined; size = literalAt(line)) {
      line += `\r\n${(await this.#wire.octets(size)).toString('latin1')}${await this.#wire.line()}`;
    }
    return line;
  }

  /** @throws Error with the server's words on anything but OK */
  async ask(command: string): Promise<readonly string[]> {
    const { status, untagged } = await this.try(command);
    if (!status.startsWith('OK')) throw new Error(`${command}: ${status}`);
    return untagged;
  }

  async try(command: string): Promise<Answered> {
    await this.say(`${this.#tag()} ${command}\r\n`);
    return this.answer();
  }

  /** A command with one literal at its end. */
  async send(command: string, literal: Buffer): Promise<Answered> {
    await this.say(`${this.#tag()} ${command} {${literal.length}+}\r\n`);
    await this.say(Buffer.concat([literal, Buffer.from('\r\n')]));
    return this.answer();
  }

  /** Begins IDLE: the untagged lines come by `hear`. `DONE\r\n` said, `answer` hears the rest. */
  async idle(): Promise<void> {
    await this.say(`${this.#tag()} IDLE\r\n`);
    for (let line = ''; !line.startsWith('+ '); ) line = await this.hear();
  }

  say(octets: string | Buffer): Promise<void> {
    return this.#wire.write(octets);
  }

  async answer(): Promise<Answered> {
    const tag = `a${this.#commands} `;
    const untagged: string[] = [];
    for (;;) {
      const line = await this.hear();
      if (line.startsWith(tag)) return { status: line.slice(tag.length), untagged };
      untagged.push(line);
    }
  }

  close(): void {
    this.#wire.close();
  }

  #tag(): string {
    this.#commands += 1;
    return `a${this.#commands}`;
  }
}

function literalAt(line: string): number | undefined {
  const size = /\{(\d+)\}$/.exec(line)?.[1];
  return size === undefined ? undefined : Number(size);
}
