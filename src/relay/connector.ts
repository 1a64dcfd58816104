import {
  type ClientTimeouts,
  type ClientTls,
  connectSmtp,
  defaultTimeouts,
  type OutgoingMessage,
  type SmtpClient,
  SmtpClientError,
  type Verdict,
} from '../smtp/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { ConnectionPool } from './pool.js';
import { type Hop, type RoutingOptions, route } from './routing.js';

export interface TlsPolicy {
  /** Certified mail leaves under TLS or not at all. */
  readonly required: boolean;
  /** PEM; the peers of certified mail must prove their names where there is any. */
  readonly ca: readonly string[];
}

export interface ConnectorOptions {
  readonly routing: RoutingOptions;
  readonly tls: TlsPolicy;
  readonly telemetry: Telemetry;
  readonly timeouts?: ClientTimeouts | undefined;
}

/** Whom a transaction is for. `external` recipients are ordinary ones: other routes, and TLS where it is to be had. */
export interface Destination {
  readonly domain: string;
  readonly external: boolean;
}

/** Milliseconds an unused connection waits for the next message; messages a connection carries at most. */
const POOL = { idle: 30_000, transactions: 100 } as const;

/** Milliseconds for an ordinary host to take a connection, and to greet: anybody may name a domain that never does. */
const STRANGER_PATIENCE = 30_000;

/** Brings messages to peers over pooled connections. */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #pool = new ConnectionPool(POOL);
  /** Connections not yet open. */
  readonly #opening = new Set<AbortController>();

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /**
   * One transaction; a verdict for each recipient.
   * @throws RouteError, or SmtpClientError when no hop takes a connection
   */
  async deliver(destination: Destination, message: OutgoingMessage): Promise<Verdict[]> {
    const key = `${destination.domain} ${destination.external}`;
    const { whole = Number.POSITIVE_INFINITY } = this.#options.timeouts ?? defaultTimeouts;
    const until = performance.now() + whole;
    const old = this.#pool.take(key);
    if (old !== undefined) {
      const verdicts = await this.#use(key, old, message, until);
      // A peer may have closed a connection that was waiting: nothing was said on it, so nothing happened.
      if (!verdicts.every((verdict) => 'lost' in verdict && verdict.phase === 'mail')) return verdicts;
    }
    const client = await this.#open(destination, until);
    this.#pool.opened(client);
    return this.#use(key, client, message, until);
  }

  /** Lets go of idle connections; those in use end with their transaction. */
  close(): void {
    this.#pool.close();
  }

  /** Ends the transactions that are going on, and the connections being opened. */
  cut(): void {
    this.#pool.cut();
    for (const opening of this.#opening) opening.abort();
  }

  async #use(key: string, client: SmtpClient, message: OutgoingMessage, until: number): Promise<Verdict[]> {
    const end = endingAt(until, () => client.destroy(TOO_LONG));
    try {
      return await client.deliver(message);
    } finally {
      end();
      this.#pool.leave(key, client);
    }
  }

  /** The first hop that answers. */
  async #open({ domain, external }: Destination, until: number): Promise<SmtpClient> {
    const hops = await route(this.#options.routing, domain, external);
    let failure = new SmtpClientError('connect', `no address for ${domain}`);
    for (const hop of hops) {
      if (performance.now() >= until) break;
      try {
        return await this.#connect({ domain, external }, hop, until);
      } catch (error) {
        if (!(error instanceof SmtpClientError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #connect({ domain, external }: Destination, hop: Hop, until: number): Promise<SmtpClient> {
    const { routing, telemetry, timeouts } = this.#options;
    const tls = this.#tls(hop, external);
    const start = performance.now();
    const opening = new AbortController();
    this.#opening.add(opening);
    const end = endingAt(until, () => opening.abort(new Error(TOO_LONG)));
    try {
      const { host, port } = hop;
      const { signal } = opening;
      const options = {
        host,
        port,
        signal,
        localName: routing.hostname,
        timeouts: timeoutsFor(external, timeouts ?? defaultTimeouts),
      };
      const client = await connectSmtp({ ...options, tls }).catch((error: unknown) => {
        // RFC 7435: where TLS is opportunistic, one that fails is no reason to keep the mail.
        if (tls.mode !== 'opportunistic' || !(error instanceof SmtpClientError) || error.phase !== 'starttls')
          throw error;
        return connectSmtp({ ...options, tls: { ...tls, mode: 'none' } });
      });
      telemetry.clear('peer-tls', domain);
      telemetry.event('relay.connected', {
        destination: domain,
        host: `${host}:${port}`,
        tls: client.tls?.version ?? '',
        ms: performance.now() - start,
      });
      return client;
    } catch (error) {
      // Never in clear then (relay.require_tls): the mail waits, and somebody must talk to the peer.
      if (tls.mode === 'required' && error instanceof SmtpClientError && error.phase === 'starttls') {
        telemetry.raise('peer-tls', domain, `${hop.name}: ${error.message}`);
      }
      throw error;
    } finally {
      end();
      this.#opening.delete(opening);
    }
  }

  #tls(hop: Hop, external: boolean): ClientTls {
    const { required, ca } = this.#options.tls;
    if (external || !required) return { mode: 'opportunistic', verify: false, ca: [], name: hop.name };
    return { mode: 'required', verify: ca.length > 0, ca, name: hop.name };
  }
}

const TOO_LONG = 'the peer takes too long over all';

/** Longer than that no timer of the platform waits, milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** Acts at an instant of the monotonic clock. @returns what calls it off */
function endingAt(until: number, act: () => void): () => void {
  const timer = setTimeout(act, Math.min(LONGEST, Math.max(0, until - performance.now())));
  return () => clearTimeout(timer);
}

/** The patience a peer deserves. @param external true for ordinary hosts */
export function timeoutsFor(external: boolean, timeouts: ClientTimeouts): ClientTimeouts {
  if (!external) return timeouts;
  const { connect, command, greeting = command } = timeouts;
  return {
    ...timeouts,
    connect: Math.min(connect, STRANGER_PATIENCE),
    greeting: Math.min(greeting, STRANGER_PATIENCE),
  };
}
