import { noArgument } from '../../wire/pop3/index.js';
import { maildropCommand, ok } from '../command.js';

/** RFC 1939 5: nothing but the two numbers. */
export const stat = maildropCommand({
  name: 'STAT',
  grammar: noArgument,
  run: ({ count, size }) => ({ reply: ok(`${count} ${size}`) }),
});
