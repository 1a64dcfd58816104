import { loggedName } from '../accounts/index.js';
import type { Context, Done } from './command.js';
import { refusals } from './refusals.js';

/** Checks the credentials; the answer carries the capabilities as they are from here on. @throws ImapError */
export async function logIn(
  { user, password }: { readonly user: string; readonly password: string },
  { services, connection, capabilities }: Context,
): Promise<Done> {
  if (!connection.mayLogIn) throw refusals.tlsRequired();
  const { accounts, telemetry } = services;
  const { peer, session } = connection;
  const facts = { protocol: 'imap', peer, session } as const;
  const name = loggedName(user);
  const outcome = await accounts.authenticate({ address: user, password, remote: peer });
  if (!outcome.ok) {
    if (outcome.reason === 'throttled') {
      telemetry.event('login.throttled', { ...facts, user: name, cause: outcome.cause });
      throw refusals.throttled();
    }
    telemetry.event('login.failed', { ...facts, user: name, reason: outcome.reason });
    throw outcome.reason === 'revoked' ? refusals.revoked() : refusals.badCredentials();
  }
  const { id: mailboxId, address } = outcome.mailbox;
  telemetry.event('login.ok', { ...facts, mailbox: address });
  return {
    code: `CAPABILITY ${capabilities()}`,
    text: 'Accesso eseguito / Logged in',
    next: { kind: 'authenticated', account: { mailboxId, address } },
  };
}
