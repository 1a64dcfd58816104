import type { Run } from '../command.js';
import { withDirectory } from './open.js';

export const run: Run = (call) =>
  withDirectory(call, async (directory, { config }) => {
    if (config.directory.sources.length === 0) {
      call.remark('directory.sources is empty: there is nothing to read again');
      return 0;
    }
    const { loaded, failed } = await directory.refresh();
    for (const source of loaded) call.print(`${source}: loaded`);
    for (const source of failed) call.remark(`ceralacca: ${source}`);
    return failed.length === 0 ? 0 : 1;
  });
