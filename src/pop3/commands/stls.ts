import { noArgument } from '../../wire/pop3/index.js';
import { command, ok } from '../command.js';
import { refusals } from '../refusals.js';

/** RFC 2595 4. */
export const stls = command({
  name: 'STLS',
  states: ['authorization', 'user'],
  grammar: noArgument,
  // RFC 2595 4: announced where it is permitted.
  capability: ({ offersStls }, { kind }) => (offersStls && kind !== 'transaction' ? 'STLS' : undefined),
  run(_, { connection }) {
    if (connection.secure) throw refusals.tlsActive();
    if (!connection.offersStls) throw refusals.tlsUnavailable();
    if (connection.pending > 0) throw refusals.octetsAfterStls();
    return { reply: ok('Begin TLS negotiation'), next: { kind: 'securing' } };
  },
});
