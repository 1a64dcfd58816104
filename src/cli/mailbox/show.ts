import { mailboxAt, withAccounts } from '../accounts.js';
import type { Run } from '../command.js';
import { mailboxView } from '../views.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts) => {
    const mailbox = await mailboxAt(accounts, call.argument(0));
    const aliases = (await accounts.listAliases()).filter((alias) => alias.mailbox === mailbox.address);
    call.show({ ...mailboxView(mailbox), aliases: aliases.map(({ address }) => address) });
    return 0;
  });
