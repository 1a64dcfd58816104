export type { Backoff } from './backoff.js';
export type { TlsPolicy } from './connector.js';
export { type DkimOptions, dkimSign } from './dkim.js';
export { openRelay, type RelayOptions } from './open.js';
export {
  type FailedRow,
  type Failure,
  type FailureNotices,
  type LocalReception,
  type OutboundQueue,
  type Settlement,
  storeQueue,
} from './ports.js';
export type { Relay } from './relay.js';
export { type Dns, type Endpoint, networkDns, type RoutingOptions } from './routing.js';
export { watchedDns } from './watched-dns.js';
