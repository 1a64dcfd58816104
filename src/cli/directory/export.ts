import { writeFile } from 'node:fs/promises';
import type { Config } from '../../config/index.js';
import { CommandError, type Run } from '../command.js';
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
async function signed(ldif: string, { signing }: Config): Promise<Buffer> {
  if (signing.key.kind !== 'file')
    throw new CommandError('signing.key: this build signs with keys in files only');
  const { openSigner, signAttached } = await import('../../smime/index.js');
  const signer = await openSigner({
    file: signing.key.file,
    passphraseFile: signing.key.passphrase_file,
    certificateFile: signing.certificate,
    chainFile: signing.chain,
  });
  try {
    return await signAttached(Buffer.from(ldif), signer, Date.now());
  } finally {
    await signer.close();
  }
}
