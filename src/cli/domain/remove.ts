import { withAccounts } from '../accounts.js';
import type { Run } from '../command.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts) => {
    await accounts.removeDomain(call.argument(0));
    call.print(`${call.argument(0)}: removed`);
    return 0;
  });
