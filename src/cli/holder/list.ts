import { withAccounts } from '../accounts.js';
import type { Run } from '../command.js';
import { holderView } from '../views.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts) => {
    call.list((await accounts.listHolders()).map(holderView), [
      ['ID', ({ id }) => id],
      ['NAME', ({ name }) => name],
      ['TAX CODE', ({ taxCode }) => taxCode],
    ]);
    return 0;
  });
