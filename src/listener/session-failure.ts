import { BlobDamaged, StoreUnavailable } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { ConnectionLost } from './connection-lost.js';
import type { Peer } from './mail-listener.js';

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Tells why a session failed; what an operator has to act on is told as such, whoever asked for it. */
export function tellFailure(
  telemetry: Pick<Telemetry, 'event'>,
  protocol: 'imap' | 'pop3',
  { address, session }: Peer,
  error: unknown,
): void {
  const cause = error instanceof ConnectionLost ? error.cause : error;
  if (cause instanceof BlobDamaged) {
    const reason = `${cause.message}: asked for over ${protocol.toUpperCase()}`;
    telemetry.event('alarm', { name: 'blob-damaged', reason });
  }
  if (cause instanceof StoreUnavailable)
    telemetry.event('store.unavailable', { operation: protocol, error: cause.message });
  telemetry.event('session.failed', { protocol, peer: address, session, error: messageOf(error) });
}
