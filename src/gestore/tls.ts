import { readFile } from 'node:fs/promises';
import type { Config } from '../config/index.js';
import type { KeyPair } from '../tls/index.js';

/** The certificate of the listeners, as it is on the disk now. */
export const readTls = async ({ tls }: Config): Promise<KeyPair> => ({
  cert: await readFile(tls.cert),
  key: await readFile(tls.key),
});
