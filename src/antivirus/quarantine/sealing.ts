/**
 * One sealed message: a nonce of 12 octets, the ciphertext, a tag of 16 (AES-256-GCM). It is bound to its place by the
 * additional data: the id of its entry. What is opened is not to be believed before the end, where the tag is.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Rope } from '../../rope/index.js';
import type { QuarantineKey } from './keys.js';

const ALGORITHM = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

/** Octets that a sealed message is longer than the message. */
export const OVERHEAD = NONCE + TAG;

/** A sealed message does not open: another key, another entry's bytes, or bytes that changed. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

const boundTo = (id: string): Buffer => Buffer.from(`ceralacca quarantine 1\0${id}`, 'utf8');

/** @returns through the generator the SHA-256 of the message, lower-case hex */
export async function* sealed(
  message: Rope,
  id: string,
  { secret }: QuarantineKey,
): AsyncGenerator<Buffer, string, undefined> {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(ALGORITHM, secret, nonce, { authTagLength: TAG });
  cipher.setAAD(boundTo(id));
  const hash = createHash('sha256');
  yield nonce;
  for await (const chunk of message.chunks()) {
    hash.update(chunk);
    yield cipher.update(chunk);
  }
  yield cipher.final();
  yield cipher.getAuthTag();
  return hash.digest('hex');
}

/** @throws SealBroken, at the end for what changed on the way */
export async function* opened(
  ciphertext: Rope,
  id: string,
  { secret }: QuarantineKey,
): AsyncGenerator<Buffer, void, undefined> {
  if (ciphertext.length < OVERHEAD) throw new SealBroken(`${id}: too short to be a sealed message`);
  const end = ciphertext.length - TAG;
  const nonce = await ciphertext.slice(0, NONCE).bytes();
  const decipher = createDecipheriv(ALGORITHM, secret, nonce, { authTagLength: TAG });
  decipher.setAAD(boundTo(id));
  decipher.setAuthTag(await ciphertext.slice(end).bytes());
  for await (const chunk of ciphertext.slice(NONCE, end).chunks()) yield decipher.update(chunk);
  try {
    yield decipher.final();
  } catch (error) {
    throw new SealBroken(`${id}: these are not the bytes that were sealed`, { cause: error });
  }
}
