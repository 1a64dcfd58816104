import { anyState, command, inFolder, noArguments } from '../command.js';

/** RFC 9051 6.1.2: what happened meanwhile is told before its answer. */
export const noop = command({
  name: 'NOOP',
  states: anyState,
  grammar: noArguments,
  run: () => ({ text: 'Fatto / Done' }),
});

/** RFC 3501 6.4.1: everything is on the disk already. */
export const check = command({
  name: 'CHECK',
  states: inFolder,
  grammar: noArguments,
  run: () => ({ text: 'Fatto / Done' }),
});
