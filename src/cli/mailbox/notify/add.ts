import type { Run } from '../../command.js';
import { watchOf, withMailRules } from '../../rules.js';

export const run: Run = (call) =>
  withMailRules(call, async (rules) => {
    const { mailbox, sender, notified } = await rules.watch(watchOf(call));
    call.print(`${mailbox}: ${notified} is told of messages from ${sender}`);
    return 0;
  });
