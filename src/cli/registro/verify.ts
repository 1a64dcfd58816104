import type { Run } from '../command.js';
import { withStore } from '../store.js';

export const run: Run = (call) =>
  withStore(call, async ({ store, config }) => {
    const { verifyWhole } = await import('../../registro/index.js');
    const verdict = await verifyWhole(store, config, Date.now());
    const { entries, lanes, acts, days, purged, stamped, fault, warnings } = verdict;
    if (call.json) call.print(JSON.stringify(verdict, null, 2));
    else if (fault === null) {
      call.print(`untouched: ${entries} entries in ${lanes} lanes, every link fits`);
      call.print(`${acts} acts of administrators`);
      call.print(`${days} days sealed (${purged} deleted by their age), ${stamped} seals stamped`);
    } else {
      const act = fault.act === null ? [] : [`act ${fault.act}`];
      const day = fault.day === null ? [] : [`day ${fault.day}`];
      const entry = fault.seq === null ? [] : [`lane ${fault.lane}, entry ${fault.seq}`];
      call.print(`TOUCHED at ${[...act, ...day, ...entry].join(', ')}: ${fault.reason}`);
      if (fault.identificativo !== null) call.print(`identificativo ${fault.identificativo}`);
      if (fault.seq !== null && fault.day === null) call.print(`${entries} entries before it fit`);
    }
    if (!call.json) for (const warning of new Set(warnings)) call.remark(`ceralacca: ${warning}`);
    return fault === null ? 0 : 1;
  });
