import type { QueueRow } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { Connector } from './connector.js';
import type { OutboundQueue } from './ports.js';
import { type Batch, batchesOf, groupedBy } from './settlement.js';
import type { Transfer } from './transfer.js';

export interface RelayParts {
  readonly queue: OutboundQueue;
  readonly transfer: Transfer;
  readonly connector: Connector;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Whose leases these are: the same after a restart. */
  readonly owner: string;
  /** Transactions at once towards one destination. */
  readonly concurrency: number;
}

/** Rows claimed at a time. */
const CLAIM = 128;
/** Transactions at once, all destinations together. */
const MAX_LANES = 64;
/** Milliseconds. A lease outlives the longest transaction; a batch whose lease runs low is left to the next claim. */
const LEASE = 60 * 60_000;
const LEASE_MARGIN = 20 * 60_000;
/** Milliseconds between looks at the queue when nobody tells of news. */
const LOOK = 30_000;
const PAUSE_AFTER_ERROR = 1_000;

/**
 * The outbound queue at work: woken by news, or by the clock when the next row falls due, it claims what is due and spreads it
 * over lanes, a bounded number for each destination, so that a slow or dead peer holds up nobody else.
 */
export class Relay {
  readonly #parts: RelayParts;
  /** Running lanes of each destination. */
  readonly #lanes = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #state: 'idle' | 'claiming' | 'claim-again' | 'stopped' = 'idle';
  #timer: NodeJS.Timeout | undefined;
  #endNews: (() => void) | undefined;
  #claimed: Promise<void> = Promise.resolve();

  constructor(parts: RelayParts) {
    this.#parts = parts;
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
    const { connector, queue, owner } = this.#parts;
    connector.close();
    const cut = setTimeout(() => connector.cut(), grace);
    await this.#claimed;
    await Promise.all(this.#running);
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
    const { queue, clock, owner, concurrency } = this.#parts;
    let asked = clock();
    while (this.#total() < MAX_LANES && !this.#is('stopped')) {
      asked = clock();
      const busy = [...this.#lanes].filter(([, lanes]) => lanes >= concurrency).map(([domain]) => domain);
      const leaseUntil = asked + LEASE;
      const rows = await queue.claimDue({ now: asked, owner, leaseUntil, limit: CLAIM, busy });
      if (rows.length === 0) break;
      this.#dispatch(rows);
    }
    const next = await queue.nextAttemptAt();
    // What was due when we asked and was not given waits for a lane, and a lane that ends looks again. What fell due since
    // would wait for nobody.
    return next === null || next <= asked ? LOOK : Math.min(LOOK, Math.max(0, next - clock()));
  }

  #dispatch(rows: readonly QueueRow[]): void {
    for (const [destination, batches] of groupedBy(batchesOf(rows), ([{ destination }]) => destination)) {
      const waiting = [...batches];
      const free = this.#parts.concurrency - (this.#lanes.get(destination) ?? 0);
      const lanes = Math.max(1, Math.min(free, waiting.length));
      for (let lane = 0; lane < lanes; lane++) this.#startLane(destination, waiting);
    }
  }

  /** A lane takes batches from a shared list until none is left. */
  #startLane(destination: string, waiting: Batch[]): void {
    this.#lanes.set(destination, (this.#lanes.get(destination) ?? 0) + 1);
    const running = this.#runLane(waiting).finally(() => {
      this.#running.delete(running);
      const left = (this.#lanes.get(destination) ?? 1) - 1;
      if (left > 0) this.#lanes.set(destination, left);
      else this.#lanes.delete(destination);
      this.wake();
    });
    this.#running.add(running);
  }

  async #runLane(waiting: Batch[]): Promise<void> {
    const { clock, transfer } = this.#parts;
    for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
      if (this.#is('stopped')) return;
      if (batch[0].leaseUntil - clock() >= LEASE_MARGIN) await transfer.run(batch);
    }
  }

  #total(): number {
    let total = 0;
    for (const lanes of this.#lanes.values()) total += lanes;
    return total;
  }

  #is(state: 'claim-again' | 'stopped'): boolean {
    return this.#state === state;
  }
}
