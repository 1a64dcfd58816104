import {
  type Accounts,
  type Authentication,
  loggedName,
  type ScramChannel,
  type ScramMechanism,
  type ScramOutcome,
  type ScramRefusal,
  type ScramStart,
} from '../accounts/index.js';
import type { Mailbox } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { MailboxLocks } from './locks.js';
import { Maildrop, type MaildropStore } from './maildrop.js';
import { refusals } from './refusals.js';

/** What a login needs. */
export interface LoginDesk {
  readonly accounts: Pick<Accounts, 'authenticate' | 'beginScram'>;
  readonly mailstore: MaildropStore;
  readonly locks: MailboxLocks;
  readonly telemetry: Pick<Telemetry, 'event'>;
}

/** Who wants to log in. */
export interface LoginPeer {
  /** The peer's IP address. */
  readonly peer: string;
  /** Id of the connection, for the log. */
  readonly session: string;
  /** What a login can be bound to. */
  readonly channel: ScramChannel;
  /** Called when another session takes the mailbox over. */
  onLost(): void;
}

type Good<T extends { readonly ok: boolean }> = Extract<T, { readonly ok: true }>;

/**
 * The logins of one connection. Whoever gets a maildrop releases it. What is refused is told to the log and thrown.
 * Every method: @throws Pop3Error; StoreUnavailable.
 */
export class Login {
  readonly #desk: LoginDesk;
  readonly #peer: LoginPeer;

  constructor(desk: LoginDesk, peer: LoginPeer) {
    this.#desk = desk;
    this.#peer = peer;
  }

  async withPassword(user: string, password: string): Promise<Maildrop> {
    const { accounts } = this.#desk;
    const outcome = await accounts.authenticate({ address: user, password, remote: this.#peer.peer });
    return outcome.ok ? this.open(outcome.mailbox) : this.#refuse(user, outcome);
  }

  async beginScram(mechanism: ScramMechanism, message: Buffer): Promise<Good<ScramStart>> {
    const { channel, peer: remote } = this.#peer;
    const start = await this.#desk.accounts.beginScram({ mechanism, message, channel, remote });
    return start.ok ? start : this.#refuseScram(start);
  }

  async finishScram(finish: Good<ScramStart>['finish'], message: Buffer): Promise<Good<ScramOutcome>> {
    const outcome = await finish(message);
    return outcome.ok ? outcome : this.#refuseScram(outcome);
  }

  /** Locks the mailbox of who is let in, and reads its snapshot. */
  async open({ id, address }: Mailbox): Promise<Maildrop> {
    const { locks, mailstore, telemetry } = this.#desk;
    const lock = locks.acquire(id, this.#peer.onLost);
    if (lock === undefined) {
      telemetry.event('login.failed', { ...this.#facts, user: address, reason: 'in-use' });
      throw refusals.inUse();
    }
    const maildrop = await Maildrop.open(mailstore, id, lock);
    telemetry.event('login.ok', { ...this.#facts, mailbox: address });
    return maildrop;
  }

  #refuseScram(refusal: ScramRefusal): never {
    if (refusal.reason === 'malformed') throw refusals.malformedResponse();
    if (refusal.reason !== 'downgrade' && refusal.reason !== 'binding')
      return this.#refuse(refusal.user, refusal);
    const user = loggedName(refusal.user);
    this.#desk.telemetry.event('login.failed', { ...this.#facts, user, reason: refusal.reason });
    throw refusals.notBound();
  }

  #refuse(name: string, outcome: Exclude<Authentication, { ok: true }>): never {
    const { telemetry } = this.#desk;
    const facts = { ...this.#facts, user: loggedName(name) };
    if (outcome.reason === 'throttled') {
      telemetry.event('login.throttled', { ...facts, cause: outcome.cause });
      throw refusals.throttled();
    }
    telemetry.event('login.failed', { ...facts, reason: outcome.reason });
    throw outcome.reason === 'revoked' ? refusals.revoked() : refusals.badCredentials();
  }

  get #facts() {
    const { peer, session } = this.#peer;
    return { protocol: 'pop3', peer, session } as const;
  }
}
