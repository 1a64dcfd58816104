import type { Run } from '../command.js';

export const run: Run = async (call) => {
  const config = await call.config();
  call.print(`${config.paths.file}: ok`);
  if (config.testing) call.remark('testing: true. This gestore must certify nothing that matters.');
  return 0;
};
