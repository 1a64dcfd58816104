import { optionalMessageNumber } from '../../wire/pop3/index.js';
import { maildropCommand, ok } from '../command.js';
import { listing } from '../listing.js';

/** RFC 1939 7. */
export const uidl = maildropCommand({
  name: 'UIDL',
  grammar: optionalMessageNumber,
  capability: () => 'UIDL',
  run(maildrop, number) {
    if (number !== undefined) {
      return { reply: ok(`${number} ${maildrop.uniqueId(maildrop.message(number))}`) };
    }
    return {
      reply: ok('Unique-id listing follows'),
      body: listing(maildrop.messages(), (message) => `${message.number} ${maildrop.uniqueId(message)}`),
    };
  },
});
