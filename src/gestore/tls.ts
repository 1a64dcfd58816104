import { readFile } from 'node:fs/promises';
import type { Config } from '../config/index.js';

/** PEM. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The certificate of the listeners, as it is on the disk now. */
export const readTls = async ({ tls }: Config): Promise<TlsMaterial> => ({
  cert: await readFile(tls.cert),
  key: await readFile(tls.key),
});
