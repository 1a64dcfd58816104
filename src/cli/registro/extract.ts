import { actorOf } from '../act.js';
import type { Run } from '../command.js';
import { withSigner } from '../signer.js';
import { withStore } from '../store.js';

export const run: Run = (call) =>
  withStore(call, async ({ config, store }) => {
    const { writeExtract } = await import('../../registro/index.js');
    const question = {
      identificativo: call.argument(0).replace(/^<|>$/g, ''),
      recipient: call.option('recipient'),
      requestedBy: actorOf(call),
      reason: call.option('reason') ?? '',
    };
    const parts = { store, gestore: config.provider.name, clock: Date.now };
    const { files, entries, proved } = await withSigner(config, (signer) =>
      writeExtract({ ...parts, signer }, question, call.option('out') ?? ''),
    );
    for (const file of files) call.print(file);
    call.print(`${entries} entries, ${proved} of them proved by the seal of their day`);
    if (proved < entries)
      call.remark(
        'ceralacca: the others are of a day that is not sealed: "ceralacca registro seal" seals it so far',
      );
    return 0;
  });
