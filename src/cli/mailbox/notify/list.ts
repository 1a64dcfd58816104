import type { Run } from '../../command.js';
import { withMailRules } from '../../rules.js';
import { watchedView } from '../../views.js';

export const run: Run = (call) =>
  withMailRules(call, async (rules) => {
    call.list((await rules.watched(call.argument(0))).map(watchedView), [
      ['FROM', ({ sender }) => sender],
      ['TO', ({ notified }) => notified],
      ['SINCE', ({ createdAt }) => createdAt],
    ]);
    return 0;
  });
