import type { Accounts } from '../accounts/index.js';
import type { Mailbox } from '../storage/index.js';
import { type Call, CommandError, type Run } from './command.js';
import { type Workplace, withStore } from './store.js';

/** Opens the store for a command about domains, holders, mailboxes and aliases. Throws as withStore. */
export function withAccounts<T>(
  call: Call,
  work: (accounts: Accounts, place: Workplace) => Promise<T>,
): Promise<T> {
  return withStore(call, async (place) => {
    const { Accounts } = await import('../accounts/index.js');
    const { provider, limits } = place.config;
    const accounts = new Accounts({
      store: place.store,
      serviceMailbox: provider.service_mailbox,
      defaultQuota: limits.mailbox_quota,
      throttleLogins: false,
    });
    return work(accounts, place);
  });
}

/** The mailbox an address leads to. Throws CommandError. */
export async function mailboxAt(accounts: Accounts, address: string): Promise<Mailbox> {
  const mailbox = await accounts.find(address);
  if (mailbox === undefined) throw new CommandError(`no mailbox ${address}`);
  return mailbox;
}

/** A command that changes the mailbox named by its first argument and tells what it is then. */
export const changeMailbox =
  (change: (accounts: Accounts, address: string) => Promise<Mailbox>): Run =>
  (call) =>
    withAccounts(call, async (accounts) => {
      const { address, state } = await change(accounts, call.argument(0));
      call.print(`${address}: ${state}`);
      return 0;
    });
