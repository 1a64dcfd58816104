import { isIPv6 } from 'node:net';
import type { Peer } from './server.js';

/**
 * The Received field of a message just taken (RFC 5321 4.4), folded, CRLF at its end. Its id is that of the session.
 * @param by our host name
 * @param date RFC 5322 date of the transaction's instant
 */
export function receivedField(
  peer: Pick<Peer<unknown>, 'id' | 'helo' | 'remoteAddress' | 'protocol' | 'tls'>,
  by: string,
  date: string,
): string {
  const literal = isIPv6(peer.remoteAddress) ? `[IPv6:${peer.remoteAddress}]` : `[${peer.remoteAddress}]`;
  // What the client says of itself is copied only where it can do no harm to the field.
  const helo = /^[A-Za-z0-9._:[\]-]+$/.test(peer.helo) ? peer.helo : 'unknown';
  const secured =
    peer.tls === undefined ? '' : `\r\n\t(version=${peer.tls.version} cipher=${peer.tls.cipher})`;
  return (
    `Received: from ${helo} (${literal})\r\n` +
    `\tby ${by} (Ceralacca) with ${peer.protocol} id ${peer.id}${secured};\r\n\t${date}\r\n`
  );
}
