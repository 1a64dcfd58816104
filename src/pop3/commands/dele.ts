import { messageNumber } from '../../wire/pop3/index.js';
import { maildropCommand, ok } from '../command.js';

/** RFC 1939 5: only marked; it goes at QUIT. */
export const dele = maildropCommand({
  name: 'DELE',
  grammar: messageNumber,
  run(maildrop, number) {
    maildrop.markDeleted(maildrop.message(number));
    return { reply: ok(`Message ${number} deleted`) };
  },
});
