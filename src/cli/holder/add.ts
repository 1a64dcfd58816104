import { withAccounts } from '../accounts.js';
import { type Run, UsageError } from '../command.js';

export const run: Run = (call) =>
  withAccounts(call, async (accounts) => {
    const name = call.argument(0).trim();
    if (name === '') throw new UsageError('a holder needs a name');
    const { id } = await accounts.addHolder(name, call.option('tax-code') ?? null);
    call.print(String(id));
    return 0;
  });
