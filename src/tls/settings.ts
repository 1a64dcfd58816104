/**
 * How this gestore speaks TLS: one set of settings for every listener, one for whoever connects. Nothing else in the house
 * names a version, a cipher or a curve.
 */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/** PEM. */
export interface KeyPair {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
}

export type ServerTls = KeyPair & Readonly<SecureContextOptions>;

/** TLS 1.2 or 1.3, no compression, no renegotiation (RFC 9325 3.1, 3.3, 3.5). */
const OLDEST = 'TLSv1.2';

const TLS13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/**
 * TLS 1.2 with forward secrecy and AEAD only (RFC 9325 4.2): no RSA key exchange, no CBC. Who stays outside: Outlook on
 * Windows 7 and 8.1, Apple Mail up to OS X 10.10; their makers ended them years ago.
 */
const ECDHE_AEAD = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** A peer we call may know finite-field groups only: still forward secrecy, still AEAD. */
const DHE_AEAD = ['DHE-RSA-AES128-GCM-SHA256', 'DHE-RSA-AES256-GCM-SHA384'];

const CURVES = 'X25519:P-256:P-384';

/** SHA-1 signs nothing here (RFC 9155). */
const SIGNATURES = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'ed25519',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
].join(':');

/** Settings of a listener with its key. Every listener takes its settings from here, also when it takes a new key. */
export const serverTls = ({ key, cert }: KeyPair): ServerTls => ({
  key,
  cert,
  minVersion: OLDEST,
  ciphers: [...TLS13, ...ECDHE_AEAD].join(':'),
  ecdhCurve: CURVES,
  sigalgs: SIGNATURES,
  // A ticket key would live as long as the process, and whoever got it could read what TLS 1.2 sessions said before.
  secureOptions:
    constants.SSL_OP_CIPHER_SERVER_PREFERENCE |
    constants.SSL_OP_NO_COMPRESSION |
    constants.SSL_OP_NO_RENEGOTIATION |
    constants.SSL_OP_NO_TICKET |
    constants.SSL_OP_PRIORITIZE_CHACHA,
});

/** Settings of a connection we open; what the peer must prove is the caller's to say. */
export const CLIENT_TLS = {
  minVersion: OLDEST,
  ciphers: [...TLS13, ...ECDHE_AEAD, ...DHE_AEAD].join(':'),
  ecdhCurve: CURVES,
  sigalgs: SIGNATURES,
  minDHSize: 2048,
} as const;
