import { mailboxName } from '../../wire/pop3/index.js';
import { command, ok } from '../command.js';
import { refusals } from '../refusals.js';

/** RFC 1939 7. The answer does not tell whether there is such a mailbox. */
export const user = command({
  name: 'USER',
  states: ['authorization', 'user'],
  grammar: mailboxName,
  // RFC 2449 6.2: announced in both states.
  capability: ({ mayLogIn }) => (mayLogIn ? 'USER' : undefined),
  run(name, { connection }) {
    if (!connection.mayLogIn) throw refusals.tlsRequired();
    return { reply: ok('Send PASS'), next: { kind: 'user', user: name } };
  },
});
