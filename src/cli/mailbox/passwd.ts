import { withAccounts } from '../accounts.js';
import type { Run } from '../command.js';
import { readPassword } from '../password.js';

export const run: Run = async (call) => {
  const password = await readPassword(call);
  return withAccounts(call, async (accounts) => {
    const { address } = await accounts.setPassword(call.argument(0), password);
    call.print(`${address}: password changed`);
    return 0;
  });
};
