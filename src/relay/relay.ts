import type { Telemetry } from '../telemetry/index.js';
import type { Connector } from './connector.js';
import { Lanes, mailClasses } from './lanes.js';
import type { LocalReception, OutboundQueue } from './ports.js';
import type { Batch } from './settlement.js';
import type { Transfer } from './transfer.js';

export interface RelayParts {
  readonly queue: OutboundQueue;
  readonly local: Pick<LocalReception, 'domains'>;
  readonly transfer: Transfer;
  readonly connector: Connector;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Whose leases these are: the same after a restart. */
  readonly owner: string;
  /** Transactions at once towards one destination, at most. */
  readonly concurrency: number;
  /** Milliseconds: no row is put off longer. */
  readonly longestRetry: number;
}

/** Rows claimed at a time. */
const CLAIM = 128;
/**
 * Milliseconds. A lease outlives the longest transaction (18 minutes, see `defaultTimeouts`); a batch whose lease runs low is
 * left to the next claim.
 */
const LEASE = 60 * 60_000;
const LEASE_MARGIN = 20 * 60_000;
/** Milliseconds by which the clocks of two nodes may differ and a lease of the other still be believed. */
const CLOCK_DIFFERENCE = 60_000;
/** Milliseconds between looks at the queue when nobody tells of news. */
const LOOK = 30_000;
const PAUSE_AFTER_ERROR = 1_000;

/**
 * The outbound queue at work. Woken by news, or by the clock when the next row falls due, it claims what is due and spreads it
 * over lanes (see `Lanes`): a destination that is slow or dead keeps a bounded number of them, all of one class of mail. The
 * other classes never wait for it; destinations of its own class do once enough slow ones hold all lanes of the class.
 *
 * Invariant: a row leased to us is in a lane, or among what the transfer could not settle, or `#doubt` is set.
 */
export class Relay {
  readonly #parts: RelayParts;
  readonly #lanes: readonly Lanes[];
  #state: 'idle' | 'claiming' | 'claim-again' | 'stopped' = 'idle';
  #timer: NodeJS.Timeout | undefined;
  #endNews: (() => void) | undefined;
  #claimed: Promise<void> = Promise.resolve();
  /** A claim failed, and the store may have made it all the same: there may be rows leased to us that nobody holds. */
  #doubt = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
    this.#lanes = mailClasses.map(
      (mail) =>
        new Lanes({
          mail,
          concurrency: parts.concurrency,
          run: (batch) => this.#run(batch),
          stopped: () => this.#is('stopped'),
          ended: () => this.wake(),
        }),
    );
  }

  /** Takes back what an earlier process of ours had leased, and begins. @throws StoreUnavailable */
  async start(): Promise<void> {
    const { queue, owner } = this.#parts;
    await queue.releaseOwn({ owner });
    this.#endNews = queue.onNews(() => this.wake());
    this.wake();
  }

  /** Looks at the queue now. */
  wake(): void {
    if (this.#state === 'claiming') this.#state = 'claim-again';
    if (this.#state === 'idle') this.#claimed = this.#claim();
  }

  /**
   * Claims nothing more, waits for the transactions that run and gives back the rest.
   * @param grace milliseconds after which running transactions are cut
   * @throws StoreUnavailable when the leases could not be given back; the next start takes them
   */
  async stop(grace = 30_000): Promise<void> {
    this.#state = 'stopped';
    this.#endNews?.();
    clearTimeout(this.#timer);
    const { connector, transfer, queue, owner } = this.#parts;
    connector.close();
    const cut = setTimeout(() => {
      connector.cut();
      transfer.cut();
    }, grace);
    await this.#claimed;
    await Promise.all(this.#lanes.map((lanes) => lanes.idle()));
    clearTimeout(cut);
    await queue.releaseOwn({ owner });
  }

  /** Never rejects. */
  async #claim(): Promise<void> {
    clearTimeout(this.#timer);
    let wait = LOOK;
    do {
      this.#state = 'claiming';
      try {
        wait = await this.#claimDue();
      } catch (error) {
        // One bad moment of the store does not end the relay.
        const reason = error instanceof Error ? error.message : String(error);
        this.#parts.telemetry.event('store.unavailable', { operation: 'claimDue', error: reason });
        wait = PAUSE_AFTER_ERROR;
      }
    } while (this.#is('claim-again'));
    if (this.#is('stopped')) return;
    this.#state = 'idle';
    this.#timer = setTimeout(() => this.wake(), wait);
  }

  /** Starts what is due. @returns in how many milliseconds to look again */
  async #claimDue(): Promise<number> {
    const { queue, local, clock } = this.#parts;
    await this.#giveBack();
    for (;;) {
      const open = this.#lanes.filter((lanes) => lanes.open);
      if (this.#is('stopped') || open.length === 0) return LOOK;
      const own = await local.domains();
      const now = clock();
      const scopes = open.map((lanes) => lanes.scope(own));
      const { due, nextAttempt } = await queue.dueScopes({ ...this.#times(now), scopes });
      const wanted = open.filter((_, index) => due[index]);
      if (wanted.length === 0 || (await this.#claimFor(wanted, own, now)) === 0) {
        // What was due when we asked and was not given waits for a lane, and a lane that ends looks again. What fell due
        // since would wait for nobody.
        return nextAttempt === null || nextAttempt <= now
          ? LOOK
          : Math.min(LOOK, Math.max(0, nextAttempt - clock()));
      }
    }
  }

  /** Claims for several classes in one commit. @returns how many rows. @throws the first claim's error, others' rows kept */
  async #claimFor(wanted: readonly Lanes[], own: readonly string[], now: number): Promise<number> {
    const { queue, owner } = this.#parts;
    const input = { ...this.#times(now), owner, leaseUntil: now + LEASE, limit: CLAIM };
    this.#doubt = true;
    const claims = await Promise.allSettled(
      wanted.map(async (lanes) => {
        const rows = await queue.claimDue({ ...input, ...lanes.scope(own) });
        lanes.dispatch(rows);
        return rows.length;
      }),
    );
    let total = 0;
    for (const claim of claims) {
      if (claim.status === 'rejected') throw claim.reason;
      total += claim.value;
    }
    this.#doubt = false;
    return total;
  }

  /** Ends the leases of rows nobody works on any more. @throws StoreUnavailable */
  async #giveBack(): Promise<void> {
    const { queue, transfer, owner } = this.#parts;
    await transfer.giveBack();
    if (!this.#doubt) return;
    await queue.releaseOwn({ owner, inHand: this.#inHand() });
    this.#doubt = false;
  }

  /** The time, and what else a row's times may be. */
  #times(now: number) {
    return {
      now,
      latestAttempt: now + 2 * this.#parts.longestRetry,
      latestLease: now + LEASE + CLOCK_DIFFERENCE,
      inHand: this.#inHand(),
    };
  }

  #inHand(): number[] {
    return [...this.#lanes.flatMap((lanes) => [...lanes.inHand]), ...this.#parts.transfer.unsettled()];
  }

  async #run(batch: Batch): Promise<void> {
    const { clock, transfer } = this.#parts;
    if (batch[0].leaseUntil - clock() >= LEASE_MARGIN) await transfer.run(batch);
  }

  #is(state: 'claim-again' | 'stopped'): boolean {
    return this.#state === state;
  }
}
