import { optionalMessageNumber } from '../../wire/pop3/index.js';
import { maildropCommand, ok } from '../command.js';
import { listing, summary } from '../listing.js';

/** RFC 1939 5. */
export const list = maildropCommand({
  name: 'LIST',
  grammar: optionalMessageNumber,
  run(maildrop, number) {
    if (number !== undefined) return { reply: ok(`${number} ${maildrop.message(number).size}`) };
    return {
      reply: ok(summary(maildrop)),
      body: listing(maildrop.messages(), (message) => `${message.number} ${message.size}`),
    };
  },
});
