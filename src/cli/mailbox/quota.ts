import { parseSize } from '../../config/index.js';
import { withAccounts } from '../accounts.js';
import type { Run } from '../command.js';
import { sizeText } from '../text.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts) => {
    const { address, quota } = await accounts.setQuota(call.argument(0), parseSize(call.argument(1)));
    call.print(`${address}: quota ${sizeText(quota)}`);
    return 0;
  });
