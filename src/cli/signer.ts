import type { Config } from '../config/index.js';
import type { Signer } from '../smime/index.js';
import { CommandError } from './command.js';

/** Opens the key of the gestore for a command and closes it afterwards. @throws CommandError, SignerError */
export async function withSigner<T>(
  { signing }: Pick<Config, 'signing'>,
  work: (signer: Signer) => Promise<T>,
): Promise<T> {
  if (signing.key.kind !== 'file')
    throw new CommandError('signing.key: this build signs with keys in files only');
  const { openSigner } = await import('../smime/index.js');
  const signer = await openSigner({
    file: signing.key.file,
    passphraseFile: signing.key.passphrase_file,
    certificateFile: signing.certificate,
    chainFile: signing.chain,
  });
  try {
    return await work(signer);
  } finally {
    await signer.close();
  }
}
