import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { verifyPassword } from './password.js';
import { Turns } from './turns.js';

/** A verified login is believed again without the cost for this long. */
const KEPT_MS = 5 * 60_000;
const KEPT_AT_MOST = 10_000;

/** argon2 and the signatures share libuv's four threads and the processor: logins may take half, and no more than two. */
const AT_ONCE = Math.max(1, Math.min(2, Math.floor(availableParallelism() / 2)));
const WAITING = 256;
const WAITING_OF_NETWORK = 64;

/** What came of a verification; `busy`: too many wait, nothing was verified. */
export type Verification = 'good' | 'bad' | 'busy';

/** A login that is neither known nor being verified. */
export interface LoginToVerify {
  /** What `nameOf` gave. */
  readonly name: string;
  /** Undefined for an unknown user. */
  readonly passwordHash: string | undefined;
  readonly prepared: string;
  /** Whose turn it takes. */
  readonly network: string;
  readonly now: number;
}

/**
 * Verifies passwords: a few at a time, the same one once, and a verified one not again for five minutes. What is kept
 * is a keyed hash over account, stored hash and password, under a key of this process: it is of no use elsewhere, and
 * a changed password is another hash, so the old one is forgotten at once.
 */
export class PasswordVerifier {
  readonly #key = randomBytes(32);
  /** Least recently used first; the value is when it ends. */
  readonly #verified = new Map<string, number>();
  readonly #running = new Map<string, Promise<Verification>>();
  readonly #turns = new Turns({
    atOnce: AT_ONCE,
    waiting: WAITING,
    waitingOfNetwork: WAITING_OF_NETWORK,
  });

  /** The name under which a login is known here. `passwordHash` is undefined for an unknown user. */
  nameOf(account: string, passwordHash: string | undefined, prepared: string): string {
    const lengths = `${Buffer.byteLength(account)} ${Buffer.byteLength(passwordHash ?? '')} `;
    return createHmac('sha256', this.#key)
      .update(lengths)
      .update(account)
      .update(passwordHash ?? '')
      .update(prepared)
      .digest('base64');
  }

  /** Whether this login was verified within the last minutes. */
  knows(name: string, now: number): boolean {
    const until = this.#verified.get(name);
    if (until === undefined) return false;
    this.#verified.delete(name);
    if (until <= now) return false;
    this.#verified.set(name, until);
    return true;
  }

  /** The same login being verified just now, if it is. */
  running(name: string): Promise<Verification> | undefined {
    return this.#running.get(name);
  }

  verify({ name, passwordHash, prepared, network, now }: LoginToVerify): Promise<Verification> {
    const verification = this.#turns
      .run(network, () => verifyPassword(passwordHash, prepared))
      .then((good): Verification => {
        if (good === true) this.#remember(name, now + KEPT_MS);
        if (good === undefined) return 'busy';
        return good ? 'good' : 'bad';
      })
      .finally(() => this.#running.delete(name));
    this.#running.set(name, verification);
    return verification;
  }

  /** Work that costs about as much as a verification, in its turn. @returns undefined, and nothing was done, when too many wait */
  inTurn<T>(network: string, work: () => Promise<T>): Promise<T | undefined> {
    return this.#turns.run(network, work);
  }

  #remember(name: string, until: number): void {
    this.#verified.set(name, until);
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size <= KEPT_AT_MOST) return;
      this.#verified.delete(oldest);
    }
  }
}
