import { password } from '../../wire/pop3/index.js';
import { command, ok } from '../command.js';
import { summary } from '../listing.js';
import { refusals } from '../refusals.js';

/** RFC 1939 7: after USER only; when it fails, USER has to be given again. */
export const pass = command({
  name: 'PASS',
  states: ['user'],
  grammar: password,
  async run(secret, { state, login }) {
    if (state.kind !== 'user') throw refusals.wrongState('PASS');
    const maildrop = await login.withPassword(state.user, secret);
    return { reply: ok(summary(maildrop)), next: { kind: 'transaction', maildrop } };
  },
});
