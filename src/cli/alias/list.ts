import type { Run } from '../command.js';
import { withStore } from '../store.js';
import { aliasView } from '../views.js';

export const run: Run = (call) =>
  withStore(call, async ({ store }) => {
    call.list((await store.read('listAliases', {})).map(aliasView), [
      ['ALIAS', ({ address }) => address],
      ['MAILBOX', ({ mailbox }) => mailbox],
    ]);
    return 0;
  });
