import type { Run } from '../command.js';
import { withDirectory } from './open.js';
import { providerView } from './view.js';

export const run: Run = (call) =>
  withDirectory(call, async (directory) => {
    call.list(directory.records().map(providerView), [
      ['GESTORE', ({ providerName }) => providerName],
      ['UNIT', ({ providerUnit }) => providerUnit],
      ['DOMAINS', ({ managedDomains }) => managedDomains.length],
      ['MAIL RECEIPT', ({ mailReceipt }) => mailReceipt],
      ['CERTIFICATES', ({ certificateHashes }) => certificateHashes.length],
    ]);
    return 0;
  });
