import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';

/** Up to where a peer is like any other. */
export type Stage = 'greeting' | 'EHLO' | 'STARTTLS' | 'handshake' | 'MAIL' | 'RCPT' | 'DATA' | 'dot';

/** What it does from there on, or instead. */
export type Manner = 'silent' | 'drip' | 'endless' | 'flood' | 'long line' | '421' | 'close';

/** A peer on loopback that stops being one at a chosen place. */
export class StubbornPeer {
  /** Content of what came to its dot, whether it was answered or not. */
  readonly messages: string[] = [];
  /** Commands heard outside TLS, and inside. */
  readonly clear: string[] = [];
  readonly secured: string[] = [];
  connections = 0;
  stage: Stage | undefined;
  manner: Manner = 'silent';
  /** Reads this slowly: octets, each 20 ms. */
  appetite = Number.POSITIVE_INFINITY;
  readonly #sockets = new Set<Socket>();
  readonly #frozen = new WeakSet<Socket>();
  readonly #server = createServer((socket) => this.#accept(socket));
  #closed = false;

  constructor(private readonly tls?: { readonly key: string; readonly cert: string }) {}

  async listen(port = 0, host = '127.0.0.1'): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, host, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** What is connected now is heard no more and gets no answer: as if its packets went nowhere. */
  freeze(): void {
    for (const socket of this.#sockets) this.#frozen.add(socket);
  }

  /** Closes our half of what is connected; what the other half says is still read. */
  halfClose(): void {
    for (const socket of this.#sockets) socket.end();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    void this.#say(socket, 'greeting', '220 peer.example ESMTP');
    this.#converse(socket, socket, this.clear);
  }

  #converse(socket: Socket, raw: Socket, heard: string[]): void {
    let pending = '';
    let content: string | undefined;
    const line = (text: string): void => {
      if (content !== undefined) {
        if (text !== '.') {
          content += `${text}\r\n`;
          return;
        }
        this.messages.push(content);
        content = undefined;
        void this.#say(socket, 'dot', '250 2.0.0 taken');
        return;
      }
      heard.push(text);
      const verb = text.split(' ')[0];
      if (verb === 'EHLO') {
        const offered = ['peer.example', 'PIPELINING', '8BITMIME'];
        if (this.tls !== undefined && socket === raw) offered.push('STARTTLS');
        void this.#say(socket, 'EHLO', [...offered.map((word) => `250-${word}`), '250 HELP'].join('\r\n'));
      } else if (verb === 'MAIL' || verb === 'RCPT') void this.#say(socket, verb, '250 2.0.0 ok');
      else if (verb === 'DATA') {
        if (this.stage !== 'DATA') content = '';
        void this.#say(socket, 'DATA', '354 go on');
      } else if (verb === 'STARTTLS') {
        void this.#say(socket, 'STARTTLS', '220 go ahead').then((said) => {
          if (said && this.stage !== 'handshake') this.#secure(socket);
        });
      } else if (verb === 'QUIT') socket.end('221 bye\r\n');
      else socket.write('250 2.0.0 ok\r\n');
    };
    socket.on('data', (chunk: Buffer) => {
      if (this.#frozen.has(raw)) return;
      pending += chunk.toString('latin1');
      for (let end = pending.indexOf('\r\n'); end >= 0; end = pending.indexOf('\r\n')) {
        const text = pending.slice(0, end);
        pending = pending.slice(end + 2);
        line(text);
        if (text === 'STARTTLS') break;
      }
      if (content === undefined || this.appetite === Number.POSITIVE_INFINITY) return;
      socket.pause();
      void sleep((20 * chunk.length) / this.appetite, undefined, { ref: false }).then(() => socket.resume());
    });
  }

  #secure(socket: Socket): void {
    socket.removeAllListeners('data');
    const secured = new TLSSocket(socket, { isServer: true, ...this.tls });
    secured.on('error', () => undefined);
    this.#converse(secured, socket, this.secured);
  }

  /** @returns whether it was said as a peer says it */
  async #say(socket: Socket, stage: Stage, reply: string): Promise<boolean> {
    if (this.stage !== stage || stage === 'handshake') {
      socket.write(`${reply}\r\n`);
      return true;
    }
    const code = reply.slice(0, 3);
    const keepOn = async (text: string, pause: number): Promise<void> => {
      while (!this.#closed && !socket.destroyed && this.stage === stage) {
        if (!socket.write(text))
          await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve));
        await sleep(pause, undefined, { ref: false });
      }
    };
    switch (this.manner) {
      case 'silent':
        break;
      case 'drip':
        socket.write(`${code}-`);
        void keepOn('x', 20);
        break;
      case 'endless':
        void keepOn(`${code}-and so on\r\n`.repeat(100), 0);
        break;
      case 'flood':
        void keepOn(`${code} and so on\r\n`.repeat(100), 0);
        break;
      case 'long line':
        socket.write(`${code} ${'x'.repeat(100_000)}\r\n`);
        break;
      case '421':
        socket.end('421 4.3.2 not now\r\n');
        break;
      case 'close':
        socket.destroy();
        break;
    }
    return false;
  }
}
