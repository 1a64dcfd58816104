import type { QueueKind, QueueRow, QueueScope } from '../storage/index.js';
import { type Batch, batchesOf, groupedBy } from './settlement.js';

/**
 * A class of mail with lanes of its own. Mail of ours meets no socket; certified peers answer for one another's time; anybody
 * may have ordinary mail sent to a domain that never answers. So none of the three waits for another's lanes.
 */
export interface MailClass {
  readonly kinds: readonly QueueKind[];
  /** To the domains we manage, or to all others. */
  readonly local: boolean;
  /** Lanes, all its destinations together. */
  readonly budget: number;
}

export const uncertified: readonly QueueKind[] = ['ordinary', 'dsn', 'forward', 'notice'];

export const mailClasses: readonly MailClass[] = [
  { kinds: ['envelope', 'notification', ...uncertified], local: true, budget: 64 },
  { kinds: ['envelope', 'notification'], local: false, budget: 64 },
  { kinds: uncertified, local: false, budget: 64 },
];

export interface LanesParts {
  readonly mail: MailClass;
  /** Lanes of one destination, at most. */
  readonly concurrency: number;
  /** Never rejects. */
  readonly run: (batch: Batch) => Promise<void>;
  /** True when batches that have not begun are to be left. */
  readonly stopped: () => boolean;
  /** Called when a lane ends. */
  readonly ended: () => void;
}

interface Destination {
  /** That run. */
  lanes: number;
  readonly waiting: Batch[];
}

/**
 * The lanes of one class. Each has one transaction at a time. A destination has at most `concurrency` of them, and gets no
 * further one while it has half as many as are free: what is left for others shrinks, but is not gone, when one is slow.
 */
export class Lanes {
  readonly #parts: LanesParts;
  readonly #destinations = new Map<string, Destination>();
  readonly #running = new Set<Promise<void>>();
  /** Rows dispatched and not yet done with. */
  readonly #inHand = new Set<number>();

  constructor(parts: LanesParts) {
    this.#parts = parts;
  }

  /** Whether another lane may start. */
  get open(): boolean {
    return this.#running.size < this.#parts.mail.budget;
  }

  get inHand(): ReadonlySet<number> {
    return this.#inHand;
  }

  /** What may be claimed for these lanes now. @param own domains we manage, lower case */
  scope(own: readonly string[]): QueueScope {
    const { kinds, local } = this.#parts.mail;
    const share = this.#share();
    const busy = [...this.#destinations].filter(([, { lanes }]) => lanes >= share).map(([name]) => name);
    return local ? { kinds, within: own, except: busy } : { kinds, except: [...own, ...busy] };
  }

  /** Spreads claimed rows over lanes. Every destination among them has one at least. */
  dispatch(rows: readonly QueueRow[]): void {
    for (const { id } of rows) this.#inHand.add(id);
    for (const [name, batches] of groupedBy(batchesOf(rows), ([{ destination }]) => destination)) {
      const destination = this.#destinations.get(name) ?? { lanes: 0, waiting: [] };
      this.#destinations.set(name, destination);
      destination.waiting.push(...batches);
      const share = this.#share();
      for (let more = destination.waiting.length; more > 0 && destination.lanes < share; more--) {
        this.#start(name, destination);
      }
    }
  }

  /** Resolves when every lane has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Lanes one destination may have now. */
  #share(): number {
    const { mail, concurrency } = this.#parts;
    return Math.max(1, Math.min(concurrency, Math.floor((mail.budget - this.#running.size) / 2)));
  }

  #start(name: string, destination: Destination): void {
    destination.lanes++;
    const running = this.#run(destination.waiting).finally(() => {
      this.#running.delete(running);
      destination.lanes--;
      if (destination.lanes === 0) this.#destinations.delete(name);
      this.#parts.ended();
    });
    this.#running.add(running);
  }

  /** A lane takes batches from its destination's list until none is left. */
  async #run(waiting: Batch[]): Promise<void> {
    for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
      if (!this.#parts.stopped()) await this.#parts.run(batch);
      for (const { id } of batch) this.#inHand.delete(id);
    }
  }
}
