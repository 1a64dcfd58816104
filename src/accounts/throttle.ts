import { type Charge, networkOf, type Rate, Windows } from '../limits/index.js';

/** Failed logins of one account from one network before it has to wait. */
const PER_ACCOUNT: readonly Rate[] = [
  { within: 60_000, most: 10 },
  { within: 86_400_000, most: 100 },
];
/** Failed logins from one network, whatever the account: one password tried on everybody. */
const PER_NETWORK: Rate = { within: 60_000, most: 300 };

/** What came of asking. */
export type Throttled =
  /** Counted as a failure until `giveBack` says that it was good, or was not carried out. */
  { readonly ok: true; giveBack(): void } | { readonly ok: false; readonly cause: 'account' | 'network' };

/**
 * Slows down who guesses passwords: by network and account together, never by account alone, or anybody could lock a
 * user out of a legal domicile. It knows logins only; nothing here stops mail from being received.
 */
export class LoginThrottle {
  readonly #windows: Windows;

  constructor(windows = new Windows()) {
    this.#windows = windows;
  }

  /** Counts an attempt before it is tried, so that many at once are no way around. */
  admit(remote: string, account: string, now: number): Throttled {
    const network = networkOf(remote);
    const ofNetwork: Charge = { key: network, rate: PER_NETWORK };
    const ofAccount = PER_ACCOUNT.map((rate) => ({ key: `${rate.within} ${network} ${account}`, rate }));
    const admission = this.#windows.admit([...ofAccount, ofNetwork], now);
    if (admission.ok) return admission;
    return { ok: false, cause: admission.full === ofNetwork ? 'network' : 'account' };
  }
}
