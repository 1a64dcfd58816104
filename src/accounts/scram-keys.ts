/** The keys and proofs of SCRAM-SHA-256 (RFC 5802 3, RFC 7677 3). */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { ScramCredential } from '../storage/index.js';

/**
 * The most that Cyrus SASL computes for a login; many mail programs log in with it and refuse more. The client pays at each login, some
 * 50 ms, by RFC 7677 4's rule 100 ms and thus four times its 15,000; OWASP's 600,000 would lock those programs out.
 */
export const ITERATIONS = 65_536;

const SALT = 16;
const KEY = 32;

const hmac = (key: Uint8Array, data: string): Buffer => createHmac('sha256', key).update(data).digest();
const hash = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest();
const derive = promisify(pbkdf2);

/** Spaces of RFC 3454 C.1.2 but the ASCII one, and what its table B.1 maps to nothing. */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
const NOTHING = /\u034f|[\ufe00-\ufe0f]|[\u180b-\u180d]|\u200d|[\u00ad\u1806\u200c\u2060\ufeff]/g;

/** SASLprep (RFC 4013 2): what a client makes of the same keys before it hashes them. */
const saslPrepared = (password: string): string =>
  password.replace(SPACES, ' ').replace(NOTHING, '').normalize('NFKC');

/** @param given what is random otherwise; a test vector brings its own */
export async function scramCredential(
  password: string,
  given: { readonly salt?: Uint8Array; readonly iterations?: number } = {},
): Promise<ScramCredential> {
  const { salt = randomBytes(SALT), iterations = ITERATIONS } = given;
  const salted = await derive(saslPrepared(password), salt, iterations, KEY, 'sha256');
  return {
    iterations,
    salt,
    storedKey: hash(hmac(salted, 'Client Key')),
    serverKey: hmac(salted, 'Server Key'),
  };
}

/**
 * What somebody is asked for who has no mailbox here, or no credential: the same for a name every time, and no password answers it.
 * @param secret of this gestore, the same after a restart
 */
export function nobodysCredential(secret: Uint8Array, account: string): ScramCredential {
  const salt = hmac(secret, `salt ${account}`).subarray(0, SALT);
  const [storedKey, serverKey] = [hmac(secret, `stored ${account}`), hmac(secret, `server ${account}`)];
  return { iterations: ITERATIONS, salt, storedKey, serverKey };
}

/** Whether the proof shows the password, over these messages. */
export function proves(credential: ScramCredential, messages: string, proof: Uint8Array): boolean {
  const signature = hmac(credential.storedKey, messages);
  if (proof.length !== signature.length) return false;
  const clientKey = signature.map((octet, at) => octet ^ (proof[at] ?? 0));
  return timingSafeEqual(hash(clientKey), credential.storedKey);
}

/** What proves to the client that we know its keys. */
export const serverSignature = (credential: ScramCredential, messages: string): Buffer =>
  hmac(credential.serverKey, messages);
