import { mailboxAt, withAccounts } from '../accounts.js';
import { type Call, CommandError, type Run, UsageError } from '../command.js';

export const run: Run = (call) => {
  const action = call.argument(1);
  if (action === 'list') return list(call);
  if (action === 'hide' || action === 'show') return change(call, action === 'hide');
  throw new UsageError(`"${action}" is none of hide, show, list`);
};

async function list(call: Call): Promise<number> {
  if (call.arguments.length > 2) throw new UsageError('list takes no capability');
  const known = await hideable();
  return withAccounts(call, async (accounts) => {
    const { id } = await mailboxAt(accounts, call.argument(0));
    const hidden = await accounts.hiddenCapabilities(id);
    // What an earlier program knew may still be hidden.
    const names = [...new Set([...known, ...hidden])].sort();
    call.list(
      names.map((capability) => ({ capability, hidden: hidden.includes(capability) })),
      [
        ['CAPABILITY', ({ capability }) => capability],
        ['HIDDEN', (row) => (row.hidden ? 'yes' : 'no')],
      ],
    );
    return 0;
  });
}

async function change(call: Call, hidden: boolean): Promise<number> {
  const capability = call.argument(2).toUpperCase();
  const known = await hideable();
  // One that is not known any more can be shown, never hidden.
  if (hidden && !known.includes(capability))
    throw new CommandError(`no capability ${capability} that can be hidden; there are ${known.join(' ')}`);
  return withAccounts(call, async (accounts) => {
    const address = await accounts.setCapability(call.argument(0), capability, hidden);
    call.print(`${address}: ${capability} ${hidden ? 'hidden' : 'shown'} from the next login on`);
    return 0;
  });
}

const hideable = async (): Promise<readonly string[]> =>
  (await import('../../imap/index.js')).hideableCapabilities();
