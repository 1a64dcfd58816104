import { stringify } from 'yaml';
import { readConfigFile, readKey } from '../../config/index.js';
import type { Run } from '../command.js';

export const run: Run = async (call) => {
  const text = readConfigFile(call.configFile);
  const value = readKey(text, call.configFile, call.argument(0), call.surroundings.env);
  call.print(call.json ? JSON.stringify(value, null, 2) : stringify(value).trimEnd());
  return 0;
};
