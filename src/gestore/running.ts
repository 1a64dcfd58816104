import type { AddressInfo } from 'node:net';
import type { TlsMaterial } from './tls.js';

/** A part that was started. */
export interface RunningPart {
  readonly stop: () => Promise<void>;
  readonly reload?: (tls: TlsMaterial) => void;
}

/** A part that listens on a port. */
interface Listener {
  listen(port: number, address: string): Promise<AddressInfo>;
  reload(tls: TlsMaterial): void;
  close(): Promise<void>;
}

/** What runs, in the order in which it was started; it stops in the reverse order. */
export class Running {
  /** The port of each listener, by its configuration key. */
  readonly ports: Record<string, number> = {};
  private readonly parts: RunningPart[] = [];

  add(part: RunningPart): void {
    this.parts.push(part);
  }

  /** Opens a listener on its port. @throws the system's error when the port cannot be had */
  async listen(name: string, server: Listener, port: number, address: string): Promise<void> {
    this.add({ stop: () => server.close(), reload: (tls) => server.reload(tls) });
    this.ports[name] = (await server.listen(port, address)).port;
  }

  reload(tls: TlsMaterial): void {
    for (const part of this.parts) part.reload?.(tls);
  }

  async stop(): Promise<void> {
    for (const part of this.parts.splice(0).reverse()) await part.stop();
  }
}
