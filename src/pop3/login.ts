import { type Accounts, loggedName } from '../accounts/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { MailboxLocks } from './locks.js';
import { Maildrop, type MaildropStore } from './maildrop.js';
import { refusals } from './refusals.js';

/** What a login needs. */
export interface LoginDesk {
  readonly accounts: Pick<Accounts, 'authenticate'>;
  readonly mailstore: MaildropStore;
  readonly locks: MailboxLocks;
  readonly telemetry: Pick<Telemetry, 'event'>;
}

export interface LoginAttempt {
  readonly user: string;
  readonly password: string;
  /** The peer's IP address. */
  readonly peer: string;
  /** Id of the connection, for the log. */
  readonly session: string;
  /** Called when another session takes the mailbox over. */
  onLost(): void;
}

/**
 * Checks the credentials, locks the mailbox and reads its snapshot. Whoever gets the maildrop releases it.
 * @throws Pop3Error; StoreUnavailable.
 */
export async function logIn(desk: LoginDesk, attempt: LoginAttempt): Promise<Maildrop> {
  const { accounts, mailstore, locks, telemetry } = desk;
  const { password, peer, session } = attempt;
  const user = loggedName(attempt.user);
  const facts = { protocol: 'pop3', peer, session } as const;
  const outcome = await accounts.authenticate({ address: attempt.user, password, remote: peer });
  if (!outcome.ok) {
    if (outcome.reason === 'throttled') {
      telemetry.event('login.throttled', { ...facts, user, cause: outcome.cause });
      throw refusals.throttled();
    }
    telemetry.event('login.failed', { ...facts, user, reason: outcome.reason });
    throw outcome.reason === 'revoked' ? refusals.revoked() : refusals.badCredentials();
  }
  const { id, address } = outcome.mailbox;
  const lock = locks.acquire(id, attempt.onLost);
  if (lock === undefined) {
    telemetry.event('login.failed', { ...facts, user, reason: 'in-use' });
    throw refusals.inUse();
  }
  const maildrop = await Maildrop.open(mailstore, id, lock);
  telemetry.event('login.ok', { ...facts, mailbox: address });
  return maildrop;
}
