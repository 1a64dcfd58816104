import { anyState, command, noArguments } from '../command.js';

/** RFC 9051 6.1.1. */
export const capability = command({
  name: 'CAPABILITY',
  states: anyState,
  grammar: noArguments,
  run(_, context) {
    context.untagged(`CAPABILITY ${context.capabilities()}`);
    return { text: 'Fatto / Done' };
  },
});
