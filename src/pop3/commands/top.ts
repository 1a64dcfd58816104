import { messageAndLines, stuffed, topOf } from '../../wire/pop3/index.js';
import { maildropCommand, ok } from '../command.js';

/** RFC 1939 7. */
export const top = maildropCommand({
  name: 'TOP',
  grammar: messageAndLines,
  capability: () => 'TOP',
  async run(maildrop, { message, lines }) {
    const rope = await maildrop.read(maildrop.message(message), 'part');
    return { reply: ok('Top of message follows'), body: stuffed(topOf(rope.chunks(), lines)) };
  },
});
