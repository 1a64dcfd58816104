import type { Run } from '../command.js';
import { withStore } from '../store.js';

export const run: Run = (call) =>
  withStore(call, async ({ store }) => {
    const { verifyRegister } = await import('../../registro/index.js');
    const verdict = await verifyRegister(store);
    const { entries, lanes, fault } = verdict;
    if (call.json) call.print(JSON.stringify(verdict, null, 2));
    else if (fault === null) call.print(`untouched: ${entries} entries in ${lanes} lanes, every link fits`);
    else {
      call.print(`TOUCHED at lane ${fault.lane}, entry ${fault.seq}: ${fault.reason}`);
      if (fault.identificativo !== null) call.print(`identificativo ${fault.identificativo}`);
      call.print(`${entries} entries before it fit`);
    }
    return fault === null ? 0 : 1;
  });
