import type { Store } from '../../storage/index.js';
import { type Call, UsageError } from '../command.js';
import { withStore } from '../store.js';

/** The number of a queue row. Throws UsageError. */
export function rowId(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`"${text}" is not the id of a queue row`);
  return Number(text);
}

/** Does something to each row named on the command line; one that fails does not stop the others. */
export function eachRow(
  call: Call,
  done: string,
  work: (store: Store, id: number) => Promise<unknown>,
): Promise<number> {
  const ids = call.arguments.map(rowId);
  return withStore(call, async ({ store }) => {
    let failed = 0;
    for (const id of ids) {
      try {
        await work(store, id);
        call.print(`${id}: ${done}`);
      } catch (error) {
        failed += 1;
        call.remark(`ceralacca: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return failed === 0 ? 0 : 1;
  });
}
