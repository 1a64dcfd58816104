import type { Run } from '../../command.js';
import { withStore } from '../../store.js';

export const run: Run = (call) =>
  withStore(call, async ({ store }) => {
    const identificativo = call.argument(0).replace(/^<|>$/g, '');
    const reason = call.option('reason') ?? '';
    const { entries } = await store.write('addHold', { identificativo, reason, now: Date.now() });
    call.print(`${identificativo}: held, ${entries} entries`);
    // What is held may still come; a mistyped id would hold nothing for good.
    if (entries === 0) call.remark('ceralacca: nothing about it is in the register');
    return 0;
  });
