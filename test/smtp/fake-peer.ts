import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface PeerMessage {
  readonly mailFrom: string;
  readonly recipients: readonly string[];
  /** As they came: dots still stuffed, without the final dot's line. */
  readonly bytes: Buffer;
}

/** What the peer answers. Each may be an array, consumed message by message, its last entry repeated. */
export interface Manners {
  readonly greeting?: string;
  /** EHLO keywords; default PIPELINING, 8BITMIME, SIZE. */
  readonly extensions?: readonly string[];
  readonly ehlo?: string;
  readonly mail?: (line: string, count: number) => string;
  readonly rcpt?: (line: string, count: number) => string;
  readonly data?: string;
  /** The answer to the final dot; 'drop' closes without one. */
  readonly final?: (count: number) => string;
  /** Certificate for STARTTLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Something said in clear together with STARTTLS's 220. */
  readonly injected?: string;
  /** Octets of content after which the connection is cut, or `reply` is said. */
  readonly cutAfter?: number;
  readonly early?: string;
}

/** A peer on loopback that says what it is told to say, and writes down what it hears. */
export class FakePeer {
  readonly commands: string[] = [];
  readonly messages: PeerMessage[] = [];
  readonly sockets = new Set<Socket>();
  connections = 0;
  /** TCP segments or TLS records of commands, as they came. */
  readonly chunks: string[] = [];
  #manners: Manners;
  readonly #server = createServer((socket) => this.#accept(socket));

  constructor(manners: Manners = {}) {
    this.#manners = manners;
  }

  /** From now on. */
  behave(manners: Manners): void {
    this.#manners = manners;
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    const greeting = this.#manners.greeting ?? '220 peer.example ESMTP';
    if (greeting === 'silent') return;
    socket.write(`${greeting}\r\n`);
    this.#converse(socket, false);
  }

  #converse(socket: Socket, secured: boolean): void {
    let pending = Buffer.alloc(0);
    let inData = false;
    let mailFrom = '';
    let recipients: string[] = [];
    const say = (reply: string): void => {
      if (reply === 'drop') socket.destroy();
      else socket.write(`${reply}\r\n`);
    };
    const content = (): boolean => {
      const { cutAfter, early, final } = this.#manners;
      if (cutAfter !== undefined && pending.length > cutAfter) {
        if (early === undefined) socket.destroy();
        else say(early);
        socket.removeAllListeners('data').resume();
        return false;
      }
      const end = pending.subarray(0, 3).toString() === '.\r\n' ? 0 : pending.indexOf('\r\n.\r\n') + 2;
      if (end === 1) return false;
      this.messages.push({ mailFrom, recipients, bytes: Buffer.from(pending.subarray(0, end)) });
      pending = pending.subarray(end + 3);
      inData = false;
      say(final?.(this.messages.length) ?? '250 2.0.0 taken');
      return true;
    };
    const command = (): boolean => {
      const end = pending.indexOf('\r\n');
      if (end < 0) return false;
      const line = pending.subarray(0, end).toString();
      pending = pending.subarray(end + 2);
      this.commands.push(line);
      const verb = line.split(' ')[0];
      const manners = this.#manners;
      if (verb === 'EHLO') {
        const offered = [...(manners.extensions ?? ['PIPELINING', '8BITMIME', 'SIZE 50000000'])];
        if (manners.tls !== undefined && !secured) offered.push('STARTTLS');
        say(
          manners.ehlo ??
            ['250-peer.example', ...offered.map((word) => `250-${word}`), '250 HELP'].join('\r\n'),
        );
      } else if (verb === 'MAIL') {
        mailFrom = /<(.*)>/.exec(line)?.[1] ?? '';
        recipients = [];
        say(
          manners.mail?.(line, this.commands.filter((each) => each.startsWith('MAIL')).length) ??
            '250 2.1.0 ok',
        );
      } else if (verb === 'RCPT') {
        const reply =
          manners.rcpt?.(line, this.commands.filter((each) => each.startsWith('RCPT')).length) ??
          '250 2.1.5 ok';
        if (reply.startsWith('2')) recipients.push(/<(.*)>/.exec(line)?.[1] ?? '');
        say(reply);
      } else if (verb === 'DATA') {
        const reply = manners.data ?? (recipients.length > 0 ? '354 go on' : '503 5.5.1 no recipients');
        inData = reply.startsWith('354');
        say(reply);
      } else if (verb === 'QUIT') {
        socket.end('221 bye\r\n');
      } else if (verb === 'STARTTLS' && manners.tls !== undefined) {
        socket.write(`220 go ahead\r\n${manners.injected ?? ''}`);
        socket.removeAllListeners('data');
        const secure = new TLSSocket(socket, { isServer: true, ...manners.tls });
        secure.on('error', () => undefined);
        this.#converse(secure, true);
        return false;
      } else say('250 2.0.0 ok');
      return true;
    };
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (!inData) this.chunks.push(chunk.toString('latin1'));
      pending = Buffer.concat([pending, chunk]);
      while (!socket.destroyed && (inData ? content() : command()));
    });
  }
}
