import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Config } from '../config/index.js';
import type { KeyPair } from '../tls/index.js';

/**
 * The certificate of the listeners, as it is on the disk now.
 * @throws the system's error for a file that cannot be read, OpenSSL's for a pair that cannot be used: no listener shall
 * have taken it by then
 */
export async function readTls({ tls }: Config): Promise<KeyPair> {
  const material = { cert: await readFile(tls.cert), key: await readFile(tls.key) };
  try {
    createSecureContext(material);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`tls: ${tls.cert} and ${tls.key} cannot be used: ${reason}`, { cause });
  }
  return material;
}
