import type { Run } from '../../command.js';
import { withStore } from '../../store.js';
import { timeText } from '../../text.js';

export const run: Run = (call) =>
  withStore(call, async ({ store }) => {
    const holds = (await store.read('listHolds', {})).map(({ identificativo, reason, createdAt }) => ({
      identificativo,
      reason,
      since: timeText(createdAt),
    }));
    call.list(holds, [
      ['IDENTIFICATIVO', ({ identificativo }) => identificativo],
      ['SINCE', ({ since }) => since],
      ['REASON', ({ reason }) => reason],
    ]);
    return 0;
  });
