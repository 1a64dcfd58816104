import { type Charge, type Rate, Windows } from '../limits/index.js';
import type { MessageCharge } from '../smtp/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { refusals, type SendingLimit } from './refusals.js';

/** What one mailbox may send; Infinity for no limit. */
export interface SendingBounds {
  readonly messagesPerHour: number;
  readonly messagesPerDay: number;
  readonly recipientsPerDay: number;
  /** Mailboxes without these limits. */
  readonly bulkSenders: readonly string[];
}

export const noSendingBounds: SendingBounds = {
  messagesPerHour: Number.POSITIVE_INFINITY,
  messagesPerDay: Number.POSITIVE_INFINITY,
  recipientsPerDay: Number.POSITIVE_INFINITY,
  bulkSenders: [],
};

export interface SendingLimitsOptions {
  readonly bounds: SendingBounds;
  readonly telemetry: Pick<Telemetry, 'event'>;
  /** Milliseconds that never go back. */
  readonly clock: () => number;
}

/** A message that wants to be sent. */
interface Sending {
  /** Address of the mailbox. */
  readonly mailbox: string;
  readonly recipients: number;
  /** Address of the client. */
  readonly peer: string;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * Bounds what a mailbox sends, so that a stolen password does not send ten thousand messages in the name of its holder. It counts
 * in memory, before the message comes: many connections are no way around, a restart begins anew.
 */
export class SendingLimits {
  readonly #windows = new Windows();
  readonly #told = new Windows();
  readonly #options: SendingLimitsOptions;
  readonly #bulk: ReadonlySet<string>;
  readonly #rates: readonly (readonly [SendingLimit, Rate])[];

  constructor(options: SendingLimitsOptions) {
    const { messagesPerHour, messagesPerDay, recipientsPerDay, bulkSenders } = options.bounds;
    this.#options = options;
    this.#bulk = new Set(bulkSenders.map((address) => address.toLowerCase()));
    this.#rates = [
      ['messages-per-hour', { most: messagesPerHour, within: HOUR }],
      ['messages-per-day', { most: messagesPerDay, within: DAY }],
      ['recipients-per-day', { most: recipientsPerDay, within: DAY }],
    ];
  }

  /** @throws SmtpError 450 that says when to try again */
  begin({ mailbox, recipients, peer }: Sending): MessageCharge {
    const key = mailbox.toLowerCase();
    if (this.#bulk.has(key)) return { giveBack: () => undefined };
    const now = this.#options.clock();
    const charges = this.#rates.map(([limit, rate]) => ({
      limit,
      key: `${limit} ${key}`,
      rate,
      amount: limit === 'recipients-per-day' ? recipients : 1,
    }));
    const admission = this.#windows.admit(charges, now);
    if (admission.ok) return admission;
    const { full, retryAfter } = admission;
    const limit = charges.find((charge) => charge === full)?.limit ?? 'messages-per-hour';
    this.#tell({ mailbox, recipients, peer }, limit, full, retryAfter, now);
    throw refusals.sendingLimit(limit, full.rate.most, retryAfter);
  }

  /** Every refusal is an event; that there are any is an alarm, once in a window. */
  #tell(
    { mailbox, peer }: Sending,
    limit: SendingLimit,
    full: Charge,
    retryAfter: number,
    now: number,
  ): void {
    const { telemetry } = this.#options;
    telemetry.event('submission.limited', {
      mailbox,
      peer,
      limit,
      retryAfter: Math.ceil(retryAfter / 1000),
    });
    const first = this.#told.admit([{ key: full.key, rate: { most: 1, within: full.rate.within } }], now);
    if (!first.ok) return;
    telemetry.event('alarm', {
      name: 'sending-limit',
      reason: `${mailbox} reached ${limit} (${full.rate.most}); last from ${peer}. A stolen password?`,
    });
  }
}
