import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * The way to a port, octet by octet, on loopback. `open` leads there; `silent` takes connections and nothing is ever heard
 * on them; `dead` takes them and drops them.
 */
export type RoadState = 'open' | 'silent' | 'dead';

interface Way {
  readonly near: Socket;
  readonly far: Socket | undefined;
  /** Octets that went there. */
  sent: number;
  frozen: boolean;
}

export class Road {
  state: RoadState = 'open';
  connections = 0;
  /** Answers to lose: the next octets that come back after so many went there are swallowed, and the connection is cut. */
  toLose = 0;
  /** Answers lost. */
  lost = 0;
  readonly #ways = new Set<Way>();
  readonly #server = createServer((near) => this.#accept(near));

  constructor(
    private readonly port: number,
    /** How many octets must have gone there for an answer to be lost. */
    private readonly afterOctets: number,
  ) {}

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Nothing passes any more on what is connected, in either direction, and nobody is told. */
  freeze(): void {
    for (const way of this.#ways) way.frozen = true;
  }

  /** Cuts what is connected. */
  cut(): void {
    for (const { near, far } of this.#ways) {
      near.destroy();
      far?.destroy();
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #accept(near: Socket): void {
    this.connections += 1;
    near.on('error', () => undefined);
    if (this.state === 'dead') {
      near.destroy();
      return;
    }
    const far = this.state === 'open' ? connect(this.port, '127.0.0.1') : undefined;
    const way: Way = { near, far, sent: 0, frozen: far === undefined };
    this.#ways.add(way);
    near.on('close', () => {
      this.#ways.delete(way);
      if (!way.frozen) far?.destroy();
    });
    near.on('data', (octets) => {
      way.sent += octets.length;
      if (!way.frozen) far?.write(octets);
    });
    far?.on('error', () => near.destroy());
    far?.on('close', () => {
      if (!way.frozen) near.destroy();
    });
    far?.on('data', (octets) => this.#back(way, octets));
  }

  #back(way: Way, octets: Buffer): void {
    if (way.frozen) return;
    if (this.toLose > 0 && way.sent >= this.afterOctets) {
      this.toLose -= 1;
      this.lost += 1;
      way.near.destroy();
      way.far?.destroy();
      return;
    }
    way.near.write(octets);
  }
}
