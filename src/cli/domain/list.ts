import { withAccounts } from '../accounts.js';
import type { Run } from '../command.js';
import { domainView } from '../views.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts) => {
    call.list((await accounts.listDomains()).map(domainView), [
      ['DOMAIN', ({ name }) => name],
      ['SINCE', ({ createdAt }) => createdAt.slice(0, 10)],
    ]);
    return 0;
  });
