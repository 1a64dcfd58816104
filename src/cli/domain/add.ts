import { withAccounts } from '../accounts.js';
import type { Run } from '../command.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts) => {
    const { name } = await accounts.addDomain(call.argument(0));
    call.print(`${name}: added`);
    return 0;
  });
