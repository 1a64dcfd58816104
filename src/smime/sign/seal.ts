import { createHash } from 'node:crypto';
import { encodeBase64 } from '../../mime/index.js';
import type { Composed } from '../../pec/index.js';
import { Rope } from '../../rope/index.js';
import { signedData } from './layout.js';
import type { Signer } from './signer.js';

/**
 * Signs a composed message (RFC 6109 3.1.4): its header, then a multipart/signed around the entity, whose bytes are
 * not touched. `epochMs` becomes the signing time, to the second. Canonical CRLF if the entity is.
 * Rejects when the entity cannot be read or the key cannot be used.
 */
export async function seal(composed: Composed, signer: Signer, epochMs: number): Promise<Rope> {
  const hash = createHash('sha256');
  for await (const chunk of composed.entity.chunks()) hash.update(chunk);
  const cms = await signedData(signer, hash.digest(), epochMs);
  const { boundary } = composed;
  const head =
    'MIME-Version: 1.0\r\n' +
    `Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg="sha-256"; boundary="${boundary}"\r\n` +
    '\r\n' +
    'This is an S/MIME signed message\r\n' +
    '\r\n' +
    `--${boundary}\r\n`;
  const tail =
    `\r\n--${boundary}\r\n` +
    'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n' +
    'Content-Transfer-Encoding: base64\r\n' +
    'Content-Disposition: attachment; filename="smime.p7s"\r\n' +
    '\r\n' +
    `${trimmed(encodeBase64(cms, 64))}\r\n` +
    `\r\n--${boundary}--\r\n`;
  return Rope.of(composed.header, head, composed.entity, tail);
}

const trimmed = (lines: string): string => (lines.endsWith('\r\n') ? lines.slice(0, -2) : lines);
