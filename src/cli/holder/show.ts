import { withAccounts } from '../accounts.js';
import { CommandError, type Run } from '../command.js';
import { holderView } from '../views.js';
import { holderId } from './id.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts) => {
    const id = holderId(call.argument(0));
    const holder = await accounts.findHolder(id);
    if (holder === undefined) throw new CommandError(`no holder ${id}`);
    const mailboxes = (await accounts.listMailboxes()).filter((mailbox) => mailbox.holderId === id);
    call.show({ ...holderView(holder), mailboxes: mailboxes.map(({ address }) => address) });
    return 0;
  });
