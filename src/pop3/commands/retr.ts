import { messageNumber, stuffed } from '../../wire/pop3/index.js';
import { maildropCommand, ok } from '../command.js';

/** RFC 1939 5. The stored bytes as they are, read while they are sent. */
export const retr = maildropCommand({
  name: 'RETR',
  grammar: messageNumber,
  async run(maildrop, number) {
    const message = maildrop.message(number);
    const rope = await maildrop.read(message, 'whole');
    return { reply: ok(`${message.size} octets`), body: stuffed(rope.chunks()) };
  },
});
