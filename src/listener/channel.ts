/** What binds a login to the TLS connection it comes over, so that nobody passes it on over another one (RFC 5802 6). */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type ScramChannel, UNBOUND } from '../accounts/index.js';
import { CmsError, readCertificate } from '../smime/index.js';

/**
 * tls-exporter under TLS 1.3 (RFC 9266), tls-server-end-point wherever the certificate has a hash (RFC 5929 4). Not tls-unique, nor
 * tls-exporter under TLS 1.2: both are sound only with the extended master secret, and Node does not say whether it was agreed on.
 */
export function channelOf(socket: Socket): ScramChannel {
  if (!(socket instanceof TLSSocket)) return UNBOUND;
  const exports = socket.getProtocol() === 'TLSv1.3';
  let endPoint: { readonly hash: Buffer | undefined } | undefined;
  const serverEndPoint = (): Buffer | undefined => {
    endPoint ??= { hash: certificateHash(socket) };
    return endPoint.hash;
  };
  return {
    get binds() {
      return exports || serverEndPoint() !== undefined;
    },
    binding(name) {
      if (name === 'tls-server-end-point') return serverEndPoint();
      if (name !== 'tls-exporter' || !exports) return undefined;
      return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    },
  };
}

/** The hash of our certificate by its own signature's hash, SHA-256 for SHA-1; undefined where it has none (RFC 5929 4.1). */
function certificateHash(socket: TLSSocket): Buffer | undefined {
  const certificate = socket.getCertificate();
  const raw = certificate !== null && 'raw' in certificate ? certificate.raw : undefined;
  if (raw === undefined) return undefined;
  try {
    const hash = readCertificate(raw).scheme?.hash;
    return (
      hash &&
      createHash(hash === 'sha1' ? 'sha256' : hash)
        .update(raw)
        .digest()
    );
  } catch (error) {
    if (error instanceof CmsError) return undefined;
    throw error;
  }
}
