import type { Run } from '../command.js';
import { withStore } from '../store.js';
import { entryNamed, quarantineView } from './entry.js';

export const run: Run = (call) =>
  withStore(call, async ({ store }) => {
    call.show(quarantineView(await entryNamed(store, call.argument(0))));
    return 0;
  });
