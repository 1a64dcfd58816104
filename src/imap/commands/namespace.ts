import { command, loggedIn, noArguments } from '../command.js';

/** RFC 2342: everybody has his own folders and no others. */
export const namespace = command({
  name: 'NAMESPACE',
  states: loggedIn,
  comesWith: ['NAMESPACE'],
  capability: ['NAMESPACE'],
  grammar: noArguments,
  run(_, context) {
    context.untagged('NAMESPACE (("" "/")) NIL NIL');
    return { text: 'Fatto / Done' };
  },
});
