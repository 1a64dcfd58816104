import type { MailRules } from '../accounts/index.js';
import type { Call } from './command.js';
import { withStore } from './store.js';

/** Opens the store for a command about a mailbox's rules. Throws as withStore. */
export const withMailRules = <T>(call: Call, work: (rules: MailRules) => Promise<T>): Promise<T> =>
  withStore(call, async ({ store }) => {
    const { MailRules } = await import('../accounts/index.js');
    return work(new MailRules({ store }));
  });

/** What `mailbox notify add` and `remove` are about. */
export const watchOf = (call: Call) => ({
  mailbox: call.argument(0),
  sender: call.option('from') ?? '',
  notified: call.option('to') ?? '',
});
