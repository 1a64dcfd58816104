import type { SmtpClient } from '../smtp/index.js';

export interface PoolOptions {
  /** Milliseconds an unused connection is kept. */
  readonly idle: number;
  /** Messages one connection carries. */
  readonly transactions: number;
}

interface Idle {
  readonly client: SmtpClient;
  readonly timer: NodeJS.Timeout;
}

/** Open connections by destination. One is used by one at a time; those in use are known too, so that a stop can cut them. */
export class ConnectionPool {
  readonly #idle = new Map<string, Idle[]>();
  readonly #used = new Set<SmtpClient>();
  readonly #options: PoolOptions;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** A connection left by somebody, still alive; undefined when there is none. */
  take(key: string): SmtpClient | undefined {
    for (let idle = this.#idle.get(key)?.pop(); idle !== undefined; idle = this.#idle.get(key)?.pop()) {
      clearTimeout(idle.timer);
      if (idle.client.alive) {
        this.#used.add(idle.client);
        return idle.client;
      }
      idle.client.destroy();
    }
    this.#idle.delete(key);
    return undefined;
  }

  /** Counts a connection just opened as in use. */
  opened(client: SmtpClient): void {
    if (this.#closed) client.destroy();
    this.#used.add(client);
  }

  /** Gives a connection back. */
  leave(key: string, client: SmtpClient): void {
    this.#used.delete(client);
    if (!client.alive) {
      client.destroy();
      return;
    }
    if (this.#closed || client.transactions >= this.#options.transactions) {
      client.quit();
      return;
    }
    const timer = setTimeout(() => {
      this.#forget(key, client);
      client.quit();
    }, this.#options.idle);
    timer.unref();
    this.#idle.set(key, [...(this.#idle.get(key) ?? []), { client, timer }]);
  }

  /** Says goodbye on every idle connection; those in use follow as they come back. */
  close(): void {
    this.#closed = true;
    for (const list of this.#idle.values()) {
      for (const { client, timer } of list) {
        clearTimeout(timer);
        client.quit();
      }
    }
    this.#idle.clear();
  }

  /** Cuts the connections in use. */
  cut(): void {
    for (const client of this.#used) client.destroy();
  }

  #forget(key: string, client: SmtpClient): void {
    const rest = (this.#idle.get(key) ?? []).filter((idle) => idle.client !== client);
    if (rest.length > 0) this.#idle.set(key, rest);
    else this.#idle.delete(key);
  }
}
