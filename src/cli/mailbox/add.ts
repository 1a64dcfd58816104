import { parseSize } from '../../config/index.js';
import { withAccounts } from '../accounts.js';
import type { Run } from '../command.js';
import { holderId } from '../holder/id.js';
import { readPassword } from '../password.js';

export const run: Run = async (call) => {
  const holder = call.option('holder');
  const quota = call.option('quota');
  const choices = {
    holder: holder === undefined ? undefined : holderId(holder),
    quota: quota === undefined ? undefined : parseSize(quota),
  };
  const password = await readPassword(call);
  return withAccounts(call, async (accounts) => {
    const { address } = await accounts.addMailbox(call.argument(0), password, choices);
    call.print(`${address}: added`);
    return 0;
  });
};
