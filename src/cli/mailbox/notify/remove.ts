import type { Run } from '../../command.js';
import { watchOf, withMailRules } from '../../rules.js';

export const run: Run = (call) =>
  withMailRules(call, async (rules) => {
    const watch = watchOf(call);
    await rules.unwatch(watch);
    call.print(`${watch.mailbox}: ${watch.notified} is no longer told of messages from ${watch.sender}`);
    return 0;
  });
