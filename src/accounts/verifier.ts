import { createHmac, randomBytes } from 'node:crypto';
import { verifyPassword } from './password.js';

/** A verified login is believed again without the cost for this long. */
const KEPT_MS = 5 * 60_000;
const KEPT_AT_MOST = 10_000;

/** argon2 and the signatures share libuv's few threads: logins may not take them all. */
const AT_ONCE = 2;
const WAITING = 256;

/** What came of a verification; `busy`: too many wait, nothing was verified. */
export type Verification = 'good' | 'bad' | 'busy';

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
  readonly #waiting: (() => void)[] = [];
  #active = 0;

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

  verify(
    name: string,
    passwordHash: string | undefined,
    prepared: string,
    now: number,
  ): Promise<Verification> {
    const verification = this.#verifyInTurn(passwordHash, prepared)
      .then((outcome) => {
        if (outcome === 'good') this.#remember(name, now + KEPT_MS);
        return outcome;
      })
      .finally(() => this.#running.delete(name));
    this.#running.set(name, verification);
    return verification;
  }

  async #verifyInTurn(passwordHash: string | undefined, prepared: string): Promise<Verification> {
    if (this.#active >= AT_ONCE) {
      if (this.#waiting.length >= WAITING) return 'busy';
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#active += 1;
    }
    try {
      return (await verifyPassword(passwordHash, prepared)) ? 'good' : 'bad';
    } finally {
      const next = this.#waiting.shift();
      // The place is handed on, not given up: nobody slips in between.
      if (next === undefined) this.#active -= 1;
      else next();
    }
  }

  #remember(name: string, until: number): void {
    this.#verified.set(name, until);
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size <= KEPT_AT_MOST) return;
      this.#verified.delete(oldest);
    }
  }
}
