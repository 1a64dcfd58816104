import type { Telemetry } from '../telemetry/index.js';
import { sourceOf } from './network.js';
import { Tally } from './tally.js';

export type Protocol = 'submission' | 'mx' | 'pop3' | 'imap' | 'https';

/** Open connections at most; Infinity for no limit. */
export interface ConnectionBounds {
  /** Of all protocols but `mx`: whatever happens on the other ports, mail is received. */
  readonly total: number;
  /** Of one protocol, all its listeners together. */
  readonly ofProtocol: number;
  /** Of one source (IPv4 address, IPv6 /64) to one protocol. */
  readonly ofSource: number;
}

export const noConnectionBounds: ConnectionBounds = {
  total: Number.POSITIVE_INFINITY,
  ofProtocol: Number.POSITIVE_INFINITY,
  ofSource: Number.POSITIVE_INFINITY,
};

/** A connection that just came. */
export interface Caller {
  readonly protocol: Protocol;
  /** Remote IP address. */
  readonly peer: string;
  /** Short random id of the connection, for the log. */
  readonly session?: string | undefined;
}

/** `turned-away`: to be told that there are too many, and closed. `dropped`: to be closed unheard. */
export type Entry =
  /** `leave` when the connection is gone. */
  { readonly kind: 'admitted' | 'turned-away'; leave(): void } | { readonly kind: 'dropped' };

/** Connections past the limits that are still told so, at once; the rest is dropped unheard. */
const TURNED_AWAY = 64;

/** The door of all listeners: counts who is in, from where, and tells telemetry who comes and goes. */
export class Connections {
  readonly #bounds: ConnectionBounds;
  readonly #telemetry: Pick<Telemetry, 'event'> | undefined;
  readonly #protocols = new Tally();
  readonly #sources = new Tally();
  #total = 0;
  #turnedAway = 0;

  constructor(bounds: ConnectionBounds = noConnectionBounds, telemetry?: Pick<Telemetry, 'event'>) {
    this.#bounds = bounds;
    this.#telemetry = telemetry;
  }

  /** Connections that are in, those to `mx` included. */
  get total(): number {
    return this.#total + this.#protocols.of('mx');
  }

  /** To be asked once for each connection, before its handshake. */
  enter(caller: Caller): Entry {
    const { protocol, peer } = caller;
    const source = `${protocol} ${sourceOf(peer)}`;
    const reason = this.#fullness(protocol, source);
    if (reason !== undefined) return this.#refuse(caller, reason);
    if (protocol !== 'mx') this.#total += 1;
    this.#protocols.add(protocol, 1);
    this.#sources.add(source, 1);
    this.#telemetry?.event('session.opened', caller);
    return {
      kind: 'admitted',
      leave: once(() => {
        if (protocol !== 'mx') this.#total -= 1;
        this.#protocols.add(protocol, -1);
        this.#sources.add(source, -1);
        this.#telemetry?.event('session.closed', caller);
      }),
    };
  }

  #fullness(protocol: Protocol, source: string): string | undefined {
    const { total, ofProtocol, ofSource } = this.#bounds;
    if (this.#sources.of(source) >= ofSource) return 'too many connections from this address';
    if (this.#protocols.of(protocol) >= ofProtocol) return `too many ${protocol} connections`;
    return protocol !== 'mx' && this.#total >= total ? 'too many connections in all' : undefined;
  }

  #refuse(caller: Caller, reason: string): Entry {
    this.#telemetry?.event('session.refused', { ...caller, reason });
    if (this.#turnedAway >= TURNED_AWAY) return { kind: 'dropped' };
    this.#turnedAway += 1;
    return {
      kind: 'turned-away',
      leave: once(() => {
        this.#turnedAway -= 1;
      }),
    };
  }
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    run();
  };
}
