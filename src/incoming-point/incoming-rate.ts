import { type Charge, sourceOf, Windows } from '../limits/index.js';
import type { MessageCharge } from '../smtp/index.js';
import { refusals } from './refusals.js';

export interface IncomingRateOptions {
  /** Messages of one source (IPv4 address, IPv6 /64) in a minute that no gestore has signed; Infinity for no limit. */
  readonly perMinute: number;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
}

const MINUTE = 60_000;
/** How long a source that brought certified mail is known by it. */
const KNOWN = 60 * MINUTE;
/** What a known source may bring of ordinary mail (bounces...), compared with a stranger. */
const KNOWN_FACTOR = 10;

/**
 * Bounds the messages a stranger brings, never those of a gestore: a message is counted before it comes and given back
 * once it is known to be signed by a gestore of the directory. So certified mail counts only while it is under way, and
 * that is bounded by the connections of one address, which are no more than `perMinute` (the configuration is checked).
 */
export class IncomingRate {
  readonly #windows = new Windows();
  readonly #known = new Windows();
  readonly #options: IncomingRateOptions;

  constructor(options: IncomingRateOptions) {
    this.#options = options;
  }

  /** @throws SmtpError 450 that says when to try again */
  begin(peer: string): MessageCharge {
    const now = this.#options.clock();
    const source = sourceOf(peer);
    const factor = this.#isKnown(source, now) ? KNOWN_FACTOR : 1;
    const rate = { most: this.#options.perMinute * factor, within: MINUTE };
    const admission = this.#windows.admit([{ key: source, rate }], now);
    if (!admission.ok) throw refusals.tooManyMessages(admission.retryAfter);
    return admission;
  }

  /** That message was signed by a gestore. */
  certified(peer: string, charge: MessageCharge): void {
    charge.giveBack();
    this.#known.admit([known(sourceOf(peer))], this.#options.clock());
  }

  #isKnown(source: string, now: number): boolean {
    const { key, rate } = known(source);
    return this.#known.count(key, rate, now) > 0;
  }
}

const known = (source: string): Charge => ({ key: source, rate: { most: 1, within: KNOWN } });
