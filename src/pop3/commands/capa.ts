import { noArgument } from '../../wire/pop3/index.js';
import { command, ok } from '../command.js';
import { listing } from '../listing.js';

/** RFC 2449 5. */
export const capa = command({
  name: 'CAPA',
  states: ['authorization', 'user', 'transaction'],
  grammar: noArgument,
  run: (_, context) => ({
    reply: ok('Capability list follows'),
    body: listing(context.capabilities(), (line) => line),
  }),
});
