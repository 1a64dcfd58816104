import { Readable } from 'node:stream';
import { main } from '../../src/cli/index.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export async function ceralacca(
  argv: readonly string[],
  { env = {}, stdin = '' }: { env?: NodeJS.ProcessEnv; stdin?: string } = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await main(argv, {
    env,
    stdin: Readable.from([Buffer.from(stdin)]),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}
