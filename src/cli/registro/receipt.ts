import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { CommandError, type Run } from '../command.js';
import { withStore } from '../store.js';

export const run: Run = (call) =>
  withStore(call, async ({ store }) => {
    const { findReceipt } = await import('../../registro/index.js');
    const identificativo = call.argument(0).replace(/^<|>$/g, '');
    const recipient = call.option('recipient');
    const found = await findReceipt(store, identificativo, recipient);
    if (found === undefined) {
      const what = recipient === undefined ? 'accettazione' : `receipt for ${recipient}`;
      throw new CommandError(
        `no ${what} of ${identificativo} is kept; "ceralacca registro extract" gives what the register says`,
      );
    }
    const out = call.option('out') ?? '';
    const file = createWriteStream(out, { mode: 0o600 });
    try {
      await pipeline(found.bytes.chunks(), file);
    } catch (error) {
      // Half a receipt must not be taken for one.
      if (file.bytesWritten > 0) await rm(out, { force: true });
      throw error;
    }
    call.print(
      `${out}: ${found.receipt.kind}${found.receipt.recipient === '' ? '' : ` ${found.receipt.recipient}`}`,
    );
    return 0;
  });
