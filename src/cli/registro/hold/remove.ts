import type { Run } from '../../command.js';
import { withStore } from '../../store.js';

export const run: Run = (call) =>
  withStore(call, async ({ store }) => {
    const identificativo = call.argument(0).replace(/^<|>$/g, '');
    const { removed } = await store.write('removeHold', { identificativo });
    call.print(`${identificativo}: no longer held, ${removed} entries deleted`);
    return 0;
  });
