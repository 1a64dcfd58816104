import { CommandError, type Run } from '../command.js';
import { withStore } from '../store.js';
import { queueView } from '../views.js';
import { rowId } from './rows.js';

export const run: Run = (call) =>
  withStore(call, async ({ store }) => {
    const id = rowId(call.argument(0));
    const row = await store.read('findQueueRow', { id });
    if (row === undefined) throw new CommandError(`no queue row ${id}`);
    call.show(queueView(row));
    return 0;
  });
