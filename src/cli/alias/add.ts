import { withAccounts } from '../accounts.js';
import type { Run } from '../command.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts) => {
    const { address, mailbox } = await accounts.addAlias(call.argument(0), call.argument(1));
    call.print(`${address}: alias of ${mailbox}`);
    return 0;
  });
