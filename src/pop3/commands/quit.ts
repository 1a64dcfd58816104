import { noArgument } from '../../wire/pop3/index.js';
import { command, ok } from '../command.js';

/** RFC 1939 4 and 6: the one way into UPDATE. */
export const quit = command({
  name: 'QUIT',
  states: ['authorization', 'user', 'transaction'],
  grammar: noArgument,
  run(_, { state }) {
    if (state.kind === 'transaction') return { update: state.maildrop };
    return { reply: ok('Arrivederci / Bye'), next: { kind: 'closed' } };
  },
});
