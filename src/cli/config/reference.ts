import { renderConfig } from '../../config/index.js';
import type { Run } from '../command.js';

export const run: Run = async (call) => {
  call.surroundings.out(renderConfig());
  return 0;
};
