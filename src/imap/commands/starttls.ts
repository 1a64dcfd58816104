import { command, noArguments } from '../command.js';
import { refusals } from '../refusals.js';

/** RFC 9051 6.2.1. */
export const starttls = command({
  name: 'STARTTLS',
  states: ['not-authenticated'],
  capability: ({ offersStartTls, mayLogIn }) => [
    ...(offersStartTls ? ['STARTTLS'] : []),
    ...(mayLogIn ? [] : ['LOGINDISABLED']),
  ],
  grammar: noArguments,
  run(_, { connection }) {
    if (!connection.offersStartTls) throw refusals.tlsUnavailable();
    if (connection.pending > 0) throw refusals.octetsAfterStartTls();
    return { text: 'Avvio TLS / Begin TLS negotiation', next: { kind: 'securing' } };
  },
});
