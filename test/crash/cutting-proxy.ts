/**
 * A wire between two gestori that breaks. It sees TLS, so it goes by the amounts: a client that says more than a greeting,
 * a handshake and a few commands could fill, before it hears anything, is sending the content of a message; what the server
 * says next is the reply to the final dot.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Random } from '../support/random.js';
import type { Journal } from './journal.js';

export type Cut = 'before the greeting' | 'in the content' | 'before the reply';

/** Octets: a handshake and the commands of a transaction stay below, the smallest of envelopes and receipts above. */
const CONTENT = 3500;
/** How far into the content a cut may come. */
const DEPTH = 120_000;

export class CuttingProxy {
  /** Shares of the connections and of the messages to cut. */
  rate: Readonly<Record<Cut, number>> = {
    'before the greeting': 0,
    'in the content': 0,
    'before the reply': 0,
  };
  readonly cuts: Record<Cut, number> = {
    'before the greeting': 0,
    'in the content': 0,
    'before the reply': 0,
  };
  readonly #server = createServer((client) => this.#carry(client));
  readonly #sockets = new Set<Socket>();
  #target = 0;

  constructor(
    readonly ends: readonly [from: string, to: string],
    private readonly random: Random,
    private readonly journal: Journal,
  ) {}

  /** @returns the port that leads, most of the time, to `target`. */
  async listen(target: number): Promise<number> {
    this.#target = target;
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #carry(client: Socket): void {
    this.#keep(client);
    if (this.#decides('before the greeting')) {
      client.destroy();
      return;
    }
    const server = connect({ host: '127.0.0.1', port: this.#target });
    this.#keep(server);
    client.once('close', () => server.destroy());
    server.once('close', () => client.destroy());
    this.#watch(client, server);
  }

  #watch(client: Socket, server: Socket): void {
    /** Octets since the server last spoke. */
    let said = 0;
    /** Octets of the message to come at which the connection breaks; undefined for a message that passes. */
    let breaksAt: number | undefined;
    let answerLost = false;
    client.on('data', (chunk: Buffer) => {
      const before = said;
      said += chunk.length;
      if (before <= CONTENT && said > CONTENT) {
        this.#tell('relayed content');
        if (this.#decides('in the content')) breaksAt = this.random.between(CONTENT, DEPTH);
        else answerLost = this.#decides('before the reply');
      }
      if (breaksAt !== undefined && said >= breaksAt) {
        server.end(chunk.subarray(0, breaksAt - before));
        client.destroy();
        return;
      }
      pass(chunk, client, server);
    });
    server.on('data', (chunk: Buffer) => {
      const answer = said > CONTENT;
      if (answer) this.#tell('relayed reply');
      // A message shorter than the place where it was to break loses its answer instead.
      if (answer && (answerLost || breaksAt !== undefined)) {
        client.destroy();
        server.destroy();
        return;
      }
      said = 0;
      pass(chunk, server, client);
    });
  }

  /** It happened at both ends. */
  #tell(moment: 'relayed content' | 'relayed reply'): void {
    for (const end of this.ends) this.journal.happened(moment, end);
  }

  #decides(cut: Cut): boolean {
    if (!this.random.chance(this.rate[cut])) return false;
    this.cuts[cut] += 1;
    this.journal.tell(`${this.ends.join(' -> ')}: cut ${cut}`);
    return true;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // Either end may be killed: what follows is the close.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

function pass(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}
