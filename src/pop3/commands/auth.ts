import { commandLimits, saslStart } from '../../wire/pop3/index.js';
import { command, ok } from '../command.js';
import { listing } from '../listing.js';
import { refusals } from '../refusals.js';
import { answerPlain } from '../sasl-plain.js';

const MECHANISM = 'PLAIN';

/** RFC 5034 4. Without an argument it lists the mechanisms, as Outlook asks. */
export const auth = command({
  name: 'AUTH',
  states: ['authorization', 'user'],
  grammar: saslStart,
  lineLimit: commandLimits.auth,
  // RFC 5034 3: still announced after the login.
  capability: ({ mayLogIn }) => (mayLogIn ? `SASL ${MECHANISM}` : undefined),
  run({ mechanism, initialResponse }, context) {
    if (!context.connection.mayLogIn) throw refusals.tlsRequired();
    if (mechanism === undefined) {
      return { reply: ok('Mechanisms follow'), body: listing([MECHANISM], (line) => line) };
    }
    if (mechanism !== MECHANISM) throw refusals.unknownMechanism();
    if (initialResponse !== undefined) {
      return answerPlain(initialResponse === '=' ? '' : initialResponse, context);
    }
    return {
      reply: { status: '+', challenge: Buffer.alloc(0) },
      next: { kind: 'sasl', mechanism: MECHANISM },
    };
  },
});
