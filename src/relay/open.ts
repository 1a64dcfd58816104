import type { ClientTimeouts } from '../smtp/index.js';
import { Connector, type TlsPolicy } from './connector.js';
import type { LocalReception } from './ports.js';
import { Relay } from './relay.js';
import type { RoutingOptions } from './routing.js';
import { Transfer, type TransferParts } from './transfer.js';

export interface RelayOptions extends Omit<TransferParts, 'connector' | 'local'> {
  readonly local: LocalReception;
  readonly routing: RoutingOptions;
  readonly tls: TlsPolicy;
  /** Whose leases these are: the same after a restart. */
  readonly owner: string;
  /** Transactions at once towards one destination; 20 if not given. */
  readonly concurrency?: number | undefined;
  readonly timeouts?: ClientTimeouts | undefined;
}

const CONCURRENCY = 20;

/** Builds the relay and starts it. @throws StoreUnavailable */
export async function openRelay(options: RelayOptions): Promise<Relay> {
  const { routing, tls, telemetry, timeouts, queue, clock, owner, local, backoff } = options;
  const connector = new Connector({ routing, tls, telemetry, timeouts });
  const transfer = new Transfer({ ...options, connector });
  const concurrency = options.concurrency ?? CONCURRENCY;
  const relay = new Relay({
    queue,
    local,
    transfer,
    connector,
    telemetry,
    clock,
    owner,
    concurrency,
    longestRetry: backoff.max,
  });
  await relay.start();
  return relay;
}
