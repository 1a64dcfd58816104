import { scramMechanisms } from '../../accounts/index.js';
import { commandLimits, saslStart } from '../../wire/pop3/index.js';
import { type Connection, command, ok } from '../command.js';
import { listing } from '../listing.js';
import { refusals } from '../refusals.js';
import { answerSasl, challenge } from '../sasl.js';
import type { SaslStep } from '../state.js';

const PLAIN = 'PLAIN';

const mechanisms = ({ channel }: Connection): readonly string[] => [...scramMechanisms(channel), PLAIN];

function firstStep(mechanism: string, { channel }: Connection): SaslStep {
  if (mechanism === PLAIN) return { kind: 'plain' };
  const scram = scramMechanisms(channel).find((name) => name === mechanism);
  if (scram === undefined) throw refusals.unknownMechanism();
  return { kind: 'scram', mechanism: scram };
}

/** RFC 5034 4. Without an argument it lists the mechanisms, as Outlook asks. */
export const auth = command({
  name: 'AUTH',
  states: ['authorization', 'user'],
  grammar: saslStart,
  lineLimit: commandLimits.auth,
  // RFC 5034 3: still announced after the login.
  capability: (connection) => (connection.mayLogIn ? `SASL ${mechanisms(connection).join(' ')}` : undefined),
  run({ mechanism, initialResponse }, context) {
    const { connection } = context;
    if (!connection.mayLogIn) throw refusals.tlsRequired();
    if (mechanism === undefined) {
      return { reply: ok('Mechanisms follow'), body: listing(mechanisms(connection), (line) => line) };
    }
    const step = firstStep(mechanism, connection);
    if (initialResponse === undefined) return challenge(step);
    return answerSasl(step, initialResponse === '=' ? '' : initialResponse, context);
  },
});
