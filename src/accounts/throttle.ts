import { isIPv4, isIPv6 } from 'node:net';

interface Window {
  readonly milliseconds: number;
  readonly failures: number;
}

/** Failed logins of one account from one network before it has to wait. */
const PER_ACCOUNT: readonly Window[] = [
  { milliseconds: 60_000, failures: 10 },
  { milliseconds: 86_400_000, failures: 100 },
];
/** Failed logins from one network, whatever the account: one password tried on everybody. */
const PER_NETWORK: readonly Window[] = [{ milliseconds: 60_000, failures: 300 }];

/** Counters kept at most; the ones least lately used go first. */
const COUNTERS = 50_000;

interface Counter {
  count: number;
  endsAt: number;
}

/**
 * Slows down who guesses passwords: by network and account together, never by account alone, or anybody could lock a
 * user out of a legal domicile. It knows logins only; nothing here stops mail from being received.
 */
export class LoginThrottle {
  /** Least recently used first. */
  readonly #counters = new Map<string, Counter>();
  readonly #limit: number;

  constructor(limit = COUNTERS) {
    this.#limit = limit;
  }

  /**
   * Counts an attempt before it is tried, so that many at once are no way around; a good one is given back.
   * @returns false when the attempt has to wait.
   */
  admit(remote: string, account: string, now: number): boolean {
    const keys = [...keysOf(remote, account)];
    if (keys.some(({ key, window }) => (this.#current(key, now)?.count ?? 0) >= window.failures))
      return false;
    for (const { key, window } of keys) {
      const counter = this.#current(key, now) ?? { count: 0, endsAt: now + window.milliseconds };
      counter.count += 1;
      this.#counters.delete(key);
      this.#counters.set(key, counter);
    }
    this.#forget();
    return true;
  }

  /** The attempt was good, or was not carried out. */
  giveBack(remote: string, account: string, now: number): void {
    for (const { key } of keysOf(remote, account)) {
      const counter = this.#current(key, now);
      if (counter === undefined) continue;
      counter.count -= 1;
      if (counter.count <= 0) this.#counters.delete(key);
    }
  }

  /** Counters kept now. */
  get size(): number {
    return this.#counters.size;
  }

  #current(key: string, now: number): Counter | undefined {
    const counter = this.#counters.get(key);
    return counter === undefined || counter.endsAt <= now ? undefined : counter;
  }

  #forget(): void {
    for (const key of this.#counters.keys()) {
      if (this.#counters.size <= this.#limit) return;
      this.#counters.delete(key);
    }
  }
}

function* keysOf(remote: string, account: string): Generator<{ key: string; window: Window }> {
  const network = networkOf(remote);
  for (const window of PER_ACCOUNT) yield { key: `${window.milliseconds} ${network} ${account}`, window };
  for (const window of PER_NETWORK) yield { key: `${window.milliseconds} ${network}`, window };
}

/** The network an address belongs to: /24 of IPv4, /64 of IPv6; what is neither stands for itself. */
export function networkOf(remote: string): string {
  const [address = ''] = remote.split('%');
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  const v4 = mapped ?? address;
  if (isIPv4(v4)) return v4.slice(0, v4.lastIndexOf('.'));
  if (!isIPv6(address)) return remote;
  return groupsOf(address).slice(0, 4).join(':');
}

/** The eight groups of an IPv6 address without leading zeros (an embedded IPv4 address counts as two). */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::');
  const before = split(head);
  if (tail === undefined) return before;
  const after = split(tail);
  return [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after];
}

const split = (half: string): string[] =>
  half === ''
    ? []
    : half
        .split(':')
        .flatMap((group) => (group.includes('.') ? ['0', '0'] : [group.replace(/^0+(?=.)/, '')]));
