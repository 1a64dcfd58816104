import { networkOf } from '../limits/index.js';
import { addressKey } from '../pec/index.js';
import type { Mailbox, ScramCredential, Store } from '../storage/index.js';
import { StoreUnavailable } from '../storage/index.js';
import type { Authentication, ThrottleCause } from './authentication.js';
import { preparePassword } from './password.js';
import { beginScram, type ScramRequest, type ScramStart } from './scram.js';
import { scramCredential } from './scram-keys.js';
import { LoginThrottle, type Throttled } from './throttle.js';
import { PasswordVerifier, type Verification } from './verifier.js';

export interface Attempt {
  /** The mailbox's address or an alias, in any case. */
  readonly address: string;
  readonly password: string;
  /** The peer's IP address. */
  readonly remote: string;
}

export interface LoginsOptions {
  readonly store: Pick<Store, 'read' | 'write'>;
  /** Whether failed logins are counted. */
  readonly throttled: boolean;
  /** From which names that nobody has get their salts. */
  readonly secret: Uint8Array;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
}

type Outcome = 'good' | 'bad' | { readonly throttled: ThrottleCause };

const LONGEST_NAME = 320;

/** Who may log in: by the password, or by a proof of it. Both count as one for the throttle. */
export class Logins {
  readonly #store: Pick<Store, 'read' | 'write'>;
  readonly #throttle: LoginThrottle | undefined;
  readonly #verifier = new PasswordVerifier();
  readonly #secret: Uint8Array;
  readonly #monotonic: () => number;

  constructor({ store, throttled, secret, monotonic }: LoginsOptions) {
    this.#store = store;
    this.#throttle = throttled ? new LoginThrottle() : undefined;
    this.#secret = secret;
    this.#monotonic = monotonic;
  }

  /** @throws StoreUnavailable */
  async authenticate(attempt: Attempt): Promise<Authentication> {
    const name = attempt.address.slice(0, LONGEST_NAME);
    const { mailbox, scram } = await this.#find(name);
    // One account is one counter, whatever alias it is tried by.
    const account = addressKey(mailbox?.address ?? name);
    const outcome = await this.#verify(account, mailbox?.passwordHash, attempt);
    if (typeof outcome === 'object') return { ok: false, reason: 'throttled', cause: outcome.throttled };
    if (outcome === 'bad' || mailbox === undefined) return { ok: false, reason: 'bad' };
    // Only who knows the password is told that the mailbox is revoked.
    if (mailbox.state === 'revoked') return { ok: false, reason: 'revoked' };
    if (scram === undefined) await this.#addScram(mailbox, attempt);
    return { ok: true, mailbox };
  }

  /** @throws StoreUnavailable */
  beginScram(request: ScramRequest): Promise<ScramStart> {
    const desk = {
      secret: this.#secret,
      find: (name: string) => this.#find(name),
      admit: (remote: string, account: string) => this.#admit(remote, account),
    };
    return beginScram(desk, request);
  }

  #find(address: string): Promise<{ mailbox: Mailbox | undefined; scram: ScramCredential | undefined }> {
    return this.#store.read('findLogin', { address });
  }

  #admit(remote: string, account: string): Throttled | undefined {
    return this.#throttle?.admit(remote, account, this.#monotonic());
  }

  async #verify(
    account: string,
    passwordHash: string | undefined,
    { password, remote }: Attempt,
  ): Promise<Outcome> {
    const now = this.#monotonic();
    // What cannot be a password is verified all the same, in a form that is nobody's.
    const prepared = preparePassword(password) ?? '\0';
    const name = this.#verifier.nameOf(account, passwordHash, prepared);
    if (this.#verifier.knows(name, now)) return 'good';
    const running = this.#verifier.running(name);
    if (running !== undefined) return outcomeOf(await running);
    const counted = this.#admit(remote, account);
    if (counted?.ok === false) return { throttled: counted.cause };
    const verification = await this.#verifier.verify({
      name,
      passwordHash,
      prepared,
      network: networkOf(remote),
      now,
    });
    if (verification !== 'bad') counted?.giveBack();
    return outcomeOf(verification);
  }

  /** A password from before there was SCRAM: now that it is known, the next login can do without it. */
  async #addScram({ id: mailboxId, passwordHash }: Mailbox, { password, remote }: Attempt): Promise<void> {
    const credential = await this.#verifier.inTurn(networkOf(remote), () => scramCredential(password));
    if (credential === undefined) return;
    try {
      await this.#store.write('addScram', { mailboxId, passwordHash, credential });
    } catch (error) {
      // The password was right, and reading goes on while nothing can be written: another login adds it.
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}

const outcomeOf = (verification: Verification): Outcome =>
  verification === 'busy' ? { throttled: 'busy' } : verification;
