import { noArgument } from '../../wire/pop3/index.js';
import { maildropCommand, ok } from '../command.js';

/** RFC 1939 5. */
export const noop = maildropCommand({
  name: 'NOOP',
  grammar: noArgument,
  run: () => ({ reply: ok('') }),
});
