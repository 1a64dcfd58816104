import { octetsText } from '../../wire/imap/index.js';
import { command } from '../command.js';
import { logIn } from '../log-in.js';

/** RFC 9051 6.2.3. */
export const login = command({
  name: 'LOGIN',
  states: ['not-authenticated'],
  grammar(scanner) {
    scanner.space();
    const user = octetsText(scanner.astring());
    scanner.space();
    return { user, password: octetsText(scanner.astring()) };
  },
  run: (credentials, context) => logIn(credentials, context),
});
