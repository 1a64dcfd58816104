import { readConfigFile, setKey } from '../../config/index.js';
import type { Run } from '../command.js';
import { replaceFile } from '../replace-file.js';

export const run: Run = async (call) => {
  const file = call.configFile;
  const { text, key, reload } = setKey(readConfigFile(file), file, call.argument(0), call.argument(1));
  replaceFile(file, text);
  call.print(`${key}: set; a running server takes it up ${reload ? 'on SIGHUP' : 'at its next start'}`);
  const variable = `CERALACCA__${key.replaceAll('.', '__').toUpperCase()}`;
  if (call.surroundings.env[variable] !== undefined)
    call.remark(`${variable} is set here and wins over the file`);
  return 0;
};
