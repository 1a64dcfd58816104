import { anyState, command, noArguments } from '../command.js';

/** RFC 9051 6.1.3. */
export const logout = command({
  name: 'LOGOUT',
  states: anyState,
  tells: 'none',
  grammar: noArguments,
  run(_, context) {
    context.untagged('BYE Arrivederci / Bye');
    return { text: 'Fatto / Done', next: { kind: 'logout' } };
  },
});
