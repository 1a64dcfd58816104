import { writeFile } from 'node:fs/promises';
import type { Config } from '../../config/index.js';
import type { Run } from '../command.js';
import { withSigner } from '../signer.js';
import { withDirectory } from './open.js';

export const run: Run = (call) =>
  withDirectory(call, async (directory, { config }) => {
    const ldif = directory.ownLdif();
    const out = call.option('out');
    if (out === undefined) call.surroundings.out(ldif);
    else {
      await writeFile(out, out.endsWith('.ldif') ? ldif : await signed(ldif, config));
      call.print(`${out}: written`);
    }
    return 0;
  });

/** RFC 6109 4.5.6: the record travels inside the gestore's own signature. */
async function signed(ldif: string, config: Config): Promise<Buffer> {
  const { signAttached } = await import('../../smime/index.js');
  return withSigner(config, (signer) => signAttached(Buffer.from(ldif), signer, Date.now()));
}
