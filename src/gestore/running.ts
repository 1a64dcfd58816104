import type { AddressInfo } from 'node:net';
import type { KeyPair } from '../tls/index.js';

/** A part that was started. */
export interface RunningPart {
  readonly stop: () => Promise<void>;
  readonly reload?: (tls: KeyPair) => void;
}

/** A part that listens on a port. */
interface Listener {
  listen(port: number, address: string): Promise<AddressInfo>;
  reload(tls: KeyPair): void;
  close(): Promise<void>;
}

/** What runs, in the order in which it was started. */
export class Running {
  /** The port of each listener, by its configuration key. */
  readonly ports: Record<string, number> = {};
  private readonly listeners: RunningPart[] = [];
  private readonly parts: RunningPart[] = [];

  add(part: RunningPart): void {
    this.parts.push(part);
  }

  /** Opens a listener on its port. @throws the system's error when the port cannot be had */
  async listen(name: string, server: Listener, port: number, address: string): Promise<void> {
    this.listeners.push({ stop: () => server.close(), reload: (tls) => server.reload(tls) });
    this.ports[name] = (await server.listen(port, address)).port;
  }

  reload(tls: KeyPair): void {
    for (const part of [...this.listeners, ...this.parts]) part.reload?.(tls);
  }

  /**
   * Closes the listeners, all at once, then stops the parts, the last started first. One that fails does not keep the others
   * from being stopped.
   * @throws what failed, AggregateError if it is more than one thing, when all have been stopped
   */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    const end = async (part: RunningPart): Promise<void> => {
      try {
        await part.stop();
      } catch (error) {
        failures.push(error);
      }
    };
    await Promise.all(this.listeners.splice(0).map(end));
    for (const part of this.parts.splice(0).reverse()) await end(part);
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, failures.map(textOf).join('; '));
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
