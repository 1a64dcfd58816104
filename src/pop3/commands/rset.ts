import { noArgument } from '../../wire/pop3/index.js';
import { maildropCommand, ok } from '../command.js';
import { summary } from '../listing.js';

/** RFC 1939 5. */
export const rset = maildropCommand({
  name: 'RSET',
  grammar: noArgument,
  run(maildrop) {
    maildrop.unmarkAll();
    return { reply: ok(summary(maildrop)) };
  },
});
