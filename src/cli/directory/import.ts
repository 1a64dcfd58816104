import { readFile } from 'node:fs/promises';
import type { Run } from '../command.js';
import { withDirectory } from './open.js';

export const run: Run = async (call) => {
  const trustFile = call.option('trust');
  const bytes = await readFile(call.argument(0));
  const trust = trustFile === undefined ? '' : await readFile(trustFile, 'latin1');
  return withDirectory(call, async (directory) => {
    const { records, signer } = await directory.import(bytes, trust, {
      replace: call.flag('replace'),
    });
    for (const { providerName, managedDomains } of records) {
      call.print(`${providerName}: ${managedDomains.length} domains`);
    }
    if (signer === undefined) call.remark('the file is not signed: it was believed as it stands');
    return 0;
  });
};
