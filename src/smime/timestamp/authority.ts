import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TrustStore } from '../verify/trust.js';
import { newNonce, type Timestamp, timestampRequest, verifyTimestamp } from './timestamp.js';

/** Where time stamps come from, and what they are believed on. */
export interface TimestampAuthority {
  readonly url: string;
  readonly trust: TrustStore;
}

/** Milliseconds for one stamp. */
const TIMEOUT_MS = 30_000;
/** Octets of an answer: a token with its chain has some 6 KiB. */
const SIZE_LIMIT = 256 * 1024;

/** A time stamp with the answer it came in, to be kept. */
export interface Stamped {
  readonly response: Buffer;
  readonly timestamp: Timestamp;
}

/**
 * Asks an authority for a time stamp over HTTP (RFC 3161 3.4) and verifies it.
 * @param digest SHA-256
 * @throws TimestampError, and Error naming the URL
 */
export async function askTimestamp(
  { url, trust }: TimestampAuthority,
  digest: Uint8Array,
  timeout = TIMEOUT_MS,
): Promise<Stamped> {
  const nonce = newNonce();
  const response = await post(new URL(url), timestampRequest(digest, nonce), AbortSignal.timeout(timeout));
  return { response, timestamp: await verifyTimestamp(response, { digest, nonce, trust }) };
}

function post(url: URL, body: Buffer, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const reason = signal.aborted ? 'took too long' : error.message;
      // Not the whole URL: some authorities want a password in it.
      reject(new Error(`${url.origin}${url.pathname}: ${reason}`, { cause: error }));
    };
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      signal,
      agent: false,
      headers: { 'Content-Type': 'application/timestamp-query', 'Content-Length': body.length },
    });
    request.on('error', fail);
    request.on('response', (response) => {
      readBody(response).then(resolve, fail);
    });
    request.end(body);
  });
}

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const type = response.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (response.statusCode !== 200 || type !== 'application/timestamp-reply') {
    response.destroy();
    throw new Error(`HTTP ${response.statusCode}, ${type ?? 'no type'}`);
  }
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    size += piece.length;
    // Leaving the loop ends the transfer.
    if (size > SIZE_LIMIT) throw new RangeError(`more than ${SIZE_LIMIT} octets`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
