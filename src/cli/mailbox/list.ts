import { withAccounts } from '../accounts.js';
import type { Run } from '../command.js';
import { sizeText } from '../text.js';
import { mailboxView } from '../views.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts) => {
    call.list((await accounts.listMailboxes(call.option('domain'))).map(mailboxView), [
      ['ADDRESS', ({ address }) => address],
      ['KIND', ({ kind }) => kind],
      ['STATE', ({ state }) => state],
      ['HOLDER', ({ holderId }) => holderId],
      ['USED', ({ used }) => sizeText(used)],
      ['QUOTA', ({ quota }) => sizeText(quota)],
    ]);
    return 0;
  });
