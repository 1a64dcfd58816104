import type { Run } from '../command.js';
import { withStore } from '../store.js';
import { queueView } from '../views.js';

export const run: Run = (call) =>
  withStore(call, async ({ store }) => {
    call.list((await store.read('listQueue', {})).map(queueView), [
      ['ID', ({ id }) => id],
      ['STATE', ({ state }) => state],
      ['KIND', ({ kind }) => kind],
      ['RECIPIENT', ({ recipient }) => recipient],
      ['TRIES', ({ attempts }) => attempts],
      ['NEXT', ({ nextAttempt }) => `${nextAttempt.slice(0, 19)}Z`],
      ['IDENTIFICATIVO', ({ identificativo }) => identificativo],
      ['LAST ERROR', ({ lastError }) => lastError.split('\n')[0] ?? ''],
    ]);
    return 0;
  });
